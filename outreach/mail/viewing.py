"""A mail as somebody looks at it: composed again from what is stored, exactly as the relay does."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts.invitations import compose_invitation
from accounts.links import HIDDEN, without_tokens
from accounts.mail import EMAIL, compose_email
from accounts.models import Account, Contact, Membership, Outbox, Tenant
from accounts.services.members import INVITATION
from outreach.deciding import settings_of
from outreach.delivery import MESSAGE, TEMPLATE_TEST
from outreach.fields import values_of
from outreach.mail.compose import compose_message
from outreach.models import Message, OutreachSettings, Template
from outreach.texts import text_in

MAIL_KINDS = (MESSAGE, TEMPLATE_TEST, EMAIL, INVITATION)
SHOWN_HEADERS = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)


@dataclass(frozen=True)
class SeenMail:
    """What a mail looks like."""

    subject: str
    to: str
    headers: list[tuple[str, str]]
    text: str
    html: str
    hides: bool  # whether it holds a link that only its receiver may open


def seen(mail: EmailMultiAlternatives) -> SeenMail:
    """The parts of a mail that people look at; a link that lets its receiver do something is not among them."""
    raw = mail.message()
    found = [(name, str(raw[name])) for name in SHOWN_HEADERS if raw[name]]
    html = next((str(part[0]) for part in mail.alternatives if part[1] == "text/html"), "")
    text = without_tokens(str(mail.body))
    hides = HIDDEN in text
    return SeenMail(str(mail.subject), ", ".join(mail.to), found, text, without_tokens(html), hides)


def mail_of_item(tenant: Tenant, item: Outbox) -> SeenMail | None:
    """The mail of an outbox item; None when it is no mail, or what it was about has gone."""
    composed: EmailMultiAlternatives | None = None
    if item.kind == MESSAGE:
        message = (
            Message.objects.select_related("account__owner__user", "contact", "sender__user")
            .filter(tenant=tenant, pk=int(item.key))
            .first()
        )
        return mail_of_message(tenant, message) if message is not None else None
    if item.kind == TEMPLATE_TEST:
        composed = compose_test(tenant, item.payload, logo=True)
    elif item.kind == EMAIL:
        composed = compose_email(tenant, item.key, item.payload)
    elif item.kind == INVITATION:
        # Its link lets somebody in: only where mail does not leave the machine is it shown to whoever looks here.
        composed = compose_invitation(tenant, item.key, item.payload, with_link=settings.MAIL_IS_KEPT)
    return seen(composed) if composed is not None else None


def mail_of_message(tenant: Tenant, message: Message) -> SeenMail:
    """The mail of a message."""
    choices = settings_of(tenant)
    return seen(compose_message(tenant, choices, message, logo=logo_address(choices), looked_at=True))


def logo_address(choices: OutreachSettings) -> str:
    """The logo as an address that a page can show."""
    if choices.logo is None:
        return ""
    return f"data:{choices.logo_type};base64,{base64.b64encode(bytes(choices.logo)).decode()}"


def compose_test(tenant: Tenant, payload: Any, *, logo: bool = False) -> EmailMultiAlternatives | None:
    """What a contact would get, addressed to a member; None when template, account or member have gone."""
    found = SimpleNamespace(
        template=Template.objects.filter(tenant=tenant, pk=payload["template_id"]).first(),
        account=Account.objects.select_related("owner__user")
        .filter(tenant=tenant, pk=payload["account_id"])
        .first(),
        member=Membership.objects.select_related("user")
        .filter(tenant=tenant, pk=payload["membership_id"], is_active=True)
        .first(),
    )
    if found.template is None or found.account is None or found.member is None:
        return None
    people = Contact.objects.filter(tenant=tenant, account=found.account).exclude(email="")
    contact = people.order_by("-last_seen_at", "id").first()
    message = example_message(
        tenant,
        found.template,
        found.account,
        contact,
        language=payload["language"],
        address=found.member.user.email,
    )
    choices = settings_of(tenant)
    return compose_message(tenant, choices, message, logo=logo_address(choices) if logo else "")


def example_message(
    tenant: Tenant,
    template: Template,
    account: Account,
    contact: Contact | None,
    *,
    language: str,
    address: str,
) -> Message:
    """A message that is not stored."""
    subject, body, language = text_in(template, language)
    return Message(
        tenant=tenant,
        pk=0,
        account=account,
        contact=contact,
        channel=Message.Channel.EMAIL,
        purpose=template.purpose,
        address=address,
        language=language,
        subject=subject,
        body=body,
        merged=values_of(tenant=tenant, account=account, contact=contact, language=language),
        created_at=timezone.now(),
    )
