"""The text that the library's search looks in."""

from __future__ import annotations

from accounts.models import Account


def search_text(account: Account, *words: str) -> str:
    """Name and words of a reference in lower case."""
    return " ".join([account.name, *(word for word in words if word)]).lower()
