"""Accounts from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.aliases import current_names
from accounts.custom_fields import check_items, declared_fields
from accounts.models import Membership, Tenant
from accounts.reactions import react_to_go_live

from .items import Item, Outcome, read_items, rejections
from .resources import ACCOUNT_FIELDS
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
    write_rows,
)

TARGET = Target(
    "accounts_account",
    {
        "external_id": "text",
        "name": "text",
        "name_search": "text",
        "owner_id": "bigint",
        "segment": "text",
        "stage": "text",
        "plan": "text",
        "plan_kind": "text",
        "seats": "integer",
        "volume_limit": "bigint",
        "mrr_cents": "bigint",
        "currency": "text",
        "go_live_on": "date",
        "renewal_on": "date",
        "churned_on": "date",
        "parent_id": "bigint",
        "touch_model": "text",
        "tags": "text[]",
        "targets": "jsonb",
        "custom": "jsonb",
        "first_seen_on": "date",
        "updated_at": "timestamptz",
    },
    own=frozenset({"name_search", "first_seen_on", "updated_at"}),
    whole=("first_seen_on",),
)
COLUMN_OF = {"owner_email": "owner_id"}
ANCESTORS_SQL = """
WITH RECURSIVE up AS (
  SELECT id, parent_id FROM accounts_account WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)
  UNION
  SELECT a.id, a.parent_id FROM accounts_account a JOIN up ON a.id = up.parent_id WHERE a.tenant_id = %(tenant)s
)
SELECT id, parent_id FROM up
"""


def upsert_accounts(*, tenant: Tenant, items: Sequence[Any], store: bool = True) -> Outcome:
    """Create or change accounts, or only find what would become of them; a parent may be another item of the list."""
    read = read_items(ACCOUNT_FIELDS, items)
    for item in read:
        if not item.faults and "external_id" not in item.values:
            item.refuse("external_id", "invalid", "is required")
    check_items(declared_fields(tenant), read)
    hold(tenant)
    _follow_merges(tenant, read)
    _find_owners(tenant, read)
    rows = existing_rows(tenant, TARGET, (i.values["external_id"] for i in read if not i.faults))
    ids = {key: row["id"] for key, row in rows.items()}
    good = [item for item in read if not item.faults]
    fresh = list(dict.fromkeys(i.values["external_id"] for i in good if i.values["external_id"] not in ids))
    ids |= dict(zip(fresh, new_ids(TARGET, len(fresh)), strict=True))
    _find_parents(tenant, good, ids)
    _refuse_orphans(good, ids, set(fresh))

    created = updated = same = 0
    changed: dict[str, Row] = {}
    gone_live: list[int] = []
    history = History(TARGET)
    today, now = tenant.today(), timezone.now()
    for item in good:
        if item.faults:
            continue
        key = item.values["external_id"]
        row = rows.get(key)
        if row is None:
            row = fresh_row(
                ACCOUNT_FIELDS, COLUMN_OF, id=ids[key], name=key, first_seen_on=today, external_id=""
            )
            rows[key] = row
            history.made(row)
            created += 1
        else:
            updated += 1
        went_live_on = row.get("go_live_on")
        if merged(ACCOUNT_FIELDS, row, item, COLUMN_OF, history):
            row["name"] = row["name"] or key
            row["name_search"], row["updated_at"] = row["name"].lower()[:200], now
            changed[key] = row
            if row.get("go_live_on") != went_live_on:
                gone_live.append(row["id"])
        elif key not in changed:
            same += 1
    if store:
        write_rows(tenant, TARGET, [changed[key] for key in sorted(changed)])
        if gone_live:
            react_to_go_live(tenant=tenant, account_ids=gone_live)
    return Outcome(created, updated, rejections(read), same, history.changes(changed.values()))


def _follow_merges(tenant: Tenant, items: Sequence[Item]) -> None:
    """What is said about an account that was merged is said about the one it went into."""
    names = current_names(tenant.pk, (i.values["external_id"] for i in items if not i.faults))
    for item in items:
        if not item.faults:
            item.values["external_id"] = names.get(item.values["external_id"], item.values["external_id"])


def _find_owners(tenant: Tenant, items: Sequence[Item]) -> None:
    """Turn owner_email into the member's id."""
    wanted = {i.values["owner_email"].lower() for i in items if i.values.get("owner_email")}
    members = dict(
        Membership.objects.filter(tenant=tenant, is_active=True, user__email__in=wanted).values_list(
            "user__email", "pk"
        )
    )
    for item in items:
        email = item.values.get("owner_email")
        if email is None:
            continue
        if email.lower() in members:
            item.values["owner_email"] = members[email.lower()]
        else:
            item.refuse("owner_email", "unknown_owner", f"“{email}” is not an active member")


def _find_parents(tenant: Tenant, items: Sequence[Item], ids: Mapping[str, int]) -> None:
    """Turn parent_id into our id; an account cannot be its own ancestor."""
    wanted = {i.values["parent_id"] for i in items if i.values.get("parent_id")}
    known = {**account_ids(tenant, wanted), **ids}
    parent_of: dict[int, int | None] = _ancestors(tenant, [known[one] for one in wanted if one in known])
    for item in items:
        name = item.values.get("parent_id")
        own = ids[item.values["external_id"]]
        if name is None:
            if "parent_id" in item.values:
                parent_of[own] = None
            continue
        if name not in known:
            item.refuse("parent_id", "unknown_parent", f"there is no account “{name}”")
        elif _is_above(own, known[name], parent_of):
            item.refuse("parent_id", "invalid", "the account would be its own ancestor")
        else:
            item.values["parent_id"] = parent_of[own] = known[name]


def _refuse_orphans(items: Sequence[Item], ids: Mapping[str, int], fresh: set[str]) -> None:
    """Refuse what has a parent that this list would have made, had it not been refused itself; and so on downwards."""
    name_of = {ids[name]: name for name in fresh}
    while True:
        made = {item.values["external_id"] for item in items if not item.faults}
        lost = {pk for pk, name in name_of.items() if name not in made}
        orphans = [item for item in items if not item.faults and item.values.get("parent_id") in lost]
        for item in orphans:
            name = name_of[item.values["parent_id"]]
            item.refuse("parent_id", "unknown_parent", f"there is no account “{name}”")
        if not orphans:
            return


def _ancestors(tenant: Tenant, ids: Sequence[int]) -> dict[int, int | None]:
    with connection.cursor() as cursor:
        cursor.execute(ANCESTORS_SQL, {"tenant": tenant.pk, "ids": list(ids)})
        return dict(cursor.fetchall())


def _is_above(own: int, start: int, parent_of: Mapping[int, int | None]) -> bool:
    """Whether the way up from `start` meets `own`."""
    seen: set[int] = set()
    step: int | None = start
    while step is not None and step not in seen:
        if step == own:
            return True
        seen.add(step)
        step = parent_of.get(step)
    return False
