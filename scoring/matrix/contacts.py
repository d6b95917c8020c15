"""Windowed distinct users and features, from per-contact days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection

from .accounts import AccountFacts
from .columns import Array, Column


@dataclass(frozen=True)
class DayRange:
    """The rows of `table` to look at: one tenant, a range of accounts, days first to last."""

    table: str
    tenant_id: int
    accounts: AccountFacts
    days: tuple[date, ...]
    late_rows: bool  # the relation has a known_on that may be later than the day

    def parameters(self) -> dict[str, Any]:
        """What every statement needs."""
        return {
            "tenant": self.tenant_id,
            **self.accounts.parameters(),
            "first": self.days[0],
            "last": self.days[-1],
        }


def _source(column: Column) -> tuple[str, str]:
    """The key that is counted, and the rows it comes from."""
    if column.source.aggregate == "features":
        return "f.key", "CROSS JOIN LATERAL unnest(u.features) AS f(key)"
    return "u.contact_id", ""


def _condition(column: Column) -> str:
    if column.source.aggregate == "features":
        return ""
    return " AND u.contact_id > 0" + (f" AND {_chosen(column)}" if _is_chosen(column) else "")


def _chosen(column: Column) -> str:
    """The condition that a row has one of the events that a measure of some events counts."""
    assert column.metric is not None
    return f"u.metrics @> ARRAY[{int(column.metric.id)}]::bigint[]"


def _is_chosen(column: Column) -> bool:
    return bool(column.metric and column.metric.chosen_events)


def count_distinct(columns: Sequence[Column], where: DayRange, out: Array) -> None:
    """Write into days × accounts × measures how many different keys were seen in the window that ends on each day."""
    if len(where.days) > 1:
        for column in columns:
            out[:, :, column.position] = _many_days(column, where)
    elif columns:
        _one_day(columns, where, out)


def _one_day(columns: Sequence[Column], where: DayRange, out: Array) -> None:
    """All measures from one reading of the rows.

    A contact opens the same features day after day: rows with equal lists are put together first, by a 64-bit hash, which
    costs a third of unnesting them all. Two different lists of one contact meet in one hash once in 10^19 pairs.
    """
    chosen = [column for column in columns if _is_chosen(column)]
    listed = any(column.source.aggregate == "features" for column in columns)
    known = " AND u.known_on <= %(last)s" if where.late_rows else ""
    look_back = max(column.look_back for column in columns)
    last_days = [f"max(u.day) FILTER (WHERE {_chosen(column)})" for column in chosen]
    sql = f"""
        WITH lists AS MATERIALIZED (
          SELECT u.account_id, u.contact_id, {"any_value(u.features)" if listed else "NULL::bigint[]"} AS features,
                 {", ".join(f"{part} AS last_{n}" for n, part in enumerate(["max(u.day)", *last_days]))}
          FROM {where.table} AS u
          WHERE u.tenant_id = %(tenant)s AND {where.accounts.condition()}
            AND u.day > %(last)s - {int(look_back)} AND u.day <= %(last)s{known}
          GROUP BY u.account_id, u.contact_id{", hash_array_extended(u.features, 0)" if listed else ""}
        )
        {" UNION ALL ".join(_counted(column, chosen) for column in columns)}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, where.parameters())
        found = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    rows, there = where.accounts.rows_of(found[:, 1])
    for column in columns:
        out[0, :, column.position] = 0.0
    out[0, rows[there], found[there, 0]] = found[there, 2]


def _counted(column: Column, chosen: Sequence[Column]) -> str:
    """Position of the measure, account and number of keys, from the lists."""
    place = chosen.index(column) + 1 if column in chosen else 0
    inside = f"last_{place} > %(last)s - {int(column.look_back)}"
    if column.source.aggregate == "features":
        keys = f"SELECT DISTINCT account_id, unnest(features) FROM lists WHERE {inside}"
    else:
        keys = f"SELECT DISTINCT account_id, contact_id FROM lists WHERE {inside} AND contact_id > 0"
    return f"SELECT {column.position}, account_id, count(*) FROM ({keys}) AS seen GROUP BY account_id"


def _many_days(column: Column, where: DayRange) -> Array:
    """Days × accounts, all days in one statement: each use counts from the day it is known until it leaves the window.

    Uses of one key overlap, so the spans are cut where an earlier one still runs; what is left is added up by day.
    """
    key, lateral = _source(column)
    window = int(column.look_back)
    starts = "greatest(u.day, u.known_on)" if where.late_rows else "u.day"
    known = f" AND u.known_on <= %(last)s AND u.known_on < u.day + {window}" if where.late_rows else ""
    sql = f"""
        WITH uses AS (
          SELECT DISTINCT u.account_id, {key} AS key, {starts} AS starts, u.day + {window} AS ends
          FROM {where.table} AS u {lateral}
          WHERE u.tenant_id = %(tenant)s AND {where.accounts.condition()}
            AND u.day > %(first)s - {window} AND u.day <= %(last)s{known}{_condition(column)}
        ), spans AS (
          SELECT account_id, ends,
                 greatest(starts, max(ends) OVER (
                   PARTITION BY account_id, key ORDER BY starts, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                 )) AS starts
          FROM uses
        )
        SELECT account_id, greatest(starts, %(first)s) - %(first)s, least(ends, %(after)s) - %(first)s, count(*)
        FROM spans WHERE starts < ends AND starts <= %(last)s AND ends > %(first)s GROUP BY 1, 2, 3"""
    span = (where.days[-1] - where.days[0]).days + 1
    with connection.cursor() as cursor:
        cursor.execute(sql, {**where.parameters(), "after": where.days[-1] + timedelta(days=1)})
        found = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 4)
    rows, there = where.accounts.rows_of(found[:, 0])
    rows, found = rows[there], found[there]
    steps = np.zeros((span + 1, len(where.accounts)), dtype=np.int64)
    np.add.at(steps, (found[:, 1], rows), found[:, 3])
    np.add.at(steps, (found[:, 2], rows), -found[:, 3])
    counts = np.cumsum(steps, axis=0)
    return counts[[(day - where.days[0]).days for day in where.days]].astype(np.float64)
