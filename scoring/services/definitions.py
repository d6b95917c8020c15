"""A version as plain data: the shape of the shipped files, of `save_draft`, and of what is exported and imported.

`definition_of` writes it, `shape_problems` reads it strictly: a key that nobody knows is a typing error that would otherwise
change a score in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Tenant
from scoring.models import Component, ExceptionRule, Measure, Version
from scoring.models.definitions import KEY
from scoring.scales import SCALES, Problem, ScaleError, scale_from_dict
from scoring.scales.base import is_number
from scoring.specs import Parts, version_exceptions, version_parts

FROZEN = frozenset({"reference", "segment_references"})  # taken from the accounts when a version is published
FOR_READERS = (
    "key",
    "kind",
    "name",
    "position",
    "is_default",
    "segment",
    "stage",
    "plan_kinds",
)  # the model's


def definition_of(version: Version) -> dict[str, Any]:
    """What a version says, as `save_draft` reads it: three queries, always in the same order.

    The peers of a percentile scale are left out: they are no decision of anybody, publishing takes those of its day. `key`,
    `kind` and `name` say which model it was; `save_draft` reads past them.
    """
    tenant: Tenant = version.tenant
    out: dict[str, Any] = {
        "key": version.model.key,
        "kind": version.model.kind,
        "name": version.model.name,
        "healthy_above": number(version.healthy_above),
        "critical_below": number(version.critical_below),
        "coverage_min": number(version.coverage_min),
    }
    if version.hysteresis == Version.Hysteresis.POINTS:
        out["hysteresis"] = {"points": number(version.hysteresis_points)}
    elif version.hysteresis == Version.Hysteresis.RUNS:
        out["hysteresis"] = {"runs": version.hysteresis_runs}
    out["components"] = _components(version_parts(tenant, [version])[version.pk])
    exceptions = version_exceptions(tenant, [version])[version.pk]
    if exceptions:
        out["exceptions"] = [_exception(rule) for rule in exceptions]
    return out


def _components(parts: Parts) -> list[dict[str, Any]]:
    out = []
    for component, measures in parts:
        part: dict[str, Any] = {
            "key": component.key,
            "name": component.name,
            "weight": number(component.weight),
            "missing": component.missing_policy,
        }
        if component.missing_policy == Component.Missing.HOLD:
            part["hold_days"] = component.hold_days
        part["combine"] = component.combine
        part["measures"] = [_measure(measure) for measure in measures]
        out.append(part)
    return out


def _measure(measure: Measure) -> dict[str, Any]:
    out: dict[str, Any] = {"metric": measure.metric_key, "aggregate": measure.aggregate}
    if measure.aggregate == Measure.Aggregate.DECAYED_DAYS:
        out["half_life_days"] = measure.half_life_days
    else:
        out["window_days"] = measure.window_days
    if measure.aggregate == Measure.Aggregate.CHANGE:
        out["baseline_days"] = measure.baseline_days
    out["weight"] = number(measure.weight)
    out["scale"] = scale_definition(measure.scale)
    return out


def scale_definition(scale: Mapping[str, Any]) -> dict[str, Any]:
    """A scale in the order of its parameters, whatever order the database gives them back in, without frozen peers."""
    kind = str(scale.get("kind", ""))
    made = SCALES.get(kind)
    order = ["kind", *(parameter.name for parameter in fields(made))] if made else ["kind"]
    rest = sorted(set(scale) - set(order))
    names = [key for key in [*order, *rest] if key in scale and key not in FROZEN]
    out = {key: _in_order(key, number(scale[key])) for key in names}
    if isinstance(out.get("by_tenure"), list):
        out["by_tenure"] = [_stage(stage, order) for stage in out["by_tenure"]]
    return out


def _stage(stage: Any, order: Sequence[str]) -> Any:
    if not isinstance(stage, Mapping):
        return stage
    first = ["from_days", *order]
    names = [*(key for key in first if key in stage), *sorted(set(stage) - set(first))]
    return {key: _in_order(key, number(stage[key])) for key in names}


def _in_order(key: str, value: Any) -> Any:
    """Values by segment in the order of the segments' names."""
    return dict(sorted(value.items())) if key.startswith("segment_") and isinstance(value, dict) else value


def _exception(rule: ExceptionRule) -> dict[str, Any]:
    out: dict[str, Any] = {"name": rule.name, "metric": rule.metric_key}
    if rule.component_key:
        out["component"] = rule.component_key
    if rule.aggregate:
        out["aggregate"] = rule.aggregate
    out |= {
        "reads": rule.reads,
        "operator": rule.operator,
        "value": number(rule.value),
        "cap": number(rule.cap),
    }
    return out


def number(value: Any) -> Any:
    """Whole numbers as people write them, 40 and not 40.0, also inside lists and maps."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, (list, tuple)):
        return [number(item) for item in value]
    if isinstance(value, Mapping):
        return {key: number(item) for key, item in value.items()}
    return value


Check = Callable[[Any], str | None]


def _is_number(value: Any) -> str | None:
    return None if is_number(value) else _("Enter a number.")


def _between(low: int, high: int) -> Check:
    def check(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return (
            None if good else _("Enter a whole number from %(low)d to %(high)d.") % {"low": low, "high": high}
        )

    return check


def _text(longest: int, *, pattern: Any = None) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            return _("Enter a text.")
        if len(value) > longest:
            return _("Enter at most %(count)d characters.") % {"count": longest}
        if pattern is not None and not pattern.regex.match(value):
            return str(pattern.message)
        return None

    return check


def _one_of(choices: Sequence[str]) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in choices:
            return None
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)}

    return check


def _is_map(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else _("Enter names with their values.")


def _is_list(value: Any) -> str | None:
    return None if isinstance(value, list) else _("Enter a list.")


def _anything(value: Any) -> str | None:
    return None


def _shapes() -> dict[str, tuple[dict[str, Check], tuple[str, ...]]]:
    """What may stand where, and what must: built when asked for, since its texts are in the reader's language."""
    return {
        "version": (
            {
                **dict.fromkeys(FOR_READERS, _anything),
                "healthy_above": _is_number,
                "critical_below": _is_number,
                "coverage_min": _is_number,
                "hysteresis": _is_map,
                "components": _is_list,
                "exceptions": _is_list,
            },
            ("components",),
        ),
        "hysteresis": ({"points": _is_number, "runs": _between(1, 14)}, ()),
        "component": (
            {
                "key": _text(60, pattern=KEY),
                "name": _text(120),
                "weight": _is_number,
                "missing": _one_of(Component.Missing.values),
                "hold_days": _between(0, 90),
                "combine": _one_of(Component.Combine.values),
                "measures": _is_list,
            },
            ("key", "name", "weight", "measures"),
        ),
        "measure": (
            {
                "metric": _text(60),
                "aggregate": _one_of(Measure.Aggregate.values),
                "window_days": _between(1, 730),
                "baseline_days": _between(1, 730),
                "half_life_days": _between(1, 365),
                "weight": _is_number,
                "propose": _anything,  # of the shipped files
                "scale": _is_map,
            },
            ("metric", "aggregate", "scale"),
        ),
        "exception": (
            {
                "name": _text(120),
                "metric": _text(60),
                "component": _text(60),
                "aggregate": _one_of(Measure.Aggregate.values),
                "reads": _one_of(ExceptionRule.Reads.values),
                "operator": _one_of(ExceptionRule.Operator.values),
                "value": _is_number,
                "cap": _is_number,
            },
            ("name", "metric", "operator", "value", "cap"),
        ),
    }


def shape_problems(definition: Any) -> list[Problem]:
    """Every place where a definition is not built as it must be, as (path, translated message).

    Paths count from 0, such as `components[0].measures[1].weight`. What the values mean is checked when all of it stands.
    """
    shapes = _shapes()
    problems = _against(shapes["version"], "", definition)
    if not isinstance(definition, Mapping):
        return problems
    hysteresis = definition.get("hysteresis")
    if isinstance(hysteresis, Mapping):
        problems += _against(shapes["hysteresis"], "hysteresis", hysteresis)
        if len(hysteresis) != 1:
            problems.append(("hysteresis", _("Give either points or runs.")))
    for place, part in enumerate(_listed(definition, "components")):
        path = f"components[{place}]"
        problems += _against(shapes["component"], path, part)
        for order, measure in enumerate(_listed(part, "measures")):
            problems += _against(shapes["measure"], f"{path}.measures[{order}]", measure)
            problems += _scale_problems(f"{path}.measures[{order}].scale", measure)
    problems += _twice(definition)
    for place, rule in enumerate(_listed(definition, "exceptions")):
        problems += _against(shapes["exception"], f"exceptions[{place}]", rule)
    return problems


def _scale_problems(path: str, measure: Any) -> list[Problem]:
    scale = measure.get("scale") if isinstance(measure, Mapping) else None
    if not isinstance(scale, Mapping):
        return []
    if words := _one_of(Measure.ScaleKind.values)(scale.get("kind")):
        return [(f"{path}.kind", words)]
    try:
        scale_from_dict(scale)
    except ScaleError as error:
        return [(f"{path}.{where}", _(words)) for where, words in error.problems]
    return []


def _twice(definition: Mapping[str, Any]) -> list[Problem]:
    """Components whose key another one has already."""
    keys = [
        part.get("key") if isinstance(part, Mapping) else None for part in _listed(definition, "components")
    ]
    return [
        (f"components[{place}].key", _("Two components have the same key."))
        for place, key in enumerate(keys)
        if isinstance(key, str) and key in keys[:place]
    ]


def _listed(data: Any, key: str) -> list[Any]:
    found = data.get(key) if isinstance(data, Mapping) else None
    return found if isinstance(found, list) else []


def _against(shape: tuple[dict[str, Check], tuple[str, ...]], path: str, data: Any) -> list[Problem]:
    checks, needed = shape
    if not isinstance(data, Mapping):
        return [(path, _("Enter names with their values."))]

    def at(key: object) -> str:
        return f"{path}.{key}" if path else str(key)

    problems = [
        (at(key), _("There is no such setting here. Known ones: %(names)s.") % {"names": ", ".join(checks)})
        for key in data
        if key not in checks
    ]
    problems += [(at(key), _("This value is required.")) for key in needed if data.get(key) is None]
    for key, value in data.items():
        if key in checks and value is not None and (words := checks[key](value)):
            problems.append((at(key), words))
    return problems
