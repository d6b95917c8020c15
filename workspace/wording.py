"""Numbers of a score in words: "62 a week of a target of 100"."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workspace.formatting import NO_VALUE, money, number, percent

CENTS_SUFFIX = "_cents"


def metric_figure(
    value: float | None, *, key: str, unit: str = "", kind: str = "", currency: str = ""
) -> str:
    """A metric's value as it is read: money, a share in percent, hours, or a plain number."""
    if value is None:
        return NO_VALUE
    if key.endswith(CENTS_SUFFIX):
        return money(round(value), currency)
    if kind == "ratio":  # a share of 1
        share = round(value * 100, 1)
        return percent(share, 0 if share.is_integer() or share >= 10 else 1)
    if unit == "%":
        return percent(value)
    if unit in ("h", "hours"):
        return hours(value)
    if unit in ("d", "days"):
        return ngettext("%(n)s day", "%(n)s days", round(value)) % {"n": number(round(value, 1))}
    return f"{number(round(value, 2))} {unit}".strip()


def hours(value: float) -> str:
    """A span of hours; beyond two days in days."""
    if abs(value) >= 48:
        days = round(value / 24)
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": number(days)}
    return _("%(n)s h") % {"n": number(round(value))}


def measure_text(
    figure: str, *, aggregate: str, window_days: int, baseline_days: int, target: str = ""
) -> str:
    """What was counted, over which window, against which target."""
    window = {"figure": figure, "days": window_days}
    texts = {
        "per_week": _("%(figure)s a week") % window,
        "total": _("%(figure)s in %(days)s days") % window,
        "mean": _("%(figure)s on average over %(days)s days") % window,
        "max": _("%(figure)s at most in %(days)s days") % window,
        "latest": figure,
        "ratio": _("%(figure)s over %(days)s days") % window,
        "users": _("%(figure)s in %(days)s days") % window,
        "features": _("%(figure)s in %(days)s days") % window,
        "active_days": _("%(figure)s in %(days)s days") % window,
        "decayed_days": _("%(figure)s, older ones counting less") % window,
        "change": _("%(figure)s times its own average of %(days)s days")
        % {"figure": figure, "days": baseline_days},
    }
    text = texts.get(aggregate, figure)
    return _("%(value)s of a target of %(target)s") % {"value": text, "target": target} if target else text
