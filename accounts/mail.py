"""Mail of the platform to its own people: one look for all of it, put on by an app above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from accounts.models import Tenant
from accounts.outbox import stable_id

EMAIL = "email"


@dataclass(frozen=True)
class Letter:
    """What a mail says, before it is dressed."""

    subject: str
    text: str
    language: str = "en"
    action_label: str = ""  # of a button, which the text part names as an address
    action_url: str = ""
    markup: str = (
        ""  # the text with headings and links, in which names are merge fields; else the text as it stands
    )
    values: Mapping[str, str] = field(default_factory=dict)


Dress = Callable[[Letter, Tenant | None], str]
_dress: str = ""


def register_dress(service: str) -> None:
    """Name the function `(letter, tenant) -> html` by its dotted path; called from an app's `ready()`."""
    global _dress
    _dress = service


def message_of(
    letter: Letter,
    *,
    tenant: Tenant | None,
    to: Sequence[str],
    message_id: str = "",
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """The mail with its text part and, where a look is registered, its HTML part."""
    text = letter.text.strip()
    if letter.action_url and letter.action_url not in text:
        text += f"\n\n{letter.action_url}"
    found = dict(headers or {})
    if message_id:
        found["Message-ID"] = f"<{message_id}@{mail_domain()}>"
    message = EmailMultiAlternatives(
        " ".join(letter.subject.split()), f"{text}\n", to=list(to), headers=found
    )
    if _dress:
        dress: Dress = import_string(_dress)
        message.attach_alternative(dress(letter, tenant), "text/html")
    return message


def mail_domain() -> str:
    """The right side of message ids: where this installation says mail comes from."""
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].strip("> ") or "localhost"


def compose_email(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> EmailMultiAlternatives:
    """The mail of an item of the kind `email`.

    `{"to": [...], "subject", "text", "language"?, "action_label"?, "action_url"?, "markup"?, "values"?}`
    """
    letter = Letter(
        payload["subject"],
        payload["text"],
        language=payload.get("language") or tenant.language,
        action_label=payload.get("action_label", ""),
        action_url=payload.get("action_url", ""),
        markup=payload.get("markup", ""),
        values=payload.get("values", {}),
    )
    return message_of(letter, tenant=tenant, to=payload["to"], message_id=stable_id(tenant, EMAIL, key))


def send_email(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler of the kind `email`."""
    compose_email(tenant, key, payload).send()
