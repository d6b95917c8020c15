"""Differences between two versions of a model as sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from scoring.difference import Change
from scoring.models import Component, Measure
from usage.models import Metric
from workspace.formatting import number, percent
from workspace.scale_words import counted_words, scale_words

Metrics = Mapping[str, Metric]


def change_words(change: Change, metrics: Metrics) -> str:
    """One difference as a sentence."""
    if change.of == "model":
        return _model(change)
    if change.of == "component":
        return _component(change)
    if change.of == "measure":
        return _measure(change, metrics)
    return _exception(change, metrics)


def _metric(key: str, metrics: Metrics) -> str:
    return str(metrics[key]) if key in metrics else key


def _from_to(subject: str, before: object, after: object) -> str:
    return _("%(subject)s: %(before)s → %(after)s") % {
        "subject": subject,
        "before": before,
        "after": after,
    }


def _model(change: Change) -> str:
    subjects = {
        "healthy_above": _("The best band begins above"),
        "critical_below": _("The worst band begins below"),
        "coverage_min": _("Smallest share of the weight that must be known"),
        "hysteresis": _("A band changes"),
    }
    shown = {"coverage_min": _share, "hysteresis": _hysteresis}.get(change.field, _figure)
    return _from_to(subjects[change.field], shown(change.before), shown(change.after))


def _figure(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _share(value: Any) -> str:
    return percent(100 * value)


def _hysteresis(value: Any) -> str:
    if not value:
        return _("at once")
    if "points" in value:
        return _("%(points)s points beyond the threshold") % {"points": number(value["points"])}
    return _("after %(days)s days across the threshold") % {"days": number(value["runs"])}


def _component(change: Change) -> str:
    part = change.component or {}
    # Shipped names are in the catalogue, own ones stay as they are.
    name = {"component": _(part["name"]), "weight": number(part["weight"])}
    if not change.field:
        if change.before is None:
            return _("New component “%(component)s” with weight %(weight)s") % name
        return _("“%(component)s” is gone (it had weight %(weight)s)") % name
    if change.field == "name":
        return _from_to(_("Name of a component"), _(change.before), _(change.after))
    subject, shown = {
        "weight": (_("Weight of “%(component)s”"), _figure),
        "missing": (_("“%(component)s” without data"), lambda value: str(Component.Missing(value).label)),
        "hold_days": (_("“%(component)s” holds its last value for days"), _figure),
        "combine": (
            _("Measures of “%(component)s” count by"),
            lambda value: str(Component.Combine(value).label),
        ),
    }[change.field]
    return _from_to(subject % name, shown(change.before), shown(change.after))


def _counted(measure: Mapping[str, Any]) -> str:
    return counted_words(
        measure["aggregate"],
        measure.get("window_days", 7),
        measure.get("baseline_days", 28),
        measure.get("half_life_days", 90),
    )


def _scale(scale: Mapping[str, Any], metric: Metric | None, key: str) -> str:
    look = (key, metric.unit if metric else "", metric.kind if metric else "")
    params = {name: value for name, value in scale.items() if name != "kind"}
    return scale_words(scale["kind"], params, look) or str(Measure.ScaleKind(scale["kind"]).label)


def _measure(change: Change, metrics: Metrics) -> str:
    part, measure = change.component or {}, change.measure or {}
    key = measure["metric"]
    words = {
        "metric": _metric(key, metrics),
        "component": _(part["name"]),
        "counted": _counted(measure),
    }
    if not change.field:
        if change.before is None:
            return _("“%(component)s” also measures “%(metric)s” (%(counted)s)") % words
        return _("“%(component)s” no longer measures “%(metric)s” (%(counted)s)") % words
    subject, shown = {
        "weight": (_("Weight of “%(metric)s” in “%(component)s”"), _figure),
        "window_days": (_("Days that “%(metric)s” looks back in “%(component)s”"), _figure),
        "baseline_days": (_("Days of the baseline of “%(metric)s” in “%(component)s”"), _figure),
        "half_life_days": (_("Half-life in days of “%(metric)s” in “%(component)s”"), _figure),
        "scale": (
            _("What “%(metric)s” is worth in “%(component)s”"),
            lambda value: _scale(value, metrics.get(key), key),
        ),
    }[change.field]
    before, after = shown(change.before), shown(change.after)
    if before == after:  # what the words leave out, such as targets of segments, as it is written in a file
        before, after = (json.dumps(value, ensure_ascii=False) for value in (change.before, change.after))
    return _from_to(subject % words, before, after)


def _exception(change: Change, metrics: Metrics) -> str:
    rule = change.measure or {}
    words = {"name": rule["name"], "rule": _rule(rule, metrics)}
    if change.field:
        return _from_to(
            _("Exception “%(name)s”") % words, _rule(change.before, metrics), _rule(change.after, metrics)
        )
    if change.before is None:
        return _("New exception “%(name)s”: %(rule)s") % words
    return _("The exception “%(name)s” is gone: %(rule)s") % words


def _rule(rule: Mapping[str, Any], metrics: Metrics) -> str:
    return _("when “%(metric)s” %(operator)s %(value)s, at most %(cap)s") % {
        "metric": _metric(rule["metric"], metrics),
        "operator": rule["operator"],
        "value": number(rule["value"]),
        "cap": number(rule["cap"]),
    }
