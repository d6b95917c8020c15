"""A message to a contact as a mail: text, HTML, headers."""

from __future__ import annotations

from email.mime.image import MIMEImage
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from accounts.links import public_url
from accounts.mail import mail_domain
from accounts.models import Tenant
from accounts.outbox import stable_id
from accounts.sealing import unseal
from outreach.delivery import MESSAGE
from outreach.formatting import as_html, as_text
from outreach.mail.layout import Page, render
from outreach.mail.private import private_values
from outreach.mail.unsubscribing import make_token
from outreach.merge import merge
from outreach.models import Message, OutreachSettings
from outreach.models.messages import Purpose

LOGO_ID = "logo"


def compose_message(
    tenant: Tenant, choices: OutreachSettings, message: Message, *, logo: str = "", looked_at: bool = False
) -> EmailMultiAlternatives:
    """The mail as it leaves; one that is only `looked_at` has an address as its `logo` and no private links."""
    values = message.merged | private_values(tenant, message, looked_at=looked_at)
    action_url = message.action_url
    if message.sealed_url and not looked_at:
        action_url = unseal(message.sealed_url)
    subject = " ".join(merge(message.subject, values).split())
    unsubscribe = unsubscribe_url(tenant, message.address) if message.purpose == Purpose.ENGAGEMENT else ""
    body_text = as_text(message.body, values)
    parts = [body_text]
    if action_url:
        parts.append(action_url)
    parts.append("\n".join(["-- ", sender_name(tenant, choices), *foot_of(choices)]))
    if unsubscribe:
        parts.append(unsubscribe)
    mail = EmailMultiAlternatives(
        subject,
        "\n\n".join(parts) + "\n",
        from_email=from_address(tenant, choices),
        to=[message.address],
        reply_to=reply_to(choices, message),
        headers=headers_of(tenant, message, unsubscribe),
    )
    has_logo = choices.logo is not None
    mail.attach_alternative(
        render(
            Page(
                subject=subject,
                body=as_html(message.body, values),
                language=message.language,
                colour=tenant.brand_color,
                sender=sender_name(tenant, choices),
                logo=(logo or f"cid:{LOGO_ID}") if has_logo else "",
                action_url=action_url,
                unsubscribe_url=unsubscribe,
                preview=body_text[:120],
                foot=foot_of(choices),
            )
        ),
        "text/html",
    )
    if has_logo and not logo:
        picture = MIMEImage(bytes(choices.logo or b""), choices.logo_type.removeprefix("image/"))
        picture.add_header("Content-ID", f"<{LOGO_ID}>")
        picture.add_header("Content-Disposition", "inline", filename="logo")
        mail.attach(picture)
    # Providers hand this back with a bounce or a complaint, which is how it finds its tenant.
    mail.metadata = {"tenant": str(tenant.pk), "message": str(message.pk)}  # type: ignore[attr-defined]  # anymail's
    return mail


def headers_of(tenant: Tenant, message: Message, unsubscribe: str) -> dict[str, str]:
    """The id that every attempt carries, and how to leave (RFC 8058)."""
    key = str(message.pk)
    headers = {"Message-ID": f"<{stable_id(tenant, MESSAGE, key)}@{mail_domain()}>"}
    if unsubscribe:
        headers |= {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


def unsubscribe_url(tenant: Tenant, address: str) -> str:
    """The page where this address says that it wants no more."""
    return public_url("unsubscribe", token=make_token(tenant, address))


def sender_name(tenant: Tenant, choices: OutreachSettings) -> str:
    """Whom mail comes from."""
    return choices.from_name or tenant.name


def from_address(tenant: Tenant, choices: OutreachSettings) -> str:
    """The From header: the tenant's address, else the installation's, always under the tenant's name."""
    address = choices.from_email or str(settings.DEFAULT_FROM_EMAIL).rpartition("<")[2].strip("> ")
    return formataddr((sender_name(tenant, choices), address))


def reply_to(choices: OutreachSettings, message: Message) -> list[str]:
    """Where answers go: whoever sent it, the account's owner, or the address of the settings."""
    member = message.sender or (message.account.owner if choices.reply_to_owner else None)
    if member is not None and member.is_active:
        return [formataddr((str(member), member.user.email))]
    return [choices.reply_to] if choices.reply_to else []


def foot_of(choices: OutreachSettings) -> list[str]:
    """What stands under every mail."""
    return [choices.postal_address] if choices.postal_address else []
