"""Partitions of events (months) and event keys (weeks of receipt), made ahead and dropped when expired.

Run as `cs_migrate`: the serving roles own nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from accounts.fence.operations import fence_statements

# Weeks of receipt whose event ids are still known beside the current one: a repeat is recognised for 7 to 14 days.
KEPT_WEEKS = 1
MONTHS_AHEAD = 2
WEEKS_AHEAD = 2
PERMANENT = 0
RETENTION_CHUNK = 50_000


@dataclass
class Maintenance:
    """What one run made, dropped and deleted."""

    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: int = 0


def week_number(day: date) -> int:
    """The generation of keys received on this day: weeks since 1 January 1 (a Monday), never 0."""
    return (day.toordinal() - 1) // 7 + 1


def month_name(first: date) -> str:
    """The partition that holds a month."""
    return f"usage_event_y{first.year:04d}m{first.month:02d}"


def next_month(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def fence_partition(table: str) -> list[str]:
    """Fence a partition and leave it to its parent: nobody is granted it, since a direct query would pass the parent by."""
    statements = [s for s in fence_statements(table) if not s.startswith("GRANT")]
    return [*statements, f'REVOKE ALL ON "{table}" FROM cs_dispatch, cs_platform']


def maintain_partitions(connection: Any, today: date) -> Maintenance:
    """Make partitions around the data present and ahead, drop what has expired; each step is a transaction of its own."""
    done = Maintenance()
    with connection.cursor() as cursor:
        # Two maintainers at once would both make the same month.
        cursor.execute("SELECT pg_advisory_lock(hashtext('usage.partitions'))")
        try:
            _make_months(cursor, today, done)
            _make_weeks(cursor, today, done)
            _drop_weeks(cursor, today, done)
            _drop_months(cursor, today, done)
            _delete_expired(cursor, today, done)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('usage.partitions'))")
    return done


def _partitions(cursor: Any, parent: str) -> set[str]:
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent]
    )
    return {row[0] for row in cursor.fetchall()}


def _run(cursor: Any, statements: list[str]) -> None:
    """Several statements as one transaction."""
    with transaction.atomic(using=cursor.db.alias):
        for statement in statements:
            cursor.execute(statement)


def _make_months(cursor: Any, today: date, done: Maintenance) -> None:
    present = _partitions(cursor, "usage_event")
    cursor.execute(
        "SELECT DISTINCT date_trunc('month', day)::date FROM usage_event_default WHERE day BETWEEN %s AND %s",
        [today - timedelta(days=3660), today + timedelta(days=90)],
    )
    wanted = {row[0] for row in cursor.fetchall()}
    month = today.replace(day=1)
    for _ in range(MONTHS_AHEAD + 1):
        wanted.add(month)
        month = next_month(month)
    for first in sorted(wanted):
        name, end = month_name(first), next_month(first)
        if name in present:
            continue
        columns = (
            "tenant_id, id, account_id, contact_id, user_key, name, feature, occurred_at, day, received_at, source, key, "
            "by_membership, properties"
        )
        # The default partition may already hold rows of the month; they move before the new one is attached.
        _run(
            cursor,
            [
                "LOCK TABLE usage_event IN ACCESS EXCLUSIVE MODE",
                f"CREATE TABLE {name} (LIKE usage_event INCLUDING DEFAULTS)",
                f"WITH moved AS (DELETE FROM usage_event_default WHERE day >= '{first}' AND day < '{end}' "
                f"RETURNING {columns}) "
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM moved",
                f"ALTER TABLE usage_event ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')",
                *fence_partition(name),
            ],
        )
        done.made.append(name)


def _make_weeks(cursor: Any, today: date, done: Maintenance) -> None:
    present = _partitions(cursor, "usage_event_key")
    this_week = week_number(today)
    cursor.execute(
        "SELECT DISTINCT generation FROM usage_event_key_default WHERE generation BETWEEN %s AND %s",
        [this_week - KEPT_WEEKS, this_week + WEEKS_AHEAD],
    )
    wanted = {row[0] for row in cursor.fetchall()} | set(range(this_week, this_week + WEEKS_AHEAD + 1))
    for week in sorted(wanted):
        name = f"usage_event_key_g{week}"
        if name in present:
            continue
        _run(
            cursor,
            [
                "LOCK TABLE usage_event_key IN ACCESS EXCLUSIVE MODE",
                f"CREATE TABLE {name} (LIKE usage_event_key INCLUDING DEFAULTS)",
                f"WITH moved AS (DELETE FROM usage_event_key_default WHERE generation = {week} "
                "RETURNING tenant_id, key, generation) "
                f"INSERT INTO {name} (tenant_id, key, generation) SELECT tenant_id, key, generation FROM moved",
                f"ALTER TABLE usage_event_key ATTACH PARTITION {name} FOR VALUES IN ({week})",
                *fence_partition(name),
            ],
        )
        done.made.append(name)


def _drop_weeks(cursor: Any, today: date, done: Maintenance) -> None:
    oldest = week_number(today) - KEPT_WEEKS
    for name in sorted(_partitions(cursor, "usage_event_key")):
        suffix = name.removeprefix("usage_event_key_g")
        if suffix.isdigit() and PERMANENT < int(suffix) < oldest:
            _run(cursor, [f"DROP TABLE {name}"])
            done.dropped.append(name)
    cursor.execute(
        "DELETE FROM usage_event_key_default WHERE generation < %s AND generation <> %s", [oldest, PERMANENT]
    )
    done.deleted += cursor.rowcount


def _retention(cursor: Any) -> dict[int, int]:
    cursor.execute(
        "SELECT t.id, coalesce(s.raw_retention_days, 3650) FROM accounts_tenant t "
        "LEFT JOIN accounts_tenantsettings s ON s.tenant_id = t.id"
    )
    return dict(cursor.fetchall())


def _drop_months(cursor: Any, today: date, done: Maintenance) -> None:
    kept = _retention(cursor)
    if not kept:
        return
    oldest = month_name((today - timedelta(days=max(kept.values()))).replace(day=1))
    for name in sorted(_partitions(cursor, "usage_event")):
        if name.startswith("usage_event_y") and name < oldest:
            _run(cursor, [f"DROP TABLE {name}"])
            done.dropped.append(name)


def _delete_expired(cursor: Any, today: date, done: Maintenance) -> None:
    """Tenants with a shorter retention, and what lies in the default partition: rows go in chunks."""
    for tenant_id, days in _retention(cursor).items():
        limit = today - timedelta(days=days)
        while True:
            cursor.execute(
                "DELETE FROM usage_event WHERE tenant_id = %(tenant)s AND (day, id) IN (SELECT day, id FROM usage_event "
                "WHERE tenant_id = %(tenant)s AND day < %(limit)s LIMIT %(chunk)s) AND day < %(limit)s",
                {"tenant": tenant_id, "limit": limit, "chunk": RETENTION_CHUNK},
            )
            done.deleted += cursor.rowcount
            if cursor.rowcount < RETENTION_CHUNK:
                break
