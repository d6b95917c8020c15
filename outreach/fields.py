"""The merge fields that every text may use, and what they stand for at an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import formats, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Contact, Membership, Tenant
from outreach.merge import UnknownField, check_text

FIELDS: dict[str, str | Promise] = {
    "account.name": gettext_lazy("Name of the account"),
    "account.external_id": gettext_lazy("External id of the account"),
    "account.plan": gettext_lazy("Plan"),
    "account.segment": gettext_lazy("Segment"),
    "account.seats": gettext_lazy("Seats"),
    "account.renewal_on": gettext_lazy("Date of renewal"),
    "account.go_live_on": gettext_lazy("Date of go-live"),
    "contact.name": gettext_lazy("Full name of the contact"),
    "contact.first_name": gettext_lazy("First name of the contact"),
    "contact.email": gettext_lazy("E-mail address of the contact"),
    "owner.name": gettext_lazy("Name of the owner"),
    "owner.first_name": gettext_lazy("First name of the owner"),
    "owner.email": gettext_lazy("E-mail address of the owner"),
    "sender.name": gettext_lazy("Name of whoever sends it"),
    "tenant.name": gettext_lazy("Name of your company"),
}


def check_merge_fields(*texts: str, also: Iterable[str] = ()) -> None:
    """Raise a ValidationError that names the first field nobody knows; `also` are fields that the caller brings."""
    known = {*FIELDS, *also}
    for text in texts:
        try:
            check_text(text, known)
        except UnknownField as error:
            raise ValidationError(
                _("“%(field)s” is not a merge field. These are: %(known)s.")
                % {"field": error.field, "known": ", ".join(error.known)},
                code="unknown_field",
            ) from error


def flat(context: Mapping[str, Any] | None) -> dict[str, str]:
    """What a caller brings, by name: `{"play": {"name": "x"}}` and `{"play.name": "x"}` are the same."""
    found: dict[str, str] = {}
    for name, value in (context or {}).items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": text_of(inner) for key, inner in value.items()}
        else:
            found[name if "." in name else f"context.{name}"] = text_of(value)
    return found


def text_of(value: Any) -> str:
    """A value in the language that is on: dates and numbers as people write them."""
    if value is None:
        return ""
    if hasattr(value, "year"):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, bool | int | float):
        return str(formats.localize(value))
    return str(value)


def first_name(name: str) -> str:
    """The first word of a name; an address is no name."""
    word = name.split(" ")[0] if name else ""
    return "" if "@" in word else word


def values_of(
    *,
    tenant: Tenant,
    account: Account,
    contact: Contact | None,
    sender: Membership | None = None,
    context: Mapping[str, Any] | None = None,
    language: str,
) -> dict[str, str]:
    """What each field stands for, in this language."""
    owner = account.owner if account.owner is not None and account.owner.is_active else None
    signs = sender or owner
    with translation.override(language):
        found = {
            f"account.{name}": text_of(getattr(account, name))
            for name in ("name", "external_id", "plan", "segment", "seats", "renewal_on", "go_live_on")
        }
        found |= flat(context)
    found |= {
        "contact.name": contact.name if contact else "",
        "contact.first_name": first_name(contact.name) if contact else "",
        "contact.email": contact.email if contact else "",
        "owner.name": str(owner) if owner else "",
        "owner.first_name": first_name(str(owner)) if owner else "",
        "owner.email": owner.user.email if owner else "",
        "sender.name": str(signs) if signs else tenant.name,
        "tenant.name": tenant.name,
    }
    return found
