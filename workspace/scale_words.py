"""How a measure is counted and scaled, in plain words, for the page that tells everybody how the score works."""

from __future__ import annotations

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


def scale_words(kind: str, params: dict[str, Any], look: Look) -> str:
    """Which values are worth how many of 100 points."""
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
        target = params.get("target")
        if target is None:
            return _("percent of the account's own target, at most 100")
        return _("percent of the account's own target, else of %(target)s, at most 100") % {
            "target": figure(target)
        }
    if kind == "percentile":
        return _("place among the accounts of the same segment: the best has 100")
    if kind == "identity":
        return _("is a score from 0 to 100 already")
    return ""
