"""Contacts from outside: found by user_id, else by e-mail address within their account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.attribution import contacts_joined
from accounts.models import Tenant

from .items import Item, Outcome, read_items, rejections
from .resources import CONTACT_FIELDS
from .rows import History, Row, Target, account_ids, fresh_row, hold, merged, new_ids, write_rows

TARGET = Target(
    "accounts_contact",
    {
        "user_id": "text",
        "account_id": "bigint",
        "email": "text",
        "name": "text",
        "roles": "text[]",
        "traits": "jsonb",
    },
    conflict="id",
    own=frozenset({"traits"}),
    whole=("traits",),
)
COLUMNS = ("id", "user_id", "account_id", "email", "name", "roles", "merged_into_id")
FIND_SQL = f"""
SELECT {", ".join(COLUMNS)} FROM accounts_contact
WHERE tenant_id = %(tenant)s
  AND (user_id = ANY(%(users)s) OR id = ANY(%(ids)s)
       OR (account_id = ANY(%(accounts)s) AND email <> '' AND merged_into_id IS NULL))
ORDER BY id FOR UPDATE
"""
JOIN_SQL = """
INSERT INTO accounts_contactmembership (tenant_id, contact_id, account_id, since, source)
SELECT %s, u.contact_id, u.account_id, %s, %s FROM unnest(%s::bigint[], %s::bigint[]) AS u(contact_id, account_id)
ON CONFLICT (tenant_id, contact_id, since) DO UPDATE SET account_id = excluded.account_id, source = excluded.source
"""


class Book:
    """The contacts that a list of items may mean."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_user: dict[str, Row] = {}
        self.by_address: dict[tuple[int, str], Row] = {}
        by_id = {row["id"]: row for row in rows}
        for row in rows:
            if row["merged_into_id"] is None:
                self.add(row)
            elif row["user_id"]:  # an alias: what is said about it is said about the contact it became
                self.by_user[row["user_id"]] = by_id.get(row["merged_into_id"], row)

    def add(self, row: Row) -> None:
        """Make a row findable; of several with one address the oldest is found."""
        if row["user_id"]:
            self.by_user.setdefault(row["user_id"], row)
        if row["email"] and row["account_id"]:
            self.by_address.setdefault((row["account_id"], row["email"].lower()), row)

    def find(self, item: Item) -> Row | None:
        """The row of the item's user; else of its address, unless that one has another user id."""
        user = item.values.get("user_id")
        if user and user in self.by_user:
            return self.by_user[user]
        account = item.values.get("account_id")
        email: str = item.values.get("email") or ""
        found = None if account is None else self.by_address.get((account, email))
        if found is not None and user and found["user_id"]:
            return None
        return found


def upsert_contacts(*, tenant: Tenant, items: Sequence[Any], store: bool = True) -> Outcome:
    """Create or change contacts, or only find what would become of them.

    One that comes to an account is noted on the timeline of memberships.
    """
    read = read_items(CONTACT_FIELDS, items)
    hold(tenant)
    _find_accounts(tenant, read)
    for item in read:
        values = item.values
        if (
            not item.faults
            and not values.get("user_id")
            and not (values.get("account_id") and values.get("email"))
        ):
            item.refuse("user_id", "invalid", "user_id, or account_id and email, must say who it is")
    good = [item for item in read if not item.faults]
    book = Book(_candidates(tenant, good))
    ids = iter(new_ids(TARGET, len(good)))

    created = updated = same = 0
    changed: dict[int, Row] = {}
    joined: dict[int, int] = {}
    history = History(TARGET)
    for item in good:
        row = book.find(item)
        if row is None:
            row = fresh_row(CONTACT_FIELDS, {}, id=next(ids))
            created += 1
            changed[row["id"]] = row
            history.made(row)
        else:
            updated += 1
            if row["user_id"] and item.values.get("user_id"):
                item.values["user_id"] = row["user_id"]  # it was found by an alias
        account = row["account_id"]
        if merged(CONTACT_FIELDS, row, item, {}, history):
            changed[row["id"]] = row
        elif row["id"] not in changed:
            same += 1
        if row["account_id"] != account and row["account_id"] is not None:
            joined[row["id"]] = row["account_id"]
        book.add(row)
    if store:
        _write(tenant, [changed[key] for key in sorted(changed)])
        join_accounts(tenant=tenant, joined=joined, source="api")
    return Outcome(created, updated, rejections(read), same, history.changes(changed.values()))


def _find_accounts(tenant: Tenant, items: Sequence[Item]) -> None:
    known = account_ids(tenant, (i.values["account_id"] for i in items if i.values.get("account_id")))
    for item in items:
        name = item.values.get("account_id")
        if name is None:
            continue
        if name in known:
            item.values["account_id"] = known[name]
        else:
            item.refuse("account_id", "unknown_account", f"there is no account “{name}”")


def _candidates(tenant: Tenant, items: Sequence[Item]) -> list[Row]:
    users = {i.values["user_id"] for i in items if i.values.get("user_id")}
    accounts = {i.values["account_id"] for i in items if i.values.get("account_id") and i.values.get("email")}
    rows = _find(tenant, users=sorted(users), accounts=sorted(accounts), ids=[])
    merged_into = {row["merged_into_id"] for row in rows} - {row["id"] for row in rows} - {None}
    return rows + (_find(tenant, users=[], accounts=[], ids=sorted(merged_into)) if merged_into else [])


def _find(tenant: Tenant, *, users: Sequence[str], accounts: Sequence[int], ids: Sequence[int]) -> list[Row]:
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "users": list(users),
        "accounts": list(accounts),
        "ids": list(ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND_SQL, params)
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def _write(tenant: Tenant, rows: Sequence[Row]) -> None:
    # Traits are not a field of the API: a new row starts with none, an old one keeps its own.
    write_rows(tenant, TARGET, [{**row, "traits": {}} for row in rows])


def join_accounts(*, tenant: Tenant, joined: Mapping[int, int], source: str) -> None:
    """Note that these contacts (ids) belong to these accounts (ids) from now on, and let those know who wait for it."""
    with connection.cursor() as cursor:
        cursor.execute(JOIN_SQL, [tenant.pk, timezone.now(), source, list(joined), list(joined.values())])
    contacts_joined(tenant=tenant, contact_ids=sorted(joined))
