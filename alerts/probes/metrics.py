"""Probes over metrics: usage against target, a ratio against its own past, something that should not be missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from django.db import connection

from accounts.models import Tenant
from alerts import conditions
from alerts.lifecycle import Key
from alerts.params import MetricAtZero, RateFalling, UsageUnderTarget
from alerts.weeks import DAYS, last_complete_week_end, week_ends
from usage.models import Metric

from .accounts import target_of
from .night import Evidence, Needs, Night, OpenAlert, Reading, number, reading_of
from .windows import Window

Watched = Mapping[Key, OpenAlert]

TARGETED_SQL = """
SELECT DISTINCT key FROM accounts_account a CROSS JOIN LATERAL jsonb_object_keys(a.targets) AS key
WHERE a.tenant_id = %s AND a.targets <> '{}' AND jsonb_typeof(a.targets) = 'object' ORDER BY key
"""


def _span(metric: str, until: date, days: int) -> Window:
    return Window(metric, until - timedelta(days=days - 1), until)


def targeted_metrics(tenant: Tenant) -> list[str]:
    """Every metric that some account has a target for."""
    with connection.cursor() as cursor:
        cursor.execute(TARGETED_SQL, [tenant.pk])
        return [row[0] for row in cursor.fetchall()]


def _wanted(night: Night, params: UsageUnderTarget) -> list[str]:
    return list(params.metrics) or targeted_metrics(night.tenant)


def needs_usage_under_target(night: Night, params: UsageUnderTarget) -> Needs:
    """Each week and the last seven days of every metric with a target."""
    wanted, ends = _wanted(night, params), [*week_ends(night.day, params.weeks), night.day]
    return Needs(
        [_span(key, end, DAYS) for key in wanted for end in ends], [target_of(key) for key in wanted]
    )


def probe_usage_under_target(night: Night, params: UsageUnderTarget, watched: Watched) -> Reading:
    """Weekly usage under a share of the account's target for complete weeks in a row; no target: skipped."""
    wanted = _wanted(night, params)
    if not wanted:  # nobody has a target any more
        return Reading(cleared=set(watched))
    ends = week_ends(night.day, params.weeks)
    keys = night.unbroken(wanted, since=ends[0] - timedelta(days=DAYS))
    if not keys:
        return Reading(suspended=True)
    by_week = [night.values(keys, until=end, days=DAYS) for end in ends]
    recent = night.values(keys, until=night.day, days=DAYS)
    weeks = np.stack([np.stack([values[key] for values in by_week], axis=1) for key in keys], axis=1)
    targets = np.stack([night.account(target_of(key)) for key in keys], axis=1)
    outcome, low = conditions.usage_under_target(
        weeks,
        np.stack([recent[key] for key in keys], axis=1),
        targets,
        below=params.below,
        resolve_at=params.resolve_at,
    )

    def describe(row: int) -> Evidence:
        return {
            "below": params.below,
            "weeks": [end.isoformat() for end in ends],
            "metrics": [
                {
                    "metric": keys[column],
                    "target": number(targets[row, column]),
                    "values": [number(value) for value in weeks[row, column]],
                }
                for column in np.flatnonzero(low[row])
            ],
        }

    clears = outcome.clears
    for key in set(wanted) - set(keys):  # a target whose metric is not delivered may be the one that is under
        clears = clears & ~(np.nan_to_num(night.account(target_of(key))) > 0)
    return reading_of(night, outcome.fires, clears, watched, describe)


def _rate_windows(night: Night, params: RateFalling) -> tuple[Window, Window]:
    end = last_complete_week_end(night.day)
    start = end - timedelta(days=DAYS)
    return _span(params.metric, end, DAYS), _span(params.metric, start, DAYS * params.baseline_weeks)


def needs_rate_falling(night: Night, params: RateFalling) -> Needs:
    """The last complete week and the weeks before it."""
    return Needs(_rate_windows(night, params))


def probe_rate_falling(night: Night, params: RateFalling, watched: Watched) -> Reading:
    """Last week's ratio under a share of the pooled ratio of the complete weeks before it."""
    metric = night.metrics.get(params.metric)
    end = last_complete_week_end(night.day)
    start = end - timedelta(days=DAYS)
    if metric is None or metric.kind != Metric.Kind.RATIO or not night.unbroken([params.metric], since=start):
        return Reading(suspended=True)
    keys = [metric.numerator, metric.denominator]
    week = night.values(keys, until=end, days=DAYS)
    past = night.values(keys, until=start, days=DAYS * params.baseline_weeks)
    outcome, rate, before = conditions.rate_falling(
        (week[keys[0]], week[keys[1]]),
        (past[keys[0]], past[keys[1]]),
        below=params.below,
        min_volume=params.min_volume,
        resolve_at=params.resolve_at,
    )

    def describe(row: int) -> Evidence:
        return {
            "metric": params.metric,
            "week": end.isoformat(),
            "rate": number(rate[row]),
            "baseline": number(before[row]),
            "baseline_weeks": params.baseline_weeks,
            "volume": number(week[keys[1]][row]),
            "below": params.below,
        }

    return reading_of(night, outcome.fires, outcome.clears, watched, describe)


def needs_metric_at_zero(night: Night, params: MetricAtZero) -> Needs:
    """The last seven days."""
    return Needs([_span(params.metric, night.day, DAYS)])


def probe_metric_at_zero(night: Night, params: MetricAtZero, watched: Watched) -> Reading:
    """A metric under its minimum after the grace of onboarding; never reported: skipped."""
    if not night.unbroken([params.metric], since=night.day - timedelta(days=DAYS)):
        return Reading(suspended=True)
    value = night.values([params.metric], until=night.day, days=DAYS)[params.metric]
    out_of_grace = night.day.toordinal() >= night.accounts.started + params.grace_days
    outcome = conditions.too_little(value, ~out_of_grace, minimum=params.minimum)

    def describe(row: int) -> Evidence:
        return {
            "metric": params.metric,
            "value": number(value[row]),
            "minimum": number(params.minimum),
            "on": night.day.isoformat(),
        }

    return reading_of(night, outcome.fires, outcome.clears, watched, describe)
