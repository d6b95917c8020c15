"""Where a fault of a model is, in words: `exceptions[0].metric` is “exception 1 (Late payer), metric”."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Tenant
from scoring.models import Version
from scoring.specs import version_exceptions, version_parts
from usage.models import Metric
from usage.starter import shown_name

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
WHOLE = frozenset(
    {"", "weights", "components"}
)  # the words of such a fault say by themselves what they are about
LISTS: dict[str, Promise] = {
    "components": gettext_lazy("component %(number)s"),
    "measures": gettext_lazy("measure %(number)s"),
    "exceptions": gettext_lazy("exception %(number)s"),
    "points": gettext_lazy("pair %(number)s"),
    "steps": gettext_lazy("step %(number)s"),
    "by_tenure": gettext_lazy("stage %(number)s"),
}
SETTINGS: dict[str, Promise] = {
    "bands": gettext_lazy("thresholds"),
    "healthy_above": gettext_lazy("threshold of the best band"),
    "critical_below": gettext_lazy("threshold of the worst band"),
    "coverage_min": gettext_lazy("minimum coverage"),
    "hysteresis": gettext_lazy("when a band changes"),
    "runs": gettext_lazy("days"),
    "metric": gettext_lazy("metric"),
    "aggregate": gettext_lazy("way of counting"),
    "weight": gettext_lazy("weight"),
    "missing": gettext_lazy("policy for missing data"),
    "hold_days": gettext_lazy("days to hold a value"),
    "combine": gettext_lazy("way to combine measures"),
    "scale": gettext_lazy("scale"),
    "kind": gettext_lazy("kind"),
    "name": gettext_lazy("name"),
    "key": gettext_lazy("key"),
    "operator": gettext_lazy("comparison"),
    "reads": gettext_lazy("what it looks at"),
    "value": gettext_lazy("value"),
    "cap": gettext_lazy("highest score"),
    "points": gettext_lazy("points"),
    "segment_targets": gettext_lazy("targets by segment"),
    "by_tenure": gettext_lazy("values by time since go-live"),
    "steps": gettext_lazy("steps"),
    "measures": gettext_lazy("measures"),
    "exceptions": gettext_lazy("exceptions"),
    "window_days": gettext_lazy("days of the window"),
    "baseline_days": gettext_lazy("days of the baseline"),
    "half_life_days": gettext_lazy("half-life in days"),
}


def place_words(path: str, names: Mapping[str, str] | None = None, *, as_written: bool = False) -> str:
    """A path of a fault in the reader's words; empty where the fault is of the model as a whole.

    `names` says how components, metrics and exceptions are called; what it does not know (a setting of a scale) stays as
    it is written in files. So do all settings with `as_written`: whoever mends a file looks for these very words.
    """
    if path in WHOLE:
        return ""
    names = names or {}
    if path in names:
        return names[path]
    words: list[str] = []
    listed, done = "", ""
    for match in _STEP.finditer(path):
        name, number = match.groups()
        done += match.group() if number is not None or not done else f".{name}"
        if number is None:
            if listed:
                words.append(_word(listed, names, as_written))
            listed = name if name in LISTS else ""
            if not listed:
                words.append(_word(name, names, as_written))
        elif listed:
            said = str(LISTS[listed]) % {"number": int(number) + 1}
            words.append(f"{said} ({names[done]})" if done in names else said)
            listed = ""
        # a number behind the pair says which of its two sides: the fault's own words tell
    if listed:
        words.append(_word(listed, names, as_written))
    return ", ".join(words)


def _word(name: str, names: Mapping[str, str], as_written: bool) -> str:
    if as_written:
        return f"“{name}”"
    return names.get(name) or str(SETTINGS.get(name, name))


def version_names(tenant: Tenant, version: Version) -> dict[str, str]:
    """What the components, metrics and exceptions of a version are called: four queries, asked when something is wrong."""
    metrics = Metric.objects.filter(tenant=tenant).values_list("key", "name")
    names = {key: shown_name(key, name) for key, name in metrics}
    for place, rule in enumerate(version_exceptions(tenant, [version])[version.pk]):
        names[f"exceptions[{place}]"] = rule.label
    for component, _measures in version_parts(tenant, [version])[version.pk]:
        names[component.key] = component.label
    return names


def fault_words(
    path: str, message: str, names: Mapping[str, str] | None = None, *, as_written: bool = False
) -> str:
    """A fault with its place: a sentence for a message."""
    place = place_words(path, names, as_written=as_written)
    if not place:
        return message
    return _("%(place)s: %(message)s") % {"place": place[:1].upper() + place[1:], "message": message}
