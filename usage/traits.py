"""What identify and group calls say of people and accounts, in the words of our columns."""

from __future__ import annotations

from typing import Any

MAX_TRAITS = 100
_SHORT = 200


def _text(value: Any, limit: int = _SHORT) -> str:
    return value.strip()[:limit] if isinstance(value, str) else ""


def contact_columns(traits: dict[str, Any]) -> tuple[str, str, list[str]]:
    """E-mail address, name and roles of a person; empty where nothing is said."""
    name = _text(traits.get("name"))
    if not name:
        first = _text(traits.get("firstName") or traits.get("first_name"))
        last = _text(traits.get("lastName") or traits.get("last_name"))
        name = f"{first} {last}".strip()[:_SHORT]
    role = _text(traits.get("role"), 50).lower()
    return _text(traits.get("email"), 254), name, [role] if role else []


def account_columns(traits: dict[str, Any]) -> tuple[str, str, int | None]:
    """Name, plan and MRR in cents of an account; empty where nothing is said."""
    mrr = traits.get("mrr")
    cents = None
    if isinstance(mrr, int | float) and not isinstance(mrr, bool) and 0 <= mrr < 1e12:
        cents = round(mrr * 100)
    return _text(traits.get("name")), _text(traits.get("plan"), 100), cents


def kept(traits: dict[str, Any]) -> dict[str, Any]:
    """The traits that are stored as they are: a bounded number of them."""
    return dict(list(traits.items())[:MAX_TRAITS])
