"""The thresholds of each kind of rule: their bounds and defaults. Pure: checked here, edited in the admin."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Share = Annotated[float, msgspec.Meta(gt=0, le=10)]
Weeks = Annotated[int, msgspec.Meta(ge=1, le=12)]
Days = Annotated[int, msgspec.Meta(ge=0, le=365)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of a rule."""


class UsageUnderTarget(Params, frozen=True):
    """Fires when a metric stays under a share of its weekly target for whole weeks in a row."""

    metrics: tuple[Key, ...] = ()  # none named: every metric the account has a target for
    below: Share = 0.5
    weeks: Weeks = 2
    resolve_at: Share = 0.6  # of the target, in the last seven days


class RateFalling(Params, frozen=True):
    """Fires when last week's ratio is under a share of the pooled ratio of the weeks before it."""

    metric: Key = "reply_rate"
    below: Share = 0.7
    baseline_weeks: Weeks = 4
    min_volume: Positive = 20  # of the denominator, in the week
    resolve_at: Share = 0.8


class MetricAtZero(Params, frozen=True):
    """Fires when a metric is under a minimum, after a grace that starts with go-live."""

    metric: Key = "dashboards_active"
    minimum: Positive = 1
    grace_days: Days = 30


class TicketUnresolved(Params, frozen=True):
    """Fires for each ticket that waits longer than so many hours."""

    hours: Positive = 72


class HealthDropped(Params, frozen=True):
    """Fires when the health score fell by so many points within so many days, or into a worse band."""

    points: Annotated[float, msgspec.Meta(gt=0, le=100)] = 15
    days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    worse_band: bool = True
    resolve_within: Annotated[float, msgspec.Meta(ge=0, le=100)] = 5  # points under the score before the drop


PARAMS: dict[str, type[Params]] = {
    "usage_under_target": UsageUnderTarget,
    "rate_falling": RateFalling,
    "metric_at_zero": MetricAtZero,
    "ticket_unresolved": TicketUnresolved,
    "health_dropped": HealthDropped,
}


def parse_params(kind: str, values: dict[str, Any]) -> Params:
    """The thresholds with defaults filled in; raises `ValueError` that says which value is wrong and why."""
    try:
        params = msgspec.convert(values, PARAMS[kind])
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if isinstance(params, UsageUnderTarget | RateFalling) and params.resolve_at < params.below:
        raise ValueError("resolve_at must not be under below: the alert would open and resolve at once")
    return params
