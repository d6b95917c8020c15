"""Figures made from metrics: totals, changes, weeks, variants, users, features, seats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Tenant
from qbr.experiments import Outcome, judge, variants_from
from qbr.figures.reading import DAILY, FEATURES, PEOPLE, Need, Reading, current_reading
from qbr.figures.registry import FigureResult, Row, SourceGone
from qbr.figures.values import (
    ADDED,
    Kind,
    definition_of,
    needs_of,
    parts_of,
    value_over,
    variant_needs,
    variants_of,
)
from usage.days import week_start
from usage.models import Metric

Parameters = Mapping[str, Any]


def day_of(parameters: Parameters, name: str) -> date:
    """A day among the parameters."""
    return date.fromisoformat(str(parameters[name]))


def span_of(parameters: Parameters) -> tuple[date, date]:
    """First and last day of the period, both included."""
    return day_of(parameters, "first"), day_of(parameters, "last")


def before_of(first: date, last: date) -> tuple[date, date]:
    """As many days just before."""
    days = (last - first).days + 1
    return first - timedelta(days=days), first - timedelta(days=1)


def complete_weeks(first: date, last: date) -> list[tuple[date, date]]:
    """The weeks, Monday to Sunday, that lie wholly in the period."""
    monday = week_start(first)
    if monday < first:
        monday += timedelta(days=7)
    weeks = []
    while monday + timedelta(days=6) <= last:
        weeks.append((monday, monday + timedelta(days=6)))
        monday += timedelta(days=7)
    return weeks


def metric_of(reading: Reading, parameters: Parameters) -> Metric:
    """The metric that is asked for, with all that it is made of."""
    key = str(parameters["metric"])
    metric = reading.metrics.get(key)
    if metric is None:
        raise SourceGone(f"The metric “{key}” was removed or is switched off.")
    if metric.kind == Kind.RATIO and None in parts_of(reading, metric):
        raise SourceGone(f"A part of the ratio “{key}” was removed or is switched off.")
    return metric


def _result(
    reading: Reading,
    metric: Metric,
    value: float | None,
    rows: list[Row],
    columns: tuple[str, ...],
    unit: str | None = None,
) -> FigureResult:
    own = "ratio" if metric.kind == Kind.RATIO and not metric.unit else metric.unit
    return FigureResult(
        value=value,
        rows=rows,
        columns=columns,
        subject=metric.name,
        unit=own if unit is None else unit,
        currency=reading.tenant.currency if (own if unit is None else unit) == "cents" else "",
        definition=definition_of(reading, metric),
    )


def _columns(metric: Metric) -> tuple[str, ...]:
    match metric.kind:
        case Kind.RATIO:
            return ("metric", "value")
        case Kind.DISTINCT_USERS:
            return ("contact", "days", "events")
        case Kind.ACTIVE_DAYS:
            return ("day", "people")
        case Kind.FEATURES_USED:
            return ("feature", "people", "days")
    return ("day", "value")


def metric_total(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """Sum, distinct number, pooled ratio, largest or last value: what the metric's kind asks for."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    value, rows = value_over(reading, account_id, metric, *span_of(parameters))
    return _result(reading, metric, value, rows, _columns(metric))


def metric_per_week(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """A count or sum per seven days."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    if metric.kind not in ADDED:
        raise SourceGone(f"“{metric.key}” is not counted any more: there is no number per week of it.")
    first, last = span_of(parameters)
    value, rows = value_over(reading, account_id, metric, first, last)
    weekly = None if value is None else round(value * 7 / ((last - first).days + 1), 6)
    return _result(reading, metric, weekly, rows, _columns(metric))


def metric_mean(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """The mean of the days that have a value."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    daily = reading.daily(account_id, metric.key, *span_of(parameters))
    mean = round(sum(value for _, value in daily) / len(daily), 6) if daily else None
    return _result(
        reading, metric, mean, [(day.isoformat(), value) for day, value in daily], ("day", "value")
    )


def metric_change(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """Per cent more or less than in as many days before; nothing where there was nothing before."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    first, last = span_of(parameters)
    earlier = before_of(first, last)
    now, _ = value_over(reading, account_id, metric, first, last)
    before, _ = value_over(reading, account_id, metric, *earlier)
    change = round((now - before) / before * 100, 6) if now is not None and before else None
    rows: list[Row] = [
        (earlier[0].isoformat(), earlier[1].isoformat(), before),
        (first.isoformat(), last.isoformat(), now),
    ]
    return _result(reading, metric, change, rows, ("first", "last", "value"), unit="%")


def metric_by_week(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """One number for each complete week; the figure's value is the last one that has any."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    rows: list[Row] = [
        (monday.isoformat(), value_over(reading, account_id, metric, monday, sunday)[0])
        for monday, sunday in complete_weeks(*span_of(parameters))
    ]
    known = [value for _, value in rows if value is not None]
    return _result(reading, metric, known[-1] if known else None, rows, ("week", "value"))


def metric_by_key(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """The totals by key, largest first; the value is their sum."""
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    totals = variants_of(reading, account_id, metric, *span_of(parameters))
    rows: list[Row] = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    value = round(sum(totals.values()), metric.decimals) if totals else None
    return _result(reading, metric, value, rows, (metric.dimension or "key", "value"))


def outcome_of(rows: list[Row], *, higher_is_better: bool = True) -> Outcome:
    """The verdict on the rows of an experiment's figure."""
    trials = {str(key): float(n) for key, n, _ in rows}
    return judge(
        variants_from({str(key): float(x) for key, _, x in rows}, trials), higher_is_better=higher_is_better
    )


def experiment(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """Variants of a ratio whose parts are kept apart by one dimension; the value is the winner's uplift in per cent.

    Nothing where no variant is surely better: the rows say how often each was tried.
    """
    reading = current_reading(tenant, account_id, as_of)
    metric = metric_of(reading, parameters)
    top, bottom = parts_of(reading, metric)
    if top is None or bottom is None or not top.dimension or top.dimension != bottom.dimension:
        raise SourceGone(f"The parts of “{metric.key}” are not kept apart by one dimension any more.")
    first, last = span_of(parameters)
    worked = variants_of(reading, account_id, top, first, last)
    tried = variants_of(reading, account_id, bottom, first, last)
    rows: list[Row] = [(key, tried[key], worked.get(key, 0.0)) for key in sorted(tried) if tried[key] > 0]
    outcome = outcome_of(rows, higher_is_better=metric.higher_is_better)
    uplift = None if outcome.uplift_pct is None else round(outcome.uplift_pct, 6)
    return _result(reading, metric, uplift, rows, (top.dimension, bottom.name, top.name), unit="%")


def _named(reading: Reading, key: str) -> Metric:
    return metric_of(reading, {"metric": key})


def active_users(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """People who did anything in the period."""
    reading = current_reading(tenant, account_id, as_of)
    metric = _named(reading, "active_users")
    value, rows = value_over(reading, account_id, metric, *span_of(parameters))
    return _result(reading, metric, value, rows, _columns(metric))


def features_adopted(
    *, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime
) -> FigureResult:
    """Features that somebody used in the period."""
    reading = current_reading(tenant, account_id, as_of)
    metric = _named(reading, "features_used")
    value, rows = value_over(reading, account_id, metric, *span_of(parameters))
    return _result(reading, metric, value, rows, _columns(metric))


SEATS = ("seats_used", "seats_used_pct")


def seats_used(*, tenant: Tenant, account_id: int, parameters: Parameters, as_of: datetime) -> FigureResult:
    """Seats in use in the newest snapshot of the period, and their share of those paid for."""
    reading = current_reading(tenant, account_id, as_of)
    metric = _named(reading, SEATS[0])
    first, last = span_of(parameters)
    found = [reading.daily(account_id, key, first, last)[-1:] for key in SEATS]
    rows: list[Row] = [
        (key, day.isoformat(), value) for key, daily in zip(SEATS, found, strict=True) for day, value in daily
    ]
    return _result(reading, metric, found[0][0][1] if found[0] else None, rows, ("metric", "day", "value"))


# ── What each reads ──────────────────────────────────────────────────────────────────────────────────────────────────
# The keys of a ratio's parts are only known from the tenant's metrics, so needs are told with them at hand.


def period_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The metric over the period."""
    yield from needs_of(metrics, str(parameters["metric"]), *span_of(parameters))


def mean_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The metric's days."""
    yield Need(DAILY, str(parameters["metric"]), *span_of(parameters))


def change_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The period and as many days before."""
    span = span_of(parameters)
    yield from needs_of(metrics, str(parameters["metric"]), *span)
    yield from needs_of(metrics, str(parameters["metric"]), *before_of(*span))


def weekly_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """Each complete week."""
    for monday, sunday in complete_weeks(*span_of(parameters)):
        yield from needs_of(metrics, str(parameters["metric"]), monday, sunday)


def key_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The metric by its dimension."""
    yield from variant_needs(metrics, str(parameters["metric"]), *span_of(parameters))


def experiment_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """Both parts of the ratio by their dimension."""
    metric = metrics.get(str(parameters["metric"]))
    for key in (metric.numerator, metric.denominator) if metric else ():
        yield from variant_needs(metrics, key, *span_of(parameters))


def user_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """Everybody who was active."""
    yield Need(PEOPLE, "active_users", *span_of(parameters))


def feature_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The features that were used."""
    yield Need(FEATURES, "", *span_of(parameters))


def seat_needs(parameters: Parameters, metrics: dict[str, Metric]) -> Iterator[Need]:
    """The snapshots of seats."""
    for key in SEATS:
        yield Need(DAILY, key, *span_of(parameters))
