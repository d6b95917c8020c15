"""What milestones are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from accounts.percent import with_percent

from . import milestones as kinds

TITLES: dict[str, Promise] = {
    "weekly_usage": gettext_lazy("Used every week"),
    "first_demos": gettext_lazy("First demos booked from direct messages"),
    "dashboard": gettext_lazy("A dashboard is working"),
    "reply_rate": gettext_lazy("Reply rate is stable"),
    "winning_variants": gettext_lazy("Winning variants for each product"),
    "email_sequence": gettext_lazy("An e-mail sequence is working"),
    "close_rate": gettext_lazy("Demos turn into deals at a stable rate"),
    "roi": gettext_lazy("Monthly ROI is quantified"),
    "expansion": gettext_lazy("A play for expansion is identified"),
}
PHASE_NAMES: dict[int, Promise] = {
    1: gettext_lazy("Activation"),
    2: gettext_lazy("Productivity"),
    3: gettext_lazy("Impact"),
}
PHASE_DAYS: dict[int, Promise] = {
    1: gettext_lazy("Days 0–30"),
    2: gettext_lazy("Days 31–60"),
    3: gettext_lazy("Days 61–90"),
}
STATE_NAMES: dict[str, Promise] = {
    kinds.UPCOMING: pgettext_lazy("milestone", "Later"),
    kinds.ON_TRACK: pgettext_lazy("milestone", "On track"),
    kinds.BEHIND: pgettext_lazy("milestone", "Behind"),
    kinds.STUCK: pgettext_lazy("milestone", "Stuck"),
    kinds.DONE: pgettext_lazy("milestone", "Reached"),
}
KIND_NAMES: dict[str, Promise] = {
    kinds.WEEKS: gettext_lazy("At least so much in each of some weeks in a row"),
    kinds.GROWTH: gettext_lazy("A multiple of the first week"),
    kinds.TOTAL: gettext_lazy("So many in all since go-live"),
    kinds.RATIO: gettext_lazy("A share in each of some weeks in a row"),
    kinds.PER_VALUE: gettext_lazy("So many for each value of the metric's dimension"),
    kinds.KNOWN: gettext_lazy("A value is reported"),
    kinds.PLAY: gettext_lazy("A value is reported, or a play has run"),
    kinds.HAND: gettext_lazy("A person ticks it"),
}


def title_of(key: str, name: str) -> str:
    """The tenant's own name of a milestone, else the shipped one in the reader's language."""
    return name or str(TITLES.get(key, key))


def number_text(value: float) -> str:
    """A number in a rule: without a fraction where it has none."""
    return f"{value:g}"


def rule_of(kind: str, params: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What has to happen, in one sentence; `names` are the names of metrics."""
    metric = names.get(params.get("metric", ""), params.get("metric", ""))
    if kind == kinds.WEEKS:
        return ngettext(
            "%(metric)s: at least %(n)s in a complete week",
            "%(metric)s: at least %(n)s in each of %(weeks)s complete weeks in a row",
            int(params["weeks"]),
        ) % {"metric": metric, "n": number_text(params["at_least"]), "weeks": params["weeks"]}
    if kind == kinds.GROWTH:
        return ngettext(
            "%(metric)s: %(n)s times the first week in a complete week",
            "%(metric)s: %(n)s times the first week in each of %(weeks)s complete weeks in a row",
            int(params["weeks"]),
        ) % {"metric": metric, "n": number_text(params["factor"]), "weeks": params["weeks"]}
    if kind == kinds.TOTAL:
        return _("%(metric)s: at least %(n)s since go-live") % {
            "metric": metric,
            "n": number_text(params["at_least"]),
        } + _aim(params.get("aim"))
    if kind == kinds.RATIO:
        top, bottom = (names.get(params[part], params[part]) for part in ("numerator", "denominator"))
        other = params.get("else_denominator")
        if other:
            bottom = _("%(first)s (or %(second)s)") % {"first": bottom, "second": names.get(other, other)}
        return _("%(top)s ÷ %(bottom)s: at least %(n)s in each of %(weeks)s complete weeks in a row") % {
            "top": top,
            "bottom": bottom,
            "n": with_percent(number_text(params["at_least_pct"])),
            "weeks": params["weeks"],
        } + _aim(params.get("aim_pct"), with_percent)
    if kind == kinds.PER_VALUE:
        return _("%(metric)s: at least %(n)s for each product") % {
            "metric": metric,
            "n": number_text(params["at_least"]),
        }
    if kind == kinds.KNOWN:
        return _("%(metric)s: a value is reported") % {"metric": metric}
    if kind == kinds.PLAY:
        return _("%(metric)s: at least one, or a play for it has run") % {"metric": metric}
    return _("A person ticks it and says why")


def _aim(value: float | None, written: Callable[[str], str] = str) -> str:
    return _("; the aim is %(n)s") % {"n": written(number_text(value))} if value else ""
