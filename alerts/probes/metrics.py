"""Probes over metrics: usage against target, a ratio against its own past, something that should not be missing."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from alerts import conditions
from alerts.params import MetricAtZero, RateFalling, UsageUnderTarget
from alerts.weeks import DAYS, last_complete_week_end, week_ends
from usage.models import Metric

from .night import Key, LiveAccount, Night, OpenAlert, Reading, cleared_keys, number, selected


def probe_usage_under_target(
    night: Night, params: UsageUnderTarget, open_alerts: dict[Key, OpenAlert]
) -> Reading:
    """Weekly usage under a share of the account's target for complete weeks in a row; no target: skipped."""
    accounts = [account for account in night.accounts if account.targets or (account.id, "") in open_alerts]
    wanted = params.metrics or sorted({key for account in accounts for key in account.targets})
    if not wanted:  # nobody has a target any more
        return Reading(cleared=set(open_alerts))
    ends = week_ends(night.day, params.weeks)
    keys = night.unbroken(wanted, since=ends[0] - timedelta(days=DAYS))
    if not keys:
        return Reading(suspended=True)
    by_week = [night.values(keys, until=end, days=DAYS, accounts=accounts) for end in ends]
    recent = night.values(keys, until=night.day, days=DAYS, accounts=accounts)
    weeks = np.stack([np.stack([values[key] for values in by_week], axis=1) for key in keys], axis=1)
    targets = np.array([[_target(account, key) for key in keys] for account in accounts], dtype=np.float64)
    targets = targets.reshape(len(accounts), len(keys))
    outcome, low = conditions.usage_under_target(
        weeks,
        np.stack([recent[key] for key in keys], axis=1),
        targets,
        below=params.below,
        resolve_at=params.resolve_at,
    )
    fires = {
        (account.id, ""): {
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
        for row, account in selected(accounts, outcome.fires)
    }
    clears = outcome.clears
    if len(keys) < len(wanted):  # a target whose metric is not delivered may be the one that is under
        held = np.array(
            [any(key not in keys and _target(a, key) > 0 for key in wanted) for a in accounts], dtype=bool
        )
        clears = clears & ~held
    return Reading(fires, cleared_keys(accounts, clears, open_alerts))


def _target(account: LiveAccount, key: str) -> float:
    """The account's weekly target, 0 when it has none or one that is no number."""
    value = account.targets.get(key)
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0.0
    )


def probe_rate_falling(night: Night, params: RateFalling, open_alerts: dict[Key, OpenAlert]) -> Reading:
    """Last week's ratio under a share of the pooled ratio of the complete weeks before it."""
    metric = night.metrics.get(params.metric)
    end = last_complete_week_end(night.day)
    start = end - timedelta(days=DAYS)
    if metric is None or metric.kind != Metric.Kind.RATIO or not night.unbroken([params.metric], since=start):
        return Reading(suspended=True)
    accounts, keys = night.accounts, [metric.numerator, metric.denominator]
    week = night.values(keys, until=end, days=DAYS, accounts=accounts)
    past = night.values(keys, until=start, days=DAYS * params.baseline_weeks, accounts=accounts)
    outcome, rate, before = conditions.rate_falling(
        (week[keys[0]], week[keys[1]]),
        (past[keys[0]], past[keys[1]]),
        below=params.below,
        min_volume=params.min_volume,
        resolve_at=params.resolve_at,
    )
    fires = {
        (account.id, ""): {
            "metric": params.metric,
            "week": end.isoformat(),
            "rate": number(rate[row]),
            "baseline": number(before[row]),
            "baseline_weeks": params.baseline_weeks,
            "volume": number(week[keys[1]][row]),
            "below": params.below,
        }
        for row, account in selected(accounts, outcome.fires)
    }
    return Reading(fires, cleared_keys(accounts, outcome.clears, open_alerts))


def probe_metric_at_zero(night: Night, params: MetricAtZero, open_alerts: dict[Key, OpenAlert]) -> Reading:
    """A metric under its minimum after the grace of onboarding; never reported: skipped."""
    if not night.unbroken([params.metric], since=night.day - timedelta(days=DAYS)):
        return Reading(suspended=True)
    accounts = night.accounts
    value = night.values([params.metric], until=night.day, days=DAYS, accounts=accounts)[params.metric]
    grace_ends = timedelta(days=params.grace_days)
    in_grace = np.array(
        [account.started_on is None or night.day < account.started_on + grace_ends for account in accounts],
        dtype=bool,
    )
    outcome = conditions.too_little(value, in_grace, minimum=params.minimum)
    fires = {
        (account.id, ""): {
            "metric": params.metric,
            "value": number(value[row]),
            "minimum": number(params.minimum),
            "on": night.day.isoformat(),
        }
        for row, account in selected(accounts, outcome.fires)
    }
    return Reading(fires, cleared_keys(accounts, outcome.clears, open_alerts))
