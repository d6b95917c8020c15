"""Subscriptions, tickets and invoices from outside: rows with an id of their own that belong to an account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from accounts.models import Tenant

from .fields import Field
from .items import Change, Item, Outcome, read_items, rejections
from .resources import INVOICE_FIELDS, NEEDED_WHEN_NEW, SUBSCRIPTION_FIELDS, TICKET_FIELDS
from .rollup import roll_up_subscriptions
from .rows import (
    History,
    Row,
    Target,
    account_ids,
    existing_rows,
    fresh_row,
    hold,
    merged,
    new_ids,
    rows_by_id,
    write_rows,
)

SUBSCRIPTIONS = Target(
    "accounts_subscription",
    {
        "external_id": "text",
        "account_id": "bigint",
        "plan": "text",
        "seats": "integer",
        "mrr_cents": "bigint",
        "currency": "text",
        "starts_on": "date",
        "renews_on": "date",
        "ends_on": "date",
        "received_at": "timestamptz",
    },
    own=frozenset({"received_at"}),
    whole=("received_at",),  # a run for a past day asks what was known then
)
PAID = Target(  # what the roll-up writes on accounts
    "accounts_account",
    {"plan": "text", "currency": "text", "seats": "integer", "mrr_cents": "bigint", "renewal_on": "date"},
)
TICKETS = Target(
    "accounts_ticket",
    {
        "external_id": "text",
        "account_id": "bigint",
        "title": "text",
        "status": "text",
        "severity": "text",
        "opened_at": "timestamptz",
        "resolved_at": "timestamptz",
        "tags": "text[]",
        "requester": "text",
        "received_at": "timestamptz",
    },
    own=frozenset({"received_at"}),
    whole=("received_at",),  # a run for a past day asks what was known then
)
INVOICES = Target(
    "accounts_invoice",
    {
        "external_id": "text",
        "account_id": "bigint",
        "amount_cents": "bigint",
        "currency": "text",
        "due_on": "date",
        "paid_at": "timestamptz",
        "state": "text",
        "received_at": "timestamptz",
    },
    own=frozenset({"received_at"}),
    whole=("received_at",),  # a run for a past day asks what was known then
)


def upsert_subscriptions(*, tenant: Tenant, items: Sequence[Any], store: bool = True) -> Outcome:
    """Create or change subscriptions and bring plan, seats, MRR and renewal of their accounts up to date."""
    outcome, touched = _upsert(tenant, SUBSCRIPTIONS, SUBSCRIPTION_FIELDS, items, store)
    if not store:
        return outcome
    before = rows_by_id(tenant, PAID, touched)
    roll_up_subscriptions(tenant=tenant, account_ids=touched)
    after = rows_by_id(tenant, PAID, touched)
    rolled = []
    for pk, was in before.items():
        names = [name for name in PAID.columns if was[name] != after[pk][name]]
        if names:
            values = ({name: row[name] for name in names} for row in (was, after[pk]))
            rolled.append(Change(PAID.table, pk, *values))
    return replace(outcome, changes=(*outcome.changes, *rolled))


def upsert_tickets(*, tenant: Tenant, items: Sequence[Any], store: bool = True) -> Outcome:
    """Create or change tickets."""
    return _upsert(tenant, TICKETS, TICKET_FIELDS, items, store)[0]


def upsert_invoices(*, tenant: Tenant, items: Sequence[Any], store: bool = True) -> Outcome:
    """Create or change invoices."""
    return _upsert(tenant, INVOICES, INVOICE_FIELDS, items, store)[0]


def _upsert(
    tenant: Tenant, target: Target, fields: Sequence[Field], items: Sequence[Any], store: bool
) -> tuple[Outcome, list[int]]:
    """The outcome, and our ids of the accounts that rows belong to or belonged to before."""
    read = read_items(fields, items)
    hold(tenant)
    _find_accounts(tenant, read)
    keys: Iterable[str] = (i.values["external_id"] for i in read if "external_id" in i.values)
    rows = existing_rows(tenant, target, keys)
    _check_required(fields, read, set(rows))
    good = [item for item in read if not item.faults]
    fresh = list(dict.fromkeys(i.values["external_id"] for i in good if i.values["external_id"] not in rows))
    ids = dict(zip(fresh, new_ids(target, len(fresh)), strict=True))

    created = updated = same = 0
    changed: dict[str, Row] = {}
    touched: set[int] = set()
    history = History(target)
    now = timezone.now()
    for item in good:
        key = item.values["external_id"]
        row = rows.get(key)
        if row is None:
            row = fresh_row(fields, {}, id=ids[key], received_at=now, external_id="")
            rows[key] = row
            history.made(row)
            created += 1
        else:
            touched.add(row["account_id"])
            updated += 1
        if merged(fields, row, item, {}, history):
            changed[key] = row
        elif key not in changed:
            same += 1
        touched.add(row["account_id"])
    if store:
        write_rows(tenant, target, [changed[key] for key in sorted(changed)])
    changes = history.changes(changed.values())
    return Outcome(created, updated, rejections(read), same, changes), sorted(touched)


def _find_accounts(tenant: Tenant, items: Sequence[Item]) -> None:
    """Turn account_id into our id."""
    known = account_ids(tenant, (i.values["account_id"] for i in items if i.values.get("account_id")))
    for item in items:
        name = item.values.get("account_id")
        if name is None:
            continue
        if name in known:
            item.values["account_id"] = known[name]
        else:
            item.refuse("account_id", "unknown_account", f"there is no account “{name}”")


def _check_required(fields: Sequence[Field], items: Sequence[Item], existing: set[str]) -> None:
    """A change may leave out what a new row needs; two items about one new row may share it out."""
    begun = set(existing)
    for item in items:
        faulty = {fault.path for fault in item.faults}
        if "" in faulty:
            continue
        key = item.values.get("external_id")
        for field in fields:
            if not field.required or field.name in item.values or field.name in faulty:
                continue
            if field.name not in NEEDED_WHEN_NEW or key not in begun:
                item.refuse(field.name, "invalid", "is required")
        if key is not None and not item.faults:
            begun.add(key)
