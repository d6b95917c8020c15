"""Customers from outside: lists of items become rows, each item stored or rejected with every reason."""

from .accounts import upsert_accounts
from .billing import upsert_invoices, upsert_subscriptions, upsert_tickets
from .contacts import upsert_contacts
from .items import MAX_ITEMS, Outcome, Rejection
from .rollup import roll_up_subscriptions

__all__ = [
    "MAX_ITEMS",
    "Outcome",
    "Rejection",
    "roll_up_subscriptions",
    "upsert_accounts",
    "upsert_contacts",
    "upsert_invoices",
    "upsert_subscriptions",
    "upsert_tickets",
]
