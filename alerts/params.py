"""The thresholds of each kind of rule: their bounds and defaults. Pure: checked here, edited in the admin."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from alerts.conditions import parse_tree, tree_as_data

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


class FeatureAdoption(Params, frozen=True):
    """Fires for each key feature that too few of those with access use."""

    below: Share = 0.5
    days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 28
    least_people: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 4  # of two people one says little
    grace_days: Days = 30
    resolve_at: Share = 0.6


class ChampionGone(Params, frozen=True):
    """Fires for each champion who fell silent or is champion no more."""

    inactive_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    forget_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 120  # a silence longer than that is old news
    unless_another: bool = True


class SourceQuiet(Params, frozen=True):
    """Fires for each source that stopped delivering."""

    forget_days: Annotated[int, msgspec.Meta(ge=7, le=365)] = 60


class Conditions(Params, frozen=True):
    """Fires where a condition of the tenant's own holds; the stored form is described in `conditions.parse`."""

    tree: Any = None  # a Group once parsed


PARAMS: dict[str, type[Params]] = {
    "usage_under_target": UsageUnderTarget,
    "rate_falling": RateFalling,
    "metric_at_zero": MetricAtZero,
    "ticket_unresolved": TicketUnresolved,
    "health_dropped": HealthDropped,
    "feature_adoption": FeatureAdoption,
    "champion_gone": ChampionGone,
    "source_quiet": SourceQuiet,
    "conditions": Conditions,
}


def parse_params(kind: str, values: dict[str, Any]) -> Params:
    """The thresholds with defaults filled in; raises `ValueError` that says which value is wrong and why."""
    try:
        params = msgspec.convert(values, PARAMS[kind])
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if (
        isinstance(params, UsageUnderTarget | RateFalling | FeatureAdoption)
        and params.resolve_at < params.below
    ):
        raise ValueError("resolve_at must not be under below: the alert would open and resolve at once")
    if isinstance(params, ChampionGone) and params.forget_days <= params.inactive_days:
        raise ValueError("forget_days must be over inactive_days: nobody would ever be noticed")
    if isinstance(params, Conditions):
        return Conditions(parse_tree(params.tree))
    return params


def stored_params(params: Params) -> dict[str, Any]:
    """The thresholds as the rule's row keeps them."""
    if isinstance(params, Conditions):
        return {"tree": tree_as_data(params.tree)}
    return dict(msgspec.to_builtins(params))
