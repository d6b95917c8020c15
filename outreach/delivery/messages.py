"""A mail to a contact: decided anew at the moment it would go, composed, sent, marked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from smtplib import SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.mail import mail_domain
from accounts.models import Contact, Tenant
from accounts.outbox import Channel, NotNow, Refused, Settle, stable_id
from accounts.services import record_timeline
from outreach import timeline
from outreach.deciding import decide, settings_of
from outreach.delivery import TEMPLATE_TEST
from outreach.mail.compose import compose_message
from outreach.mail.viewing import compose_test
from outreach.merge import merge
from outreach.models import Message

WAITING = (Message.State.QUEUED, Message.State.HELD)


def send_message(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> Settle | None:
    """Outbox handler: the mail goes, waits (`NotNow`), or is not sent, which is then on the timeline."""
    with tenant_scope(tenant):
        mail, until, why = _ready(tenant, int(key))
    if until is not None:
        raise NotNow(until, why)
    if mail is None:
        return None
    try:
        mail.send()
    except SMTPRecipientsRefused as error:
        raise Refused(f"The mail server refused the receiver: {_answer(error.recipients)}") from error
    except SMTPSenderRefused as error:
        raise Refused(f"The mail server refused the sender {error.sender}: {error.smtp_code}") from error
    return partial(mark_sent, tenant, int(key))


def _ready(tenant: Tenant, pk: int) -> tuple[EmailMultiAlternatives | None, datetime | None, str]:
    """The mail that may go now; or until when it is held and why; or neither, when it is not to be sent at all."""
    now = timezone.now()
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("account__owner__user", "contact", "sender__user")
        .filter(tenant=tenant, pk=pk)
        .first()
    )
    if message is None or message.state not in WAITING:
        return None, None, ""
    if message.contact_id is not None:  # two mails must not both take the contact's last place of the week
        Contact.objects.select_for_update().filter(tenant=tenant, pk=message.contact_id).first()
    choices = settings_of(tenant)
    decision = decide(tenant=tenant, choices=choices, message=message, contact=message.contact, now=now)
    decision.write_to(message, now)
    message.save(update_fields=["state", "reason", "held_until", "counted_at"])
    if decision.state == Message.State.HELD:
        return None, decision.until, message.get_reason_display()
    if decision.state != Message.State.QUEUED:
        note(tenant, message, timeline.MESSAGE_NOT_SENT, now)
        return None, None, ""
    return compose_message(tenant, choices, message), None, ""


def mark_sent(tenant: Tenant, pk: int) -> None:
    """The mail left: say so on the message and on the timeline, once."""
    message = Message.objects.select_for_update().filter(tenant=tenant, pk=pk).first()
    if message is None or message.sent_at is not None:
        return
    message.state, message.sent_at, message.error = Message.State.SENT, timezone.now(), ""
    message.save(update_fields=["state", "sent_at", "error"])
    note(tenant, message, timeline.MESSAGE_SENT, message.sent_at)


def note_failure(
    tenant: Tenant, key: str, payload: Mapping[str, Any], error: str, next_at: datetime | None
) -> None:
    """An attempt failed: keep the reason; without a next one the message is given up."""
    message = Message.objects.select_for_update().filter(tenant=tenant, pk=int(key)).first()
    if message is None:
        return
    message.error = error[:500]
    if next_at is None and message.state in WAITING:
        message.state = Message.State.FAILED
        note(tenant, message, timeline.MESSAGE_FAILED, timezone.now())
    message.save(update_fields=["error", "state"])


def send_test(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler: a template as a contact would get it, to the member who asked."""
    with tenant_scope(tenant):
        mail = compose_test(tenant, payload)
    if mail is not None:
        mail.extra_headers["Message-ID"] = f"<{stable_id(tenant, TEMPLATE_TEST, key)}@{mail_domain()}>"
        mail.send()


def note(tenant: Tenant, message: Message, kind: str, at: datetime) -> None:
    """One line on the account's timeline."""
    record_timeline(
        tenant=tenant,
        account_id=message.account_id,
        kind=kind,
        at=at,
        title=merge(message.subject, message.merged),
        data={"message": message.pk, "channel": message.channel, "reason": message.reason},
        actor=message.sender,
    )


def _answer(recipients: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{code} {text.decode('utf-8', 'replace')}" for code, text in recipients.values())[:300]


CHANNEL = Channel(send_message, failed=note_failure)
