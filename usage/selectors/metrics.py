"""Metrics of accounts over windows: the one reader that rules and pages use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Account, Tenant
from usage.days import week_start
from usage.models import Metric

from .delivery import delivered_metrics

Kind = Metric.Kind
_ADDED = {Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM}
_LATEST = {Kind.LAST, Kind.STATE, Kind.PUSHED, Kind.SQL}
_CONTACTS = {Kind.DISTINCT_USERS, Kind.ACTIVE_DAYS, Kind.FEATURES_USED}
_SILENT_IS_ZERO = _ADDED | _CONTACTS
Values = dict[int, dict[str, float | None]]


def metric_values(
    tenant: Tenant,
    keys: Sequence[str],
    day: date,
    window_days: int = 7,
    account_ids: Sequence[int] | None = None,
    known_on: date | None = None,
) -> Values:
    """Each account's value of each metric over the window that ends with the day.

    Counts and sums are added up, the largest and the last value taken, ratios pooled (sum over sum). Silence is zero from
    the account's first-seen day on while a source that delivered the metric is fresh; anything else is None. A rule that
    looks back passes the day it runs for as `known_on`: freshness is judged then, not when the window ended.
    """
    metrics = _with_parts(tenant, keys)
    spans = {0: (day - timedelta(days=window_days - 1), day)}
    accounts = _accounts(tenant, account_ids)
    read = _read(tenant, metrics, spans, account_ids)
    delivered = delivered_metrics(tenant, day, known_on)
    result: Values = {}
    for account_id, first_seen in accounts.items():
        values = {
            key: _value(metric, metrics, read[0].get(account_id, {}), first_seen, day, delivered)
            for key, metric in metrics.items()
        }
        result[account_id] = {key: values.get(key) for key in keys}
    return result


def weekly_series(
    tenant: Tenant, account_id: int, keys: Sequence[str], weeks: int = 16
) -> dict[str, list[tuple[date, float | None]]]:
    """The metrics of one account, Monday to Sunday, oldest first; the last week is the current one and may be unfinished."""
    today = tenant.today()
    monday = week_start(today)
    starts = [monday - timedelta(weeks=n) for n in range(weeks - 1, -1, -1)]
    spans = {n: (start, min(start + timedelta(days=6), today)) for n, start in enumerate(starts)}
    metrics = _with_parts(tenant, keys)
    read = _read(tenant, metrics, spans, [account_id])
    first_seen = _accounts(tenant, [account_id]).get(account_id)
    delivered = delivered_by_span(tenant, spans)
    series: dict[str, list[tuple[date, float | None]]] = {}
    for key in keys:
        if key not in metrics:
            continue
        series[key] = [
            (
                start,
                _value(
                    metrics[key], metrics, read[n].get(account_id, {}), first_seen, spans[n][1], delivered[n]
                ),
            )
            for n, start in enumerate(starts)
        ]
    return series


def _with_parts(tenant: Tenant, keys: Sequence[str]) -> dict[str, Metric]:
    """The metrics asked for, and the parts of the ratios among them."""
    found = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant, active=True)}
    wanted = {key: found[key] for key in keys if key in found}
    for metric in list(wanted.values()):
        for part in (metric.numerator, metric.denominator):
            if part and part in found:
                wanted.setdefault(part, found[part])
    return wanted


def _accounts(tenant: Tenant, account_ids: Sequence[int] | None) -> dict[int, date | None]:
    rows = Account.objects.filter(tenant=tenant)
    if account_ids is not None:
        rows = rows.filter(id__in=list(account_ids))
    return dict(rows.order_by("id").values_list("id", "first_seen_on"))


def _read(
    tenant: Tenant,
    metrics: dict[str, Metric],
    spans: dict[int, tuple[date, date]],
    account_ids: Sequence[int] | None,
) -> dict[int, dict[int, dict[str, float]]]:
    """Span → account → metric → value, where there is any."""
    out: dict[int, dict[int, dict[str, float]]] = {n: defaultdict(dict) for n in spans}
    daily = [m for m in metrics.values() if m.slot is not None]
    contacts = [m for m in metrics.values() if m.kind in _CONTACTS]
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "numbers": list(spans),
        "firsts": [first for first, _ in spans.values()],
        "lasts": [last for _, last in spans.values()],
        "ids": None if account_ids is None else list(account_ids),
    }
    for group, table, expression in (
        (daily, "usage_day", _daily_expression),
        (contacts, "usage_user_day", _contact_expression),
    ):
        if not group:
            continue
        reach = max((m.hold_days for m in group if m.kind == Kind.PUSHED), default=0)
        columns = ", ".join(expression(metric) for metric in group)
        sql = (
            f"SELECT w.n, u.account_id, {columns} FROM unnest(%(numbers)s::int[], %(firsts)s::date[], %(lasts)s::date[]) "
            f"AS w(n, first, last) JOIN {table} u ON u.day BETWEEN w.first - {int(reach)} AND w.last "
            "WHERE u.tenant_id = %(tenant)s AND (%(ids)s::bigint[] IS NULL OR u.account_id = ANY(%(ids)s)) GROUP BY 1, 2"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            for number, account_id, *values in cursor.fetchall():
                found = out[number][account_id]
                found.update((m.key, float(v)) for m, v in zip(group, values, strict=True) if v is not None)
    return out


def _daily_expression(metric: Metric) -> str:
    value = f'u."values"[{int(metric.slot or 0)}]'
    if metric.kind in _ADDED:
        return f"sum({value}) FILTER (WHERE u.day >= w.first)"
    if metric.kind == Kind.MAX:
        return f"max({value}) FILTER (WHERE u.day >= w.first)"
    # A pushed value holds for its days, whatever the window; the last value and a state count inside the window.
    since = f"w.last - {int(metric.hold_days) - 1}" if metric.kind == Kind.PUSHED else "w.first"
    return (
        f"(array_agg({value} ORDER BY u.day DESC) FILTER (WHERE {value} IS NOT NULL AND u.day >= {since}))[1]"
    )


def _contact_expression(metric: Metric) -> str:
    if metric.kind == Kind.DISTINCT_USERS:
        chosen = f" AND {int(metric.pk)} = ANY(u.metrics)" if metric.events else ""
        return f"count(DISTINCT u.contact_id) FILTER (WHERE u.contact_id > 0{chosen})"
    if metric.kind == Kind.ACTIVE_DAYS:
        return "count(DISTINCT u.day)"
    return (
        "cardinality(ARRAY(SELECT DISTINCT f FROM unnest(string_to_array(string_agg("
        "array_to_string(u.features, ','), ','), ',')) AS f WHERE f <> ''))"
    )


def _value(
    metric: Metric,
    metrics: dict[str, Metric],
    read: dict[str, float],
    first_seen: date | None,
    day: date,
    delivered: set[int],
) -> float | None:
    """One number with the rules of zero and missing."""
    if metric.kind == Kind.RATIO:
        parts = [metrics.get(metric.numerator), metrics.get(metric.denominator)]
        top, bottom = (_value(p, metrics, read, first_seen, day, delivered) if p else None for p in parts)
        return top / bottom if top is not None and bottom else None
    value = read.get(metric.key)
    if metric.kind in _SILENT_IS_ZERO:
        if metric.pk not in delivered or first_seen is None or first_seen > day:
            return None
        return round(value or 0.0, metric.decimals)
    return value


def delivered_by_span(tenant: Tenant, spans: dict[int, tuple[date, date]]) -> dict[int, set[int]]:
    """For each span the metrics delivered by its end, in one query."""
    out: dict[int, set[int]] = {n: set() for n in spans}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT w.n, sm.metric_id FROM unnest(%(numbers)s::int[], %(lasts)s::date[]) AS w(n, last) "
            "JOIN usage_source_metric sm ON sm.first_on <= w.last "
            "JOIN usage_source s ON s.tenant_id = sm.tenant_id AND s.id = sm.source_id "
            "JOIN usage_source_day d ON d.tenant_id = s.tenant_id AND d.source_id = s.id AND d.received_on <= w.last "
            "AND d.received_on > w.last - ((s.fresh_hours + 23) / 24 + 1) WHERE sm.tenant_id = %(tenant)s",
            {"tenant": tenant.pk, "numbers": list(spans), "lasts": [last for _, last in spans.values()]},
        )
        for number, metric_id in cursor.fetchall():
            out[number].add(metric_id)
    return out
