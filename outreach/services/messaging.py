"""Saying something to a contact: by mail, or inside the tenant's product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.languages import contact_language
from accounts.links import without_tokens
from accounts.models import Account, Contact, Membership, Tenant
from accounts.outbox import send_to_outbox
from accounts.sealing import seal
from outreach import timeline
from outreach.deciding import decide, settings_of
from outreach.delivery import MESSAGE
from outreach.delivery.messages import note
from outreach.fields import check_merge_fields, flat, values_of
from outreach.formatting import is_safe_link
from outreach.keys import short_key
from outreach.models import Message, Template
from outreach.texts import text_in


def send_email(
    *,
    tenant: Tenant,
    account: Account,
    contact: Contact | None,
    subject: str = "",
    body_md: str = "",
    template_key: str = "",
    context: Mapping[str, Any] | None = None,
    dedupe_key: str,
    purpose: Literal["service", "engagement"] | str,
    sender: Membership | None = None,
    action_url: str = "",
    by_step: str = "",
) -> Message:
    """Write a mail to a contact down once: `queued`, `held` until it may go, or `suppressed`, each with its reason.

    The token of a signed link in `action_url` is stored sealed and stands in the mail that leaves alone.

    Raises a ValidationError when there is no text or it names a field that nobody knows, and `Template.DoesNotExist`.
    """
    key = short_key(dedupe_key)
    _hold(tenant, account, contact)
    known = Message.objects.filter(tenant=tenant, channel=Message.Channel.EMAIL, dedupe_key=key).first()
    if known is not None:
        return known
    language = contact_language(tenant, contact, account)
    template = None
    if template_key:
        template = Template.objects.get(tenant=tenant, key=template_key)
        said_subject, body_md, language = text_in(template, language)
        subject = subject or said_subject
    if not subject.strip() or not body_md.strip():
        raise ValidationError(_("A mail needs a subject and a text."))
    check_merge_fields(subject, body_md, also=flat(context))
    if action_url and not is_safe_link(action_url):
        raise ValidationError(_("A link must begin with https://."))
    now = timezone.now()
    message = Message(
        tenant=tenant,
        account=account,
        contact=contact,
        channel=Message.Channel.EMAIL,
        purpose=purpose,
        dedupe_key=key,
        address=(contact.email or "").strip() if contact else "",
        language=language,
        subject=subject[:300],
        body=body_md,
        merged=values_of(
            tenant=tenant, account=account, contact=contact, sender=sender, context=context, language=language
        ),
        action_url=without_tokens(action_url),
        sealed_url=seal(action_url) if without_tokens(action_url) != action_url else "",
        template=template,
        template_version=template.version if template else None,
        sender=sender,
        by_step=by_step[:100],
        created_at=now,
    )
    decision = decide(tenant=tenant, choices=settings_of(tenant), message=message, contact=contact, now=now)
    decision.write_to(message, now)
    message.save()
    if decision.state in (Message.State.QUEUED, Message.State.HELD):
        send_to_outbox(
            tenant=tenant,
            kind=MESSAGE,
            key=str(message.pk),
            payload={},
            at=decision.until or now,
        )
    else:
        note(tenant, message, timeline.MESSAGE_NOT_SENT, now)
    return message


def send_in_app(
    *,
    tenant: Tenant,
    account: Account,
    contact: Contact | None = None,
    title: str,
    body: str,
    action_url: str = "",
    dedupe_key: str,
    context: Mapping[str, Any] | None = None,
    by_step: str = "",
    sender: Membership | None = None,
) -> Message:
    """Leave a message for a contact, or for everybody of the account, that the tenant's product shows. Once per key."""
    key = short_key(dedupe_key)
    _hold(tenant, account, contact)
    known = Message.objects.filter(tenant=tenant, channel=Message.Channel.IN_APP, dedupe_key=key).first()
    if known is not None:
        return known
    if not title.strip():
        raise ValidationError(_("A message needs a title."))
    check_merge_fields(title, body, also=flat(context))
    if action_url and not (is_safe_link(action_url) or _is_path(action_url)):
        raise ValidationError(_("A link must begin with https:// or with /."))
    language = contact_language(tenant, contact, account)
    message = Message.objects.create(
        tenant=tenant,
        account=account,
        contact=contact,
        channel=Message.Channel.IN_APP,
        dedupe_key=key,
        language=language,
        subject=title[:300],
        body=body,
        merged=values_of(
            tenant=tenant, account=account, contact=contact, sender=sender, context=context, language=language
        ),
        action_url=action_url,
        sender=sender,
        by_step=by_step[:100],
        created_at=timezone.now(),
    )
    note(tenant, message, timeline.MESSAGE_SENT, message.created_at)
    return message


SEEN = {
    "shown": (Message.State.SHOWN, "shown_at", timeline.MESSAGE_SHOWN),
    "clicked": (Message.State.CLICKED, "clicked_at", timeline.MESSAGE_CLICKED),
    "dismissed": (Message.State.DISMISSED, "dismissed_at", timeline.MESSAGE_DISMISSED),
}


def report_in_app(*, tenant: Tenant, message_id: int, what: str, at: datetime) -> Message:
    """Note what somebody did with a message in the product: `shown`, `clicked` or `dismissed`; the first of each counts.

    Raises `Message.DoesNotExist`. The state only moves on: a click is not undone by showing it again.
    """
    message = Message.objects.select_for_update().get(
        tenant=tenant, pk=message_id, channel=Message.Channel.IN_APP
    )
    state, field, kind = SEEN[what]
    if getattr(message, field) is not None:
        return message
    setattr(message, field, at)
    ended = (Message.State.CLICKED, Message.State.DISMISSED)
    if message.state not in ended or state == Message.State.CLICKED:
        message.state = state
    message.save(update_fields=["state", field])
    note(tenant, message, kind, at)
    return message


def _hold(tenant: Tenant, account: Account, contact: Contact | None) -> None:
    """One at a time per contact: two mails must not both take the last place of the week, nor the same key."""
    if contact is not None:
        Contact.objects.select_for_update().filter(tenant=tenant, pk=contact.pk).first()
    else:
        Account.objects.select_for_update().filter(tenant=tenant, pk=account.pk).first()


def _is_path(url: str) -> bool:
    return url.startswith("/") and not url.startswith("//") and "\\" not in url and url.isprintable()
