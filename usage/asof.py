"""What was known when: relations of account-days for tonight's run and for runs of past days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from accounts.models import Tenant

from .copying import copy_rows, float_array, number_array
from .days import Calendar
from .definitions import load_features, load_plan
from .matching import Plan
from .raw import by_day, by_receipt, roll_up_raw
from .rollup import ReceiptCell, Rollup

_DAY = 'tenant_id bigint, account_id bigint, day date, known_on date, "values" double precision[]'
EVERY_ACCOUNT = 2**63 - 1
_USER = (
    "tenant_id bigint, account_id bigint, contact_id bigint, day date, known_on date, events integer, features bigint[], "
    "metrics bigint[]"
)


@dataclass(frozen=True)
class AsOfRelations:
    """Two relations to write after FROM, with the columns of `usage_day` and `usage_user_day` and `known_on`.

    Of one account-day there may be a row for each day on which more of it became known. Sums and distinct counts go over
    all rows with `known_on <= D`; the largest value is the largest of them; the last value is that of the row with the
    latest day and then the latest `known_on`.
    """

    day_table: str
    user_day_table: str


_LATE_SQL = """
SELECT EXISTS (
  SELECT 1 FROM usage_event e WHERE e.tenant_id = %(tenant)s AND e.day BETWEEN %(first)s AND %(last)s
    AND e.account_id BETWEEN %(from)s AND %(to)s
    AND (e.received_at >= %(cutoff)s OR (e.received_at AT TIME ZONE %(zone)s)::date > e.day)
) OR EXISTS (
  SELECT 1 FROM usage_pushed_value p WHERE p.tenant_id = %(tenant)s AND p.day BETWEEN %(first)s AND %(last)s
    AND p.account_id BETWEEN %(from)s AND %(to)s
    AND (p.received_at >= %(cutoff)s OR (p.received_at AT TIME ZONE %(zone)s)::date > p.day)
)
"""


def _nothing_was_late(
    tenant: Tenant, days: tuple[date, date], cutoff: datetime, accounts: tuple[int, int]
) -> bool:
    """Whether every event and pushed value of these days came on its own day and before the cutoff."""
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "first": days[0],
        "last": days[1],
        "from": accounts[0],
        "to": accounts[1],
        "cutoff": cutoff,
        "zone": tenant.timezone,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LATE_SQL, params)
        return not cursor.fetchone()[0]


def relations(
    *,
    tenant: Tenant,
    days: tuple[date, date],
    cutoff: datetime | None,
    accounts: tuple[int, int] | None = None,
) -> AsOfRelations:
    """The relations for reading these days, both included; one call serves every day of a run.

    Without a cutoff they are the live rollups, and with one too where everything was received on the day it happened: the
    two are the same then, and adding up raw events is by far the dearer. Else they are temporary tables, made from the raw
    events, pushed values and state snapshots of those days that had been received by then (of a range of accounts, both ends
    included, where one is given: a year of raw events of all of them may not fit into memory). They end with the
    transaction.
    """
    if cutoff is None or _nothing_was_late(tenant, days, cutoff, accounts or (0, EVERY_ACCOUNT)):
        return AsOfRelations(
            f'(SELECT tenant_id, account_id, day, day AS known_on, "values" FROM usage_day '
            f"WHERE tenant_id = {int(tenant.pk)})",
            "(SELECT tenant_id, account_id, contact_id, day, day AS known_on, events, features, metrics "
            f"FROM usage_user_day WHERE tenant_id = {int(tenant.pk)})",
        )
    plan, calendar = load_plan(), Calendar(tenant.tz)
    span = accounts or (0, EVERY_ACCOUNT)
    rows: dict[ReceiptCell, list[float | None]] = {}
    with connection.cursor() as cursor:
        rollup = _events_by_receipt(cursor, tenant, plan, calendar, days, cutoff, span)
        _carry_last(plan, rollup)
        rows.update(rollup.days)
        _add_pushed(cursor, tenant, plan, calendar, days, cutoff, span, rows)
        _add_state(cursor, tenant, plan, days, span, rows)
        copy_rows(
            cursor, "asof_day", _DAY,
            (
                f"{tenant.pk}\t{a}\t{day.isoformat()}\t{known.isoformat()}\t{float_array(values)}"
                for (a, day, known), values in sorted(rows.items())
            ),
        )  # fmt: skip
        copy_rows(cursor, "asof_user_day", _USER, _user_lines(tenant, rollup))
        cursor.execute("ANALYZE asof_day, asof_user_day")
    return AsOfRelations("asof_day", "asof_user_day")


def _user_lines(tenant: Tenant, rollup: Rollup[ReceiptCell]) -> Iterator[str]:
    for ((account, day, known), contact), (events, features, metrics) in rollup.users.items():
        yield (
            f"{tenant.pk}\t{account}\t{contact}\t{day.isoformat()}\t{known.isoformat()}\t{events}\t"
            f"{number_array(sorted(features))}\t{number_array(sorted(metrics))}"
        )


def _events_by_receipt(
    cursor: Any,
    tenant: Tenant,
    plan: Plan,
    calendar: Calendar,
    days: tuple[date, date],
    cutoff: datetime,
    span: tuple[int, int],
) -> Rollup[ReceiptCell]:
    scope = (
        "d.day BETWEEN %(first)s AND %(last)s AND d.received_at < %(cutoff)s "
        "AND d.account_id BETWEEN %(from)s AND %(to)s"
    )
    params = {"first": days[0], "last": days[1], "cutoff": cutoff, "from": span[0], "to": span[1]}
    return roll_up_raw(cursor, tenant.pk, plan, load_features(), scope, params, by_receipt(calendar))


def _carry_last(plan: Plan, rollup: Rollup[ReceiptCell]) -> None:
    """The last value of a day as it was known on each day of receipt: an older event that came later changes nothing."""
    slots = [d.slot - 1 for d in plan.definitions if d.kind == "last" and d.slot]
    if not slots:
        return
    known_of: dict[tuple[int, date], list[date]] = defaultdict(list)
    for account, day, known in rollup.days:
        known_of[(account, day)].append(known)
    for (account, day), knowns in known_of.items():
        for slot in slots:
            best: tuple[Any, float | None] | None = None
            for known in sorted(knowns):
                cell = (account, day, known)
                stamp = rollup.lasts.get((cell, slot))
                if stamp is not None and (best is None or stamp > best[0]):
                    best = (stamp, rollup.days[cell][slot])
                if best is not None:
                    rollup.days[cell][slot] = best[1]


def _row(plan: Plan, rows: dict[ReceiptCell, list[float | None]], key: ReceiptCell) -> list[float | None]:
    values = rows.get(key)
    if values is None:
        values = rows[key] = [None] * plan.width
    return values


def _add_pushed(
    cursor: Any,
    tenant: Tenant,
    plan: Plan,
    calendar: Calendar,
    days: tuple[date, date],
    cutoff: datetime,
    span: tuple[int, int],
    rows: dict[ReceiptCell, list[float | None]],
) -> None:
    """Pushed values received by then."""
    slots = {d.id: d.slot for d in plan.definitions if d.kind == "pushed" and d.slot}
    if not slots:
        return
    cursor.execute(
        "SELECT account_id, metric_id, day, value, received_at FROM usage_pushed_value WHERE tenant_id = %s "
        "AND metric_id = ANY(%s::bigint[]) AND day BETWEEN %s AND %s AND received_at < %s AND key = '' "
        "AND value IS NOT NULL AND account_id BETWEEN %s AND %s",
        [tenant.pk, number_array(slots), *days, cutoff, *span],
    )
    for account, metric_id, day, value, received_at in cursor.fetchall():
        known = max(day, calendar.day(received_at))
        _row(plan, rows, (account, day, known))[slots[metric_id] - 1] = value


def _add_state(
    cursor: Any,
    tenant: Tenant,
    plan: Plan,
    days: tuple[date, date],
    span: tuple[int, int],
    rows: dict[ReceiptCell, list[float | None]],
) -> None:
    """State snapshots were taken on their day."""
    slots = [d.slot for d in plan.definitions if d.kind in ("state", "sql") and d.slot]
    if not slots:
        return
    picked = ", ".join(f'"values"[{slot}]' for slot in slots)
    cursor.execute(
        f"SELECT account_id, day, {picked} FROM usage_day WHERE tenant_id = %s AND day BETWEEN %s AND %s "
        f"AND account_id BETWEEN %s AND %s AND num_nonnulls({picked}) > 0",
        [tenant.pk, *days, *span],
    )
    for account, day, *values in cursor.fetchall():
        row = _row(plan, rows, (account, day, day))
        for slot, value in zip(slots, values, strict=True):
            if value is not None:
                row[slot - 1] = value


def dimension_rows(
    *,
    tenant: Tenant,
    days: tuple[date, date],
    cutoff: datetime | None,
    account_ids: Sequence[int],
    metric_ids: Sequence[int],
) -> list[tuple[int, date, int, str, float]]:
    """Numbers that are kept apart by a dimension: (account, day, metric, key, value), as they were known.

    Without a cutoff they are the live ones; else they are added up from the raw events and pushed values of these accounts
    that had been received by then.
    """
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "first": days[0],
        "last": days[1],
        "cutoff": cutoff,
        "ids": list(account_ids),
        "metrics": list(metric_ids),
    }
    with connection.cursor() as cursor:
        if cutoff is None:
            cursor.execute(_LIVE_DIMENSIONS_SQL, params)
            return list(cursor.fetchall())
        scope = "d.day BETWEEN %(first)s AND %(last)s AND d.received_at < %(cutoff)s AND d.account_id = ANY(%(ids)s)"
        rollup = roll_up_raw(cursor, tenant.pk, load_plan(), load_features(), scope, params, by_day)
        cursor.execute(_PUSHED_DIMENSIONS_SQL, params)
        pushed: list[tuple[int, date, int, str, float]] = cursor.fetchall()
    wanted = set(metric_ids)
    events = [
        (account, day, metric, key, value)
        for ((account, day), metric, key), value in rollup.dimensions.items()
        if metric in wanted
    ]
    return sorted(events + pushed)


_LIVE_DIMENSIONS_SQL = """
SELECT account_id, day, metric_id, key, value FROM usage_dim_day
WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s) AND metric_id = ANY(%(metrics)s)
  AND day BETWEEN %(first)s AND %(last)s ORDER BY 1, 2, 3, 4
"""
_PUSHED_DIMENSIONS_SQL = """
SELECT account_id, day, metric_id, key, value FROM usage_pushed_value
WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s) AND metric_id = ANY(%(metrics)s) AND key <> ''
  AND value IS NOT NULL AND day BETWEEN %(first)s AND %(last)s AND received_at < %(cutoff)s
"""
