"""How a measure is counted and scaled, in plain words, for the page that tells everybody how the score works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from workspace.formatting import number
from workspace.wording import metric_figure

Look = tuple[str, str, str]  # key, unit and kind of the metric


def counted_words(aggregate: str, window_days: int, baseline_days: int, half_life_days: int) -> str:
    """Over which window something is counted, and how."""
    days = {"days": window_days, "baseline": baseline_days, "half": half_life_days}
    return {
        "per_week": _("a week, over the last %(days)s days") % days,
        "total": _("in the last %(days)s days") % days,
        "mean": _("the daily mean of the last %(days)s days") % days,
        "max": _("the largest value of the last %(days)s days") % days,
        "latest": _("the latest value") % days,
        "ratio": _("over the last %(days)s days") % days,
        "users": _("different people in the last %(days)s days") % days,
        "features": _("different features in the last %(days)s days") % days,
        "active_days": _("active days in the last %(days)s days") % days,
        "decayed_days": _("active days; a day counts half after %(half)s days") % days,
        "change": _("the last %(days)s days against the %(baseline)s days before") % days,
    }[aggregate]


def missing_words(policy: str, hold_days: int) -> str:
    """What happens to a component nothing is known of."""
    return {
        "exclude": _("it is left out and the others carry its weight"),
        "zero": _("it counts as 0"),
        "neutral": _("it counts as 50"),
        "hold": _("the last value counts for up to %(days)s days, then it is left out") % {"days": hold_days},
    }[policy]


def combined_words(combine: str) -> str:
    """How several measures become one value."""
    return {
        "mean": _("the mean of its measures, by their weights"),
        "min": _("the lowest of its measures"),
        "max": _("the highest of its measures"),
    }[combine]


def exception_words(name: str, operator: str, value: str, of_score: bool) -> str:
    """When an exception holds: `name` is the metric, `value` what it is compared with."""
    words = {
        "<": _("%(metric)s is below %(value)s"),
        "<=": _("%(metric)s is at most %(value)s"),
        "=": _("%(metric)s is exactly %(value)s"),
        ">=": _("%(metric)s is at least %(value)s"),
        ">": _("%(metric)s is above %(value)s"),
    }[operator]
    shown = _("the score of %(metric)s") % {"metric": name} if of_score else name
    return words % {"metric": shown, "value": value}


def hysteresis_words(kind: str, points: float, runs: int) -> str:
    """What a score near a threshold must do before its band changes; empty where it changes at once."""
    if kind == "points":
        return _("A band changes only when the score is %(points)s points across the threshold.") % {
            "points": number(points)
        }
    if kind == "runs":
        return _("A band changes only when the score stays across the threshold for %(days)s days.") % {
            "days": number(runs)
        }
    return ""


def scale_words(kind: str, params: dict[str, Any], look: Look) -> str:
    """Which values are worth how many of 100 points; by stages where the scale knows how long the account is there."""
    stages = params.get("by_tenure")
    if not stages:
        return _one_scale(kind, params, look)
    shared = {name: value for name, value in params.items() if name != "by_tenure"}
    return "; ".join(
        _("from day %(day)s on: %(scale)s")
        % {"day": number(stage["from_days"]), "scale": _one_scale(kind, {**shared, **stage}, look)}
        for stage in stages
    )


def _one_scale(kind: str, params: dict[str, Any], look: Look) -> str:
    key, unit, metric_kind = look

    def figure(value: float) -> str:
        return metric_figure(float(value), key=key, unit=unit, kind=metric_kind)

    if kind == "change":
        given = {
            "worst": number(params.get("worst", 0.5)),
            "same": number(params.get("same", 70)),
            "best": number(params.get("best", 1.5)),
        }
        return _("%(worst)s times gives 0, no change %(same)s, %(best)s times 100") % given
    if kind == "piecewise" and "points" in params:
        return ", ".join(
            _("%(value)s gives %(points)s") % {"value": figure(x), "points": number(y)}
            for x, y in params["points"]
        )
    if kind == "steps":
        return ", ".join(
            _("from %(value)s: %(points)s") % {"value": figure(x), "points": number(y)}
            for x, y in params.get("steps", [])
        )
    if kind == "linear":
        return _("%(worst)s gives 0, %(best)s gives 100") % {
            "worst": figure(params.get("worst", 0)),
            "best": figure(params.get("best", 100)),
        }
    if kind == "inverse":
        ends = {"best": figure(params.get("full_until", 0)), "worst": figure(params.get("zero_at", 100))}
        return _("up to %(best)s gives 100, from %(worst)s on 0") % ends
    if kind == "percent_of_target":
        return _target_words(params, figure)
    if kind == "percentile":
        return _peer_words(params)
    if kind == "identity":
        return _("is a score from 0 to 100 already")
    return ""


def _target_words(params: dict[str, Any], figure: Callable[[float], str]) -> str:
    target, segments = params.get("target"), dict(params.get("segment_targets") or {})
    if segments:
        words = _(
            "percent of the account's own target, else of its segment's (%(segments)s), at most 100"
        ) % {"segments": ", ".join(f"{name} {figure(value)}" for name, value in segments.items())}
        return (
            words
            if target is None
            else _("%(scale)s; others: %(target)s")
            % {
                "scale": words,
                "target": figure(target),
            }
        )
    if target is None:
        return _("percent of the account's own target, at most 100")
    return _("percent of the account's own target, else of %(target)s, at most 100") % {
        "target": figure(target)
    }


def _peer_words(params: dict[str, Any]) -> str:
    segment, daily = params.get("peers") == "segment", params.get("reference_of") == "day"
    place = (
        _("place among the accounts of the same segment")
        if segment
        else _("place among all accounts of the company")
    )
    when = _("on the same day") if daily else _("when the version was published")
    best = (
        _("the highest value has 100")
        if params.get("higher_is_better", True)
        else _("the lowest value has 100")
    )
    return f"{place}, {when}: {best}"
