"""Numbers that do not come from events: pushed values, and snapshots of the accounts' state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Account, Tenant
from usage.copying import copy_rows, escaped, number_array
from usage.drain.batches import wait_for_drain
from usage.matching import MAX_VALUE, rounded
from usage.models import Metric
from usage.state_sql import SNAPSHOT

_SLOT_TABLE = "account_id bigint, day date, slot integer, value double precision"
_PUSH_TABLE = "account_id bigint, metric_id bigint, day date, key text, value double precision"


@dataclass
class PushResult:
    """What became of pushed values."""

    created: int = 0
    updated: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)


ROWS_PER_WRITE = 50_000  # slots written by one statement


def write_state_values(
    *, tenant: Tenant, day: date, values: Mapping[str, Mapping[int, float | None]]
) -> None:
    """Write state metrics of a day: {metric key: {account id: value}}; None clears. Unknown keys raise KeyError."""
    slots = dict(
        Metric.objects.filter(tenant=tenant, kind=Metric.Kind.STATE, key__in=list(values)).values_list(
            "key", "slot"
        )
    )
    rows = [
        (account_id, day, slots[key], value)
        for key, column in values.items()
        for account_id, value in column.items()
    ]
    with connection.cursor() as cursor:
        _write_slots(cursor, tenant, rows)


def write_state_series(*, tenant: Tenant, key: str, rows: Sequence[tuple[int, date, float | None]]) -> None:
    """Write one state metric of many account-days, (account id, day, value); None clears. An unknown key raises KeyError."""
    metrics = Metric.objects.filter(tenant=tenant, kind=Metric.Kind.STATE, key=key)
    slot = dict(metrics.values_list("key", "slot"))[key]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_WRITE):
            part = rows[start : start + ROWS_PER_WRITE]
            _write_slots(cursor, tenant, [(account_id, day, slot, value) for account_id, day, value in part])


def write_slot(*, tenant: Tenant, day: date, slot: int, values: Mapping[int, float | None]) -> None:
    """Write one slot of a day: {account id: value}; None clears."""
    with connection.cursor() as cursor:
        _write_slots(cursor, tenant, [(account_id, day, slot, value) for account_id, value in values.items()])


def snapshot_state(*, tenant: Tenant, day: date, first_day: date | None = None) -> int:
    """Write what the accounts' state was at the end of each day `first_day`..`day`; returns how many account-days.

    Set-based, from tickets, invoices, seats and money as they were known by then. A tenant that never sent tickets (or
    invoices) has no value; one that did, and none is open, has 0.
    """
    metrics = {m.key: m for m in Metric.objects.filter(tenant=tenant, kind=Metric.Kind.STATE, active=True)}
    written = 0
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        current, now = first_day or day, timezone.now()
        rows: list[tuple[int, date, int | None, float | None]] = []
        while current <= day:
            cursor.execute(SNAPSHOT, _moment(tenant, current, now))
            names = [column.name for column in cursor.description]
            for record in cursor.fetchall():
                found = dict(zip(names, record, strict=True))
                account_id = found.pop("account_id")
                for key, value in found.items():
                    metric = metrics.get(key)
                    if metric is not None and metric.slot is not None:
                        number = None if value is None else rounded(float(value), metric.decimals)
                        rows.append((account_id, current, metric.slot, number))
                written += 1
            current += timedelta(days=1)
            if len(rows) >= ROWS_PER_WRITE or current > day:  # each write joins the whole table once
                _write_slots(cursor, tenant, rows)
                rows = []
    return written


def _moment(tenant: Tenant, day: date, now: datetime) -> dict[str, Any]:
    """The day and the moment it ended on the tenant's clock; of an unfinished day, now."""
    next_day = day + timedelta(days=1)
    end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=tenant.tz)
    return {"tenant": tenant.pk, "day": day, "at": min(end, now), "zone": tenant.timezone}


def push_metric_values(
    *,
    tenant: Tenant,
    items: Sequence[Mapping[str, Any]],
    source: str = "api",
    received_at: datetime | None = None,
) -> PushResult:
    """Store pushed values `{account_id, metric, day, value, key?}`; later ones of the same day replace earlier ones.

    An item of `metrics/bulk`: `account_id` is the external id, `day` a date or ISO text, `value` a number or None, which
    clears; `key` names a value of the metric's dimension.
    """
    received_at = received_at or timezone.now()
    accounts = _accounts(tenant, items)
    metrics = {m.key: m for m in Metric.objects.filter(tenant=tenant, kind=Metric.Kind.PUSHED, active=True)}
    result = PushResult()
    good: dict[tuple[int, int, date, str], float | None] = {}
    for index, item in enumerate(items):
        problem, place, value = _read_item(item, accounts, metrics, tenant.today())
        if problem or place is None:
            code, message = problem or ("invalid", "")
            result.rejected.append({"index": index, "code": code, "message": message})
        else:
            good[place] = value
    if good:
        with connection.cursor() as cursor:
            _store_pushed(cursor, tenant, good, received_at, result)
            _deliver(cursor, tenant, source, received_at, {place[1] for place in good})
            slots = {m.pk: m.slot for m in metrics.values()}
            plain = [(a, d, slots[m], v) for (a, m, d, key), v in good.items() if not key]
            _write_slots(cursor, tenant, plain)
    return result


def _accounts(tenant: Tenant, items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    wanted = {str(item.get("account_id")) for item in items if isinstance(item, Mapping)}
    found = Account.objects.filter(tenant=tenant, external_id__in=sorted(wanted))
    return dict(found.values_list("external_id", "id"))


Place = tuple[int, int, date, str]
Problem = tuple[str, str]


def _read_item(
    item: Any, accounts: dict[str, int], metrics: dict[str, Metric], today: date
) -> tuple[Problem | None, Place | None, float | None]:
    if not isinstance(item, Mapping):
        return ("invalid", "An item is an object."), None, None
    account_id, metric = accounts.get(str(item.get("account_id"))), metrics.get(str(item.get("metric")))
    if account_id is None:
        return ("unknown_account", "There is no account with this account_id."), None, None
    if metric is None:
        return ("unknown_metric", "There is no pushed metric with this key."), None, None
    day = item.get("day", today)
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day)
        except ValueError:
            return ("invalid", "day is a date such as 2026-03-31."), None, None
    if not isinstance(day, date) or not date(1970, 1, 1) <= day <= today + timedelta(days=1):
        return ("invalid", "day is a date that is not in the future."), None, None
    value, key = item.get("value"), item.get("key") or ""
    if not isinstance(key, str) or len(key) > 200 or "\x00" in key:
        return ("invalid", "key is a text of at most 200 characters."), None, None
    if value is None:
        return None, (account_id, metric.pk, day, key), None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ("invalid", "value is a number or null."), None, None
    if abs(value) > MAX_VALUE or not math.isfinite(value):
        return ("invalid", "value is too large."), None, None
    return None, (account_id, metric.pk, day, key), rounded(float(value), metric.decimals)


def _store_pushed(
    cursor: Any, tenant: Tenant, good: dict[Place, float | None], received_at: datetime, result: PushResult
) -> None:
    copy_rows(cursor, "pushed", _PUSH_TABLE, _push_lines(good))
    cursor.execute(
        "INSERT INTO usage_pushed_value AS p (tenant_id, account_id, metric_id, day, key, value, received_at) "
        "SELECT %s, account_id, metric_id, day, key, value, %s FROM pushed "
        "ON CONFLICT (tenant_id, account_id, metric_id, day, key) DO UPDATE "
        "SET value = excluded.value, received_at = excluded.received_at RETURNING (xmax = 0)",
        [tenant.pk, received_at],
    )
    fresh = [row[0] for row in cursor.fetchall()]
    result.created, result.updated = sum(fresh), len(fresh) - sum(fresh)
    cursor.execute(
        "DELETE FROM usage_dim_day d USING pushed p WHERE d.tenant_id = %s AND p.key <> '' AND p.value IS NULL "
        "AND d.account_id = p.account_id AND d.day = p.day AND d.metric_id = p.metric_id AND d.key = p.key",
        [tenant.pk],
    )
    cursor.execute(
        "INSERT INTO usage_dim_day (tenant_id, account_id, day, metric_id, key, value) "
        "SELECT %s, account_id, day, metric_id, key, value FROM pushed WHERE key <> '' AND value IS NOT NULL "
        "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = excluded.value",
        [tenant.pk],
    )


def _push_lines(good: dict[Place, float | None]) -> list[str]:
    return [
        "\t".join((str(a), str(m), d.isoformat(), escaped(key), "\\N" if value is None else repr(value)))
        for (a, m, d, key), value in sorted(good.items(), key=lambda pair: pair[0])
    ]


def _deliver(cursor: Any, tenant: Tenant, source: str, received_at: datetime, metric_ids: set[int]) -> None:
    """A push keeps its source fresh and says since when it delivers the metric."""
    cursor.execute(
        "INSERT INTO usage_source AS s (tenant_id, key, name, first_received_at, last_received_at, fresh_hours, "
        "keys_expire, events, duplicates, quarantined, unassigned, accounts_created) "
        "VALUES (%(tenant)s, %(key)s, %(key)s, %(at)s, %(at)s, 72, true, 0, 0, 0, 0, 0) "
        "ON CONFLICT (tenant_id, key) DO UPDATE SET last_received_at = greatest(s.last_received_at, %(at)s) RETURNING id",
        {"tenant": tenant.pk, "key": source, "at": received_at},
    )
    source_id = cursor.fetchone()[0]
    day = received_at.astimezone(tenant.tz).date()
    cursor.execute(
        "INSERT INTO usage_source_metric AS s (tenant_id, source_id, metric_id, first_on) "
        "SELECT %s, %s, m, %s FROM unnest(%s::bigint[]) AS m ON CONFLICT (tenant_id, source_id, metric_id) "
        "DO UPDATE SET first_on = least(s.first_on, excluded.first_on)",
        [tenant.pk, source_id, day, number_array(sorted(metric_ids))],
    )


def _write_slots(
    cursor: Any, tenant: Tenant, rows: Sequence[tuple[int, date, int | None, float | None]]
) -> None:
    """Assign single slots of account-days; days that have no row yet get one."""
    usable = [row for row in rows if row[2] is not None]
    if not usable:
        return
    slots = sorted({int(row[2]) for row in usable if row[2] is not None})
    copy_rows(
        cursor, "slot_value", _SLOT_TABLE,
        (f"{a}\t{d.isoformat()}\t{slot}\t{'NaN' if v is None else repr(v)}" for a, d, slot, v in usable),
    )  # fmt: skip
    # NaN marks a value to clear: NULL is "this row says nothing about that slot".
    pick = ", ".join(f"max(value) FILTER (WHERE slot = {slot})" for slot in slots)
    width = max(slots)
    places = ", ".join(
        f"nullif(v[{slots.index(n) + 1}], 'NaN')" if n in slots else "NULL" for n in range(1, width + 1)
    )
    assigned = ", ".join(
        f'"values"[{slot}] = CASE WHEN s.v[{place}] IS NULL THEN d."values"[{slot}] ELSE nullif(s.v[{place}], \'NaN\') END'
        for place, slot in enumerate(slots, 1)
    )
    source = f"(SELECT account_id, day, ARRAY[{pick}] AS v FROM slot_value GROUP BY 1, 2)"
    cursor.execute(
        f"UPDATE usage_day d SET {assigned} FROM {source} AS s "
        "WHERE d.tenant_id = %s AND d.account_id = s.account_id AND d.day = s.day",
        [tenant.pk],
    )
    cursor.execute(
        'INSERT INTO usage_day (tenant_id, account_id, day, "values") '
        f"SELECT %s, account_id, day, ARRAY[{places}]::double precision[] FROM {source} AS s "
        "WHERE EXISTS (SELECT 1 FROM unnest(s.v) AS x WHERE x <> 'NaN') "
        "ON CONFLICT (tenant_id, account_id, day) DO NOTHING",
        [tenant.pk],
    )
