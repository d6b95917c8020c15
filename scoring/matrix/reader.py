"""One pass over the rollups: a statement for the daily values, one for activity, one for each distinct count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from .accounts import AccountFacts
from .columns import ACTIVITY, CONTACTS, ZERO_WHEN_SILENT, Array, Column, MetricFacts, plan_columns
from .contacts import DayRange, count_distinct
from .spans import DayRows, SlidingColumns, Span


@dataclass(frozen=True)
class MatrixRequest:
    """What to read: accounts and days (rising), from these relations, which metrics are there and delivered when."""

    tenant_id: int
    accounts: AccountFacts
    days: tuple[date, ...]
    metrics: Mapping[str, MetricFacts]
    delivered: Sequence[frozenset[int]]  # for each day: ids of metrics that a fresh source delivers
    day_table: str
    user_day_table: str
    late_rows: bool = False


def read_matrix(request: MatrixRequest, sources: Sequence[Any]) -> Array:
    """Days × accounts × measures; NaN is missing, silence is zero (see `_silence`)."""
    columns = plan_columns(sources, dict(request.metrics))
    out = np.full((len(request.days), len(request.accounts), len(columns)), np.nan)
    if not len(request.accounts) or not request.days:
        return out
    readable = [column for column in columns if column.metric]
    activity = [column for column in readable if column.source.aggregate in ACTIVITY]
    contacts = [column for column in readable if column.source.aggregate in CONTACTS]
    daily = [column for column in readable if column not in activity and column not in contacts]
    if len(request.days) > 1:
        _read_many_days(request, [*daily, *activity], out)
    elif request.late_rows:
        _read_day(request, daily, out, request.day_table)
        _read_day(request, activity, out, _active_rows(request, activity))
    else:  # a day has one row: reading is what costs, so the rows are read once for both
        everything = _everything(request)
        both = [*daily, *activity] if everything else daily
        _read_day(request, both, out, request.day_table, f'u."values"[{everything}] > 0')
    where = DayRange(
        request.user_day_table, request.tenant_id, request.accounts, request.days, request.late_rows
    )
    count_distinct(contacts, where, out)
    for column in readable:
        _silence(request, column, out[:, :, column.position])
    return out


def _everything(request: MatrixRequest) -> int:
    """The slot that counts all events: a day is active when it is above zero."""
    return next((int(m.slot) for m in request.metrics.values() if m.kind == "all_events" and m.slot), 0)


def _active_rows(request: MatrixRequest, activity: Sequence[Column]) -> str:
    """The days on which an account did anything, one row each, where late events make several rows of a day."""
    slot = _everything(request)
    if not activity or not slot:
        return ""
    return (
        f"(SELECT tenant_id, account_id, day, min(known_on) AS known_on FROM {request.day_table} "
        f'WHERE tenant_id = %(tenant)s AND "values"[{slot}] > 0 GROUP BY 1, 2, 3)'
    )


def _read_day(
    request: MatrixRequest, columns: Sequence[Column], out: Array, rows: str, active: str = ""
) -> None:
    """Aggregates of the account-days in each measure's window, for one day."""
    if not columns or not rows:
        return
    expressions = [(column, column.expressions(request.late_rows, active)) for column in columns]
    window = max(column.look_back for column in columns)
    known = " AND u.known_on <= d.day" if request.late_rows else ""
    sql = f"""
        SELECT (d.at - 1)::int, x.* FROM unnest(%(days)s::date[]) WITH ORDINALITY AS d(day, at)
        CROSS JOIN LATERAL (
          SELECT u.account_id, {", ".join(part for _, parts in expressions for part in parts)}
          FROM {rows} AS u
          WHERE u.tenant_id = %(tenant)s AND {request.accounts.condition()}
            AND u.day > d.day - {int(window)} AND u.day <= d.day{known}
          GROUP BY u.account_id
        ) AS x"""
    parameters: dict[str, Any] = {
        "tenant": request.tenant_id,
        "days": list(request.days),
        **request.accounts.parameters(),
    }
    for column in columns:
        if column.source.aggregate == "decayed_days":
            parameters[f"fade_{column.position}"] = column.fade()
    width = 2 + sum(len(parts) for _, parts in expressions)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, width)
    places, there = request.accounts.rows_of(found[:, 1].astype(np.int64))
    found, places = found[there], places[there]
    at = found[:, 0].astype(np.intp)
    start = 2
    for column, parts in expressions:
        values = [found[:, start + offset] for offset in range(len(parts))]
        out[at, places, column.position] = column.finish(values)
        start += len(parts)


def _read_many_days(request: MatrixRequest, columns: Sequence[Column], out: Array) -> None:
    """Every account-day once, and the windows in numpy."""
    everything = _everything(request)
    columns = [column for column in columns if column.source.aggregate not in ACTIVITY or everything]
    if not columns:
        return
    slots = sorted({slot for column in columns for slot in _slots(column, everything)})
    back = max(column.look_back for column in columns)
    sql = f"""
        SELECT u.account_id, u.day - date '0001-01-01' + 1, u.known_on - date '0001-01-01' + 1,
               {", ".join(f'u."values"[{slot}]' for slot in slots)}
        FROM {request.day_table} AS u
        WHERE u.tenant_id = %(tenant)s AND {request.accounts.condition()}
          AND u.day > %(first)s - {int(back)} AND u.day <= %(last)s AND u.known_on <= %(last)s"""
    parameters = {
        "tenant": request.tenant_id,
        "first": request.days[0],
        "last": request.days[-1],
        **request.accounts.parameters(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 3 + len(slots))
    places, there = request.accounts.rows_of(found[:, 0].astype(np.int64))
    found = found[there]
    rows = DayRows(
        places[there].astype(np.int64),
        found[:, 1].astype(np.int64),
        found[:, 2].astype(np.int64),
        found[:, 3:],
    )
    sliding = SlidingColumns(Span.of(request.days, len(request.accounts)), rows, slots.index)
    activity = rows.active_days(slots.index(everything)) if everything in slots else None
    wanted = [(day - request.days[0]).days for day in request.days]
    for column in columns:
        out[:, :, column.position] = sliding.compute(column, activity)[wanted]


def _slots(column: Column, everything: int) -> list[int]:
    """The slots that a measure reads."""
    if column.source.aggregate in ACTIVITY:
        return [everything]
    metrics = column.parts or ((column.metric,) if column.metric else ())
    return [int(metric.slot) for metric in metrics if metric.slot]


def _silence(request: MatrixRequest, column: Column, values: Array) -> None:
    """Zero is not missing: a count is 0 from the account's first day of usage on, while a fresh source delivers it.

    Otherwise it is missing, whatever rows there are: a source that died must not score anybody low. A pushed value or a
    state is there or not by itself. A change needs its whole baseline to lie after the first day of usage.
    """
    metric = column.metric
    if metric is None:
        return
    aggregate = column.source.aggregate
    needed = _needed(request, column)
    if aggregate in ("latest", "mean", "max") and metric.kind in ("pushed", "state", "sql"):
        return
    delivered = np.array([needed <= ids for ids in request.delivered])
    ordinals = np.array([day.toordinal() for day in request.days], dtype=np.int64)
    begins = request.accounts.seen_from
    if aggregate == "change":
        begins = np.where(begins < np.iinfo(np.int64).max, begins + column.look_back - 1, begins)
    known = delivered[:, None] & (ordinals[:, None] >= begins)
    if aggregate in ZERO_WHEN_SILENT:
        values[np.isnan(values)] = 0.0
    values[~known] = np.nan


def _needed(request: MatrixRequest, column: Column) -> frozenset[int]:
    """Which metrics must be delivered for this one to be known; what counts any event needs any event."""
    if column.parts:
        return frozenset(part.id for part in column.parts)
    metric = column.metric
    everything = [other.id for other in request.metrics.values() if other.kind == "all_events"]
    counts_any = (
        metric
        and metric.kind in ("active_days", "features_used", "distinct_users")
        and not metric.chosen_events
    )
    if counts_any and everything:
        return frozenset(everything[:1])
    return frozenset({metric.id}) if metric else frozenset()
