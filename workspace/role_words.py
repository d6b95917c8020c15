"""Roles of contacts in the reader's language."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

ROLE_WORDS = {
    "champion": pgettext_lazy("role of a contact", "Champion"),
    "decision maker": pgettext_lazy("role of a contact", "Decision maker"),
    "billing": pgettext_lazy("role of a contact", "Billing"),
    "admin": pgettext_lazy("role of a contact", "Administrator"),
    "user": pgettext_lazy("role of a contact", "User"),
}
