"""Metrics over windows of days for all accounts, in a handful of statements: daily values, and the days of contacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from accounts.fence.planning import group_in_memory
from accounts.models import Tenant
from alerts.conditions import Array
from usage.asof import AsOfRelations
from usage.models import Metric

from .accounts import Accounts
from .columns import read_columns

Kind = Metric.Kind
ADDED = frozenset({Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM})
CONTACTS = frozenset({Kind.DISTINCT_USERS, Kind.ACTIVE_DAYS, Kind.FEATURES_USED})


NEAR_DAYS = 42


class Window(NamedTuple):
    """A metric from one day to another, both included."""

    metric: str
    first: date
    last: date


def read_windows(
    tenant: Tenant,
    day: date,
    tables: AsOfRelations,
    windows: Collection[Window],
    metrics: Mapping[str, Metric],
    accounts: Accounts,
) -> dict[Window, Array]:
    """What was found in each window, NaN where nothing was; silence is the reader's matter."""
    ordered = sorted(windows)
    contacts = [window for window in ordered if metrics[window.metric].kind in CONTACTS]
    daily = [window for window in ordered if metrics[window.metric].slot is not None]
    found = {window: np.full(len(accounts), np.nan) for window in ordered}
    # The few windows that reach far back are read by themselves: the many would otherwise look at all their days.
    near = {window for window in ordered if (day - window.first).days < NEAR_DAYS}
    group_in_memory()
    for chosen, table, expression in (
        ([window for window in daily if window in near], tables.day_table, _daily),
        ([window for window in daily if window not in near], tables.day_table, _daily),
        ([window for window in contacts if window in near], tables.user_day_table, _contact),
        ([window for window in contacts if window not in near], tables.user_day_table, _contact),
    ):
        if not chosen or not len(accounts):
            continue
        parameters: dict[str, Any] = {"tenant": tenant.pk, "day": day}
        columns = [
            expression(metrics[window.metric], window, n, parameters) for n, window in enumerate(chosen)
        ]
        parameters["first"] = min(_reach(metrics[window.metric], window) for window in chosen)
        parameters["last"] = max(window.last for window in chosen)
        values = read_columns(
            f"FROM {table} AS u WHERE u.tenant_id = %(tenant)s AND u.day BETWEEN %(first)s AND %(last)s "
            "AND u.known_on <= %(day)s GROUP BY u.account_id",
            ["u.account_id", *columns],
            parameters,
        )
        ids = values[:, 0].astype(np.int64)
        places = np.minimum(np.searchsorted(accounts.ids, ids), len(accounts) - 1)
        there = accounts.ids[places] == ids
        for n, window in enumerate(chosen):
            found[window][places[there]] = values[there, 1 + n]
    return found


def _reach(metric: Metric, window: Window) -> date:
    """The first day that is looked at: a pushed value holds for its days, whatever the window."""
    if metric.kind == Kind.PUSHED:
        return min(window.first, window.last - timedelta(days=metric.hold_days - 1))
    return window.first


def _inside(window: Window, place: int, parameters: dict[str, Any], first: date | None = None) -> str:
    parameters[f"f{place}"], parameters[f"l{place}"] = first or window.first, window.last
    return f"u.day BETWEEN %(f{place})s AND %(l{place})s"


def _daily(metric: Metric, window: Window, place: int, parameters: dict[str, Any]) -> str:
    value = f'u."values"[{int(metric.slot or 0)}]'
    if metric.kind in ADDED:
        return f"sum({value}) FILTER (WHERE {_inside(window, place, parameters)})"
    if metric.kind == Kind.MAX:
        return f"max({value}) FILTER (WHERE {_inside(window, place, parameters)})"
    first = window.last - timedelta(days=metric.hold_days - 1) if metric.kind == Kind.PUSHED else window.first
    inside = _inside(window, place, parameters, first)
    return (
        f"(array_agg({value} ORDER BY u.day DESC, u.known_on DESC) "
        f"FILTER (WHERE {value} IS NOT NULL AND {inside}))[1]"
    )


def _contact(metric: Metric, window: Window, place: int, parameters: dict[str, Any]) -> str:
    inside = _inside(window, place, parameters)
    if metric.kind == Kind.DISTINCT_USERS:
        chosen = f" AND {int(metric.pk)} = ANY(u.metrics)" if metric.events else ""
        return f"count(DISTINCT u.contact_id) FILTER (WHERE u.contact_id > 0 AND {inside}{chosen})"
    if metric.kind == Kind.ACTIVE_DAYS:
        return f"count(DISTINCT u.day) FILTER (WHERE {inside})"
    return (
        "cardinality(ARRAY(SELECT DISTINCT f FROM unnest(string_to_array(string_agg("
        f"array_to_string(u.features, ','), ',') FILTER (WHERE {inside}), ',')) AS f WHERE f <> ''))"
    )
