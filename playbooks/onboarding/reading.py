"""What the metrics say of many accounts since their plans began, week by week; a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Tenant
from playbooks.models import Run
from usage.models import Metric
from usage.selectors import delivered_metrics

from .milestones import Facts, Week, weeks_between

Kind = Metric.Kind
_ADDED = {Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM}
_CONTACTS = {Kind.DISTINCT_USERS: "count(DISTINCT u.contact_id) FILTER (WHERE u.contact_id > 0{chosen})",
             Kind.ACTIVE_DAYS: "count(DISTINCT u.day)",
             Kind.FEATURES_USED: (
                 "cardinality(ARRAY(SELECT DISTINCT f FROM unnest(string_to_array(string_agg("
                 "array_to_string(u.features, ','), ','), ',')) AS f WHERE f <> ''))"
             )}  # fmt: skip
_SPAN = "unnest(%(accounts)s::bigint[], %(starts)s::date[]) AS p(account_id, starts_on)"
_WEEK = "u.day - (extract(isodow FROM u.day)::int - 1)"
Cells = dict[int, dict[date, dict[str, float]]]


def facts_of(
    *, tenant: Tenant, plans: Mapping[int, date], keys: Sequence[str], play_keys: Sequence[str], day: date
) -> dict[int, Facts]:
    """For each account with the first day of its plan what is known of it by the end of the day."""
    if not plans:
        return {}
    metrics = _metrics(tenant, keys)
    daily = [m for m in metrics.values() if m.slot is not None]
    people = [m for m in metrics.values() if m.kind in _CONTACTS]
    span = {
        "tenant": tenant.pk, "accounts": list(plans), "starts": list(plans.values()), "day": day
    }  # fmt: skip
    cells: Cells = defaultdict(lambda: defaultdict(dict))
    for group, table, expression in ((daily, "usage_day", _daily), (people, "usage_user_day", _people)):
        if group:
            _read(cells, table, {m.key: expression(m) for m in group}, span)
    by_value = _by_value(metrics, span)
    delivered = _delivered(tenant, metrics, day)
    ran = _plays(tenant, play_keys, plans)
    return {
        account_id: Facts(
            weeks=[
                Week(
                    monday,
                    ends,
                    complete,
                    _with_ratios(cells[account_id][monday], metrics, delivered),
                    by_value.get((account_id, monday), {}),
                )
                for monday, ends, complete in weeks_between(starts_on, day)
            ],
            delivered=delivered,
            plays=ran.get(account_id, {}),
        )
        for account_id, starts_on in plans.items()
    }


def _metrics(tenant: Tenant, keys: Sequence[str]) -> dict[str, Metric]:
    """The metrics that are asked for, with the parts of the ratios among them."""
    found = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant, active=True)}
    wanted = {key: found[key] for key in keys if key in found}
    for metric in list(wanted.values()):
        for part in (metric.numerator, metric.denominator):
            if part in found:
                wanted.setdefault(part, found[part])
    return wanted


def _daily(metric: Metric) -> str:
    value = f'u."values"[{int(metric.slot or 0)}]'
    if metric.kind in _ADDED:
        return f"sum({value})"
    if metric.kind == Kind.MAX:
        return f"max({value})"
    return f"(array_agg({value} ORDER BY u.day DESC) FILTER (WHERE {value} IS NOT NULL))[1]"


def _people(metric: Metric) -> str:
    chosen = f" AND {int(metric.pk)} = ANY(u.metrics)" if metric.events else ""
    return _CONTACTS[Kind(metric.kind)].format(chosen=chosen)


def _read(cells: Cells, table: str, columns: Mapping[str, str], span: Mapping[str, Any]) -> None:
    sql = (
        f"SELECT u.account_id, {_WEEK} AS monday, {', '.join(columns.values())} FROM {_SPAN} "
        f"JOIN {table} u ON u.account_id = p.account_id AND u.day BETWEEN p.starts_on AND %(day)s "
        "WHERE u.tenant_id = %(tenant)s GROUP BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, span)
        for account_id, monday, *values in cursor.fetchall():
            cells[account_id][monday].update(
                (key, float(value)) for key, value in zip(columns, values, strict=True) if value is not None
            )


def _by_value(
    metrics: Mapping[str, Metric], span: Mapping[str, Any]
) -> dict[tuple[int, date], dict[str, dict[str, float]]]:
    keys = {m.pk: m.key for m in metrics.values() if m.dimension}
    found: dict[tuple[int, date], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT u.account_id, {_WEEK}, u.metric_id, u.key, sum(u.value) FROM {_SPAN} "
                "JOIN usage_dim_day u ON u.account_id = p.account_id AND u.day BETWEEN p.starts_on AND %(day)s "
                "WHERE u.tenant_id = %(tenant)s AND u.metric_id = ANY(%(metrics)s) AND u.key <> '' "
                "GROUP BY 1, 2, 3, 4",
                {**span, "metrics": list(keys)},
            )
            for account_id, monday, metric_id, key, value in cursor.fetchall():
                found[account_id, monday][keys[metric_id]][key] = float(value)
    return found


def _delivered(tenant: Tenant, metrics: Mapping[str, Metric], day: date) -> frozenset[str]:
    ids = delivered_metrics(tenant, day)
    return frozenset(key for key, metric in metrics.items() if metric.pk in ids)


def _with_ratios(
    read: Mapping[str, float], metrics: Mapping[str, Metric], delivered: frozenset[str]
) -> dict[str, float | None]:
    """The values of a week: silence of a metric that is delivered is zero, ratios are pooled in the week."""
    values: dict[str, float | None] = {}
    for key, metric in metrics.items():
        silent = 0.0 if key in delivered and (metric.kind in _ADDED or metric.kind in _CONTACTS) else None
        values[key] = read.get(key, silent)
    for key, metric in metrics.items():
        if metric.kind == Kind.RATIO:
            top, bottom = values.get(metric.numerator), values.get(metric.denominator)
            values[key] = top / bottom if top is not None and bottom else None
    return values


def _plays(tenant: Tenant, play_keys: Sequence[str], plans: Mapping[int, date]) -> dict[int, dict[str, date]]:
    """When each of these plays first ran at an account since its plan began."""
    found: dict[int, dict[str, date]] = defaultdict(dict)
    if play_keys:
        runs = Run.objects.filter(
            tenant=tenant, playbook__key__in=list(play_keys), account_id__in=list(plans)
        )
        for account_id, key, started_on in runs.values_list("account_id", "playbook__key", "started_on"):
            if started_on >= plans[account_id] and started_on <= found[account_id].get(key, started_on):
                found[account_id][key] = started_on
    return found
