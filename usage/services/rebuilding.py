"""Rollups made anew from raw events, and the check that they need not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job
from usage.copying import number_array
from usage.definitions import load_features, load_plan, register_features
from usage.drain.batches import wait_for_drain
from usage.matching import FeatureBook, Plan, normal
from usage.raw import by_day, roll_up_raw
from usage.rollup import DayCell
from usage.rollup_tables import replace_rollup

CHUNK_DAYS = 31
KIND = "usage_rebuild"
AT_ONCE_EVENTS = 50_000  # so many are added up again while a person waits; more become a job
Days = tuple[date, date]


@dataclass
class Check:
    """What the check job found: account-days looked at, and those whose rollup differs from raw events."""

    checked: int = 0
    differing: list[tuple[int, date]] = field(default_factory=list)


def rebuild(*, tenant: Tenant, account_ids: Sequence[int] | None = None, days: Days | None = None) -> int:
    """Make the rollups anew from raw events, a month at a time; returns how many account-days there are.

    One operation for edited definitions, a changed time zone and repairs. The caller has the scope open.
    """
    rebuilt = 0
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        plan, book = load_plan(), load_features()
        _register_all(cursor, tenant, book)
        for first, last in _months(cursor, tenant, days):
            scope, params = _scope(account_ids, (first, last))
            rollup = roll_up_raw(cursor, tenant.pk, plan, book, scope, params, by_day)
            replace_rollup(cursor, tenant.pk, plan, rollup, scope, params)
            rebuilt += len(rollup.days)
    return rebuilt


def rebuild_now_or_later(*, tenant: Tenant, requested_by: Membership | None = None) -> Job | None:
    """Rebuild at once where that is quick, else as a job with visible progress; returns the job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM usage_event WHERE tenant_id = %s LIMIT %s) AS e",
            [tenant.pk, AT_ONCE_EVENTS + 1],
        )
        (events,) = cursor.fetchone()
    if events <= AT_ONCE_EVENTS:
        rebuild(tenant=tenant)
        return None
    return enqueue_job(tenant=tenant, kind=KIND, key="all", requested_by=requested_by, again=True)


def spans_with_data(*, tenant: Tenant) -> list[Days]:
    """Spans of days that have events or rollups, each small enough for one transaction."""
    with connection.cursor() as cursor:
        return _months(cursor, tenant, None)


def redate(*, tenant: Tenant) -> int:
    """Put every event on its day in the tenant's present time zone and rebuild; returns how many events moved."""
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        cursor.execute(
            "UPDATE usage_event SET day = (occurred_at AT TIME ZONE %(zone)s)::date WHERE tenant_id = %(tenant)s "
            "AND day <> (occurred_at AT TIME ZONE %(zone)s)::date",
            {"zone": tenant.timezone, "tenant": tenant.pk},
        )
        moved = cursor.rowcount
        cursor.execute(
            "UPDATE accounts_account a SET first_seen_on = f.day FROM (SELECT account_id, min(day) AS day "
            "FROM usage_event WHERE tenant_id = %(tenant)s AND account_id IS NOT NULL GROUP BY 1) f "
            "WHERE a.tenant_id = %(tenant)s AND a.id = f.account_id AND a.first_seen_on IS DISTINCT FROM f.day",
            {"tenant": tenant.pk},
        )
    rebuild(tenant=tenant)
    return int(moved)


def verify_rollups(
    *, tenant: Tenant, days: Days | None = None, account_ids: Sequence[int] | None = None
) -> Check:
    """Compare rollups with what raw events add up to; changes nothing. The caller has the scope open."""
    check = Check()
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        plan, book = load_plan(), load_features()
        for span in _months(cursor, tenant, days):
            scope, params = _scope(account_ids, span)
            _compare(cursor, tenant, plan, book, scope, params, check)
    return check


def _compare(
    cursor: Any,
    tenant: Tenant,
    plan: Plan,
    book: FeatureBook,
    scope: str,
    params: dict[str, Any],
    check: Check,
) -> None:
    rollup = roll_up_raw(cursor, tenant.pk, plan, book, scope, params, by_day)
    fed = [
        d.slot for d in plan.definitions if d.slot is not None and d.kind not in ("pushed", "state", "sql")
    ]
    params = params | {"tenant": tenant.pk}
    cursor.execute(
        f'SELECT account_id, day, "values" FROM usage_day d WHERE d.tenant_id = %(tenant)s AND {scope}',
        params,
    )
    kept_days = {
        (a, day): [values[slot - 1] if slot <= len(values) else None for slot in fed]
        for a, day, values in cursor.fetchall()
    }
    cursor.execute(
        "SELECT account_id, day, contact_id, events, features, metrics FROM usage_user_day d "
        f"WHERE d.tenant_id = %(tenant)s AND {scope}",
        params,
    )
    kept_users = {((a, day), c): [n, set(f), set(m)] for a, day, c, n, f, m in cursor.fetchall()}
    cells = set(kept_days) | set(rollup.days)
    bad: set[DayCell] = set()
    for cell in cells:
        raw = rollup.days.get(cell)
        expected = [None] * len(fed) if raw is None else [raw[slot - 1] for slot in fed]
        if kept_days.get(cell, [None] * len(fed)) != expected:
            bad.add(cell)
    for user in set(kept_users) | set(rollup.users):
        if kept_users.get(user) != rollup.users.get(user):
            bad.add(user[0])
    check.checked += len(cells)
    check.differing += sorted(bad)


def forget_accounts(*, tenant: Tenant, account_ids: Sequence[int]) -> None:
    """Delete everything that usage knows of these accounts; for whoever deletes the accounts."""
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        for table in ("usage_event", "usage_day", "usage_user_day", "usage_dim_day", "usage_pushed_value"):
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %s AND account_id = ANY(%s::bigint[])",
                [tenant.pk, number_array(account_ids)],
            )


def _register_all(cursor: Any, tenant: Tenant, book: FeatureBook) -> None:
    cursor.execute(
        "SELECT DISTINCT coalesce(feature, name) FROM usage_event WHERE tenant_id = %s ORDER BY 1",
        [tenant.pk],
    )
    labels = [row[0] for row in cursor.fetchall()]
    register_features(
        cursor, tenant.pk, book, {normal(label): label for label in labels if book.known(label) is None}
    )


def _months(cursor: Any, tenant: Tenant, days: Days | None) -> list[Days]:
    """The days that have events or rollups, in spans that fit into memory."""
    cursor.execute(
        "SELECT least((SELECT min(day) FROM usage_event WHERE tenant_id = %(t)s), "
        "(SELECT min(day) FROM usage_day WHERE tenant_id = %(t)s)), "
        "greatest((SELECT max(day) FROM usage_event WHERE tenant_id = %(t)s), "
        "(SELECT max(day) FROM usage_day WHERE tenant_id = %(t)s))",
        {"t": tenant.pk},
    )
    first, last = cursor.fetchone()
    if first is None:
        return []
    if days is not None:
        first, last = max(first, days[0]), min(last, days[1])
    spans = []
    while first <= last:
        end = min(first + timedelta(days=CHUNK_DAYS - 1), last)
        spans.append((first, end))
        first = end + timedelta(days=1)
    return spans


def _scope(account_ids: Sequence[int] | None, days: Days) -> tuple[str, dict[str, Any]]:
    scope, params = "d.day BETWEEN %(first)s AND %(last)s", {"first": days[0], "last": days[1]}
    if account_ids is not None:
        scope += " AND d.account_id = ANY(%(ids)s::bigint[])"
        return scope, params | {"ids": number_array(account_ids)}
    return scope, params
