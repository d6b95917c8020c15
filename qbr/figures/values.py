"""From daily values to the number of a period, by the kind of the metric."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

from usage.models import Metric

from .canonical import canonical
from .reading import DAILY, DAYS, DIMENSION, FEATURES, PEOPLE, Need, Reading
from .registry import Row

Kind = Metric.Kind
ADDED = (Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM)
LATEST = (Kind.LAST, Kind.STATE, Kind.PUSHED, Kind.SQL)
COUNTED_BY = ("kind", "events", "property", "dimension", "decimals", "query", "numerator", "denominator")


def parts_of(reading: Reading, metric: Metric) -> list[Metric | None]:
    """Numerator and denominator of a ratio; None for one that is gone."""
    return [reading.metrics.get(key) for key in (metric.numerator, metric.denominator)]


def definition_of(reading: Reading, metric: Metric) -> str:
    """A digest of what is counted, parts of a ratio included."""
    described = [[getattr(metric, name) for name in COUNTED_BY]]
    if metric.kind == Kind.RATIO:
        described += [
            [getattr(part, name) for name in COUNTED_BY] if part else [] for part in parts_of(reading, metric)
        ]
    return hashlib.sha256(canonical(described).encode()).hexdigest()


def needs_of(keys: dict[str, Metric], key: str, first: date, last: date) -> list[Need]:
    """What has to be read for the value of a metric over these days."""
    metric = keys.get(key)
    if metric is None:
        return []
    if metric.kind == Kind.RATIO:
        return [
            need
            for part in (metric.numerator, metric.denominator)
            for need in needs_of(keys, part, first, last)
        ]
    if metric.kind == Kind.DISTINCT_USERS:
        return [Need(PEOPLE, key, first, last)]
    if metric.kind == Kind.ACTIVE_DAYS:
        return [Need(DAYS, "", first, last)]
    if metric.kind == Kind.FEATURES_USED:
        return [Need(FEATURES, "", first, last)]
    return [Need(DAILY, key, _since(metric, first, last), last)]


def _since(metric: Metric, first: date, last: date) -> date:
    """A pushed value holds for its days, whatever the period; others count inside it."""
    if metric.kind == Kind.PUSHED:
        return min(first, last - timedelta(days=metric.hold_days - 1))
    return first


def value_over(
    reading: Reading, account_id: int, metric: Metric, first: date, last: date
) -> tuple[float | None, list[Row]]:
    """The metric over the days, both included, and the rows it was made from; None where nothing is known."""
    if metric.kind == Kind.RATIO:
        return _ratio(reading, account_id, metric, first, last)
    rows: list[Row]
    if metric.kind == Kind.DISTINCT_USERS:
        rows = list(reading.people(account_id, metric.key, first, last))
        return _counted(reading, account_id, metric, last, rows)
    if metric.kind == Kind.ACTIVE_DAYS:
        rows = [(day.isoformat(), people) for day, people in reading.active_days(account_id, first, last)]
        return _counted(reading, account_id, metric, last, rows)
    if metric.kind == Kind.FEATURES_USED:
        rows = list(reading.features(account_id, first, last))
        return _counted(reading, account_id, metric, last, rows)
    daily = reading.daily(account_id, metric.key, _since(metric, first, last), last)
    if metric.kind in LATEST:
        daily = daily[-1:]
    rows = [(day.isoformat(), value) for day, value in daily]
    if metric.kind in ADDED:
        total = round(sum(value for _, value in daily), metric.decimals)
        return (total if daily else _silence(reading, account_id, metric, last)), rows
    if metric.kind == Kind.MAX:
        return max((value for _, value in daily), default=None), rows
    return (daily[-1][1] if daily else None), rows


def _counted(
    reading: Reading, account_id: int, metric: Metric, last: date, rows: list[Row]
) -> tuple[float | None, list[Row]]:
    return (float(len(rows)) if rows else _silence(reading, account_id, metric, last)), rows


def _silence(reading: Reading, account_id: int, metric: Metric, last: date) -> float | None:
    return 0.0 if reading.is_zero(metric, account_id, last) else None


def _ratio(
    reading: Reading, account_id: int, metric: Metric, first: date, last: date
) -> tuple[float | None, list[Row]]:
    """Sum over sum: never a mean of daily ratios."""
    top, bottom = parts_of(reading, metric)
    if top is None or bottom is None:
        return None, []
    above, _ = value_over(reading, account_id, top, first, last)
    below, _ = value_over(reading, account_id, bottom, first, last)
    rows: list[Row] = [(top.key, above), (bottom.key, below)]
    return (above / below if above is not None and below else None), rows


def variants_of(
    reading: Reading, account_id: int, metric: Metric, first: date, last: date
) -> dict[str, float]:
    """The totals by key of a metric with a dimension."""
    out: dict[str, float] = {}
    for _, key, value in reading.keyed(account_id, metric.key, first, last):
        out[key] = round(out.get(key, 0.0) + value, metric.decimals)
    return dict(sorted(out.items()))


def variant_needs(keys: dict[str, Metric], key: str, first: date, last: date) -> list[Need]:
    """What has to be read for the totals by key."""
    return [Need(DIMENSION, key, first, last)] if key in keys else []
