"""What differs between two definitions of a model (the shape of the shipped files), place by place. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Part = Mapping[str, Any]
SETTINGS = ("healthy_above", "critical_below", "coverage_min", "hysteresis")
COMPONENT_FIELDS = ("name", "weight", "missing", "hold_days", "combine")
MEASURE_FIELDS = ("weight", "window_days", "baseline_days", "half_life_days", "scale")
EXCEPTION_FIELDS = ("component", "aggregate", "metric", "reads", "operator", "value", "cap")
ABSENT: Mapping[str, Any] = {
    "missing": "exclude",
    "hold_days": 0,
    "combine": "mean",
    "weight": 1,
    "window_days": 7,
    "baseline_days": 28,
    "half_life_days": 90,
    "reads": "value",
}  # what a key that is not there means


@dataclass(frozen=True)
class Change:
    """One difference. `of` says what it is about: model, component, measure or exception.

    `field` is empty where the whole thing was added (`before` is None) or removed (`after` is None).
    """

    of: str
    component: Part | None = None
    measure: Part | None = None
    field: str = ""
    before: Any = None
    after: Any = None


def _fields(names: Iterable[str], old: Part, new: Part) -> Iterable[tuple[str, Any, Any]]:
    for name in names:
        before, after = old.get(name, ABSENT.get(name)), new.get(name, ABSENT.get(name))
        if before != after:
            yield name, before, after


def _measures(component: Part) -> dict[tuple[str, str, int], Part]:
    """The measures of a component by metric and way of counting; the number tells two alike apart."""
    seen: Counter[tuple[str, str]] = Counter()
    out = {}
    for measure in component.get("measures", ()):
        key = (measure["metric"], measure["aggregate"])
        out[(*key, seen[key])] = measure
        seen[key] += 1
    return out


def differences(old: Part, new: Part) -> list[Change]:
    """Every difference from the old definition to the new one, in the order in which people read a model."""
    changes = [
        Change("model", field=name, before=before, after=after)
        for name, before, after in _fields(SETTINGS, old, new)
    ]
    olds = {part["key"]: part for part in old.get("components", ())}
    news = {part["key"]: part for part in new.get("components", ())}
    changes += [
        Change("component", component=part, before=part) for key, part in olds.items() if key not in news
    ]
    for key, part in news.items():
        if key not in olds:
            changes.append(Change("component", component=part, after=part))
        else:
            changes += _component(olds[key], part)
    return changes + _exceptions(old, new)


def _component(old: Part, new: Part) -> list[Change]:
    changes = [
        Change("component", component=new, field=name, before=before, after=after)
        for name, before, after in _fields(COMPONENT_FIELDS, old, new)
    ]
    olds, news = _measures(old), _measures(new)
    changes += [
        Change("measure", new, measure, before=measure) for key, measure in olds.items() if key not in news
    ]
    for key, measure in news.items():
        if key not in olds:
            changes.append(Change("measure", new, measure, after=measure))
            continue
        changes += [
            Change("measure", new, measure, name, before, after)
            for name, before, after in _fields(MEASURE_FIELDS, olds[key], measure)
        ]
    return changes


def _exceptions(old: Part, new: Part) -> list[Change]:
    olds = {rule["name"]: rule for rule in old.get("exceptions", ())}
    news = {rule["name"]: rule for rule in new.get("exceptions", ())}
    changes = [
        Change("exception", measure=rule, before=rule) for name, rule in olds.items() if name not in news
    ]
    for name, rule in news.items():
        if name not in olds:
            changes.append(Change("exception", measure=rule, after=rule))
        elif any(True for _ in _fields(EXCEPTION_FIELDS, olds[name], rule)):
            changes.append(Change("exception", measure=rule, field="rule", before=olds[name], after=rule))
    return changes
