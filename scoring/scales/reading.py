"""From plain data to a scale, with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from .base import (
    EXPECTED_STAGES,
    REQUIRED,
    UNKNOWN_KEY,
    UNKNOWN_KIND,
    Problem,
    Scale,
    ScaleError,
    frozen,
)
from .curves import Change, Identity, Inverse, Linear, Piecewise, Steps
from .percentile import Percentile
from .targets import PercentOfTarget
from .tenure import ByTenure

SCALES: dict[str, type[Scale]] = {
    scale.kind: scale
    for scale in (PercentOfTarget, Linear, Piecewise, Steps, Inverse, Percentile, Change, Identity)
}

_REQUIRED: dict[str, tuple[str, ...]] = {
    "linear": ("worst", "best"),
    "piecewise": ("points",),
    "steps": ("steps",),
    "inverse": ("full_until", "zero_at"),
}


def scale_from_dict(data: Mapping[str, Any]) -> Scale:
    """Read `{"kind": …, parameters…}`; raises `ScaleError` with every fault.

    With `by_tenure: [{"from_days": 0, parameters…}, …]` each stage may say parameters of its own; the others are shared.
    """
    if str(data.get("kind", "")) not in SCALES:
        raise ScaleError([("kind", UNKNOWN_KIND)])
    if data.get("by_tenure") is None:
        return _one({key: value for key, value in data.items() if key != "by_tenure"})
    return _staged(data, data["by_tenure"])


def _staged(data: Mapping[str, Any], given: Any) -> Scale:
    if not isinstance(given, (list, tuple)) or not given:
        raise ScaleError([("by_tenure", EXPECTED_STAGES)])
    shared = {key: value for key, value in data.items() if key != "by_tenure"}
    problems: list[Problem] = []
    stages: list[tuple[int, Scale]] = []
    for index, stage in enumerate(given):
        path = f"by_tenure[{index}]"
        if not isinstance(stage, Mapping) or "from_days" not in stage:
            problems.append((path, EXPECTED_STAGES))
            continue
        own = {key: value for key, value in stage.items() if key != "from_days"}
        unknown: list[Problem] = [(f"{path}.kind", UNKNOWN_KEY)] if own.pop("kind", None) is not None else []
        try:
            stages.append((stage["from_days"], _one({**shared, **own})))
        except ScaleError as error:
            unknown += [(f"{path}.{where}", text) for where, text in error.problems]
        problems += unknown
    if problems:
        raise ScaleError(problems)
    return ByTenure(tuple(stages))


def _one(data: Mapping[str, Any]) -> Scale:
    kind = str(data["kind"])
    make: Callable[..., Scale] = SCALES[kind]
    known = {parameter.name for parameter in fields(SCALES[kind])}
    given = {key: frozen(value) for key, value in data.items() if key != "kind"}
    problems: list[Problem] = [(key, UNKNOWN_KEY) for key in given if key not in known]
    problems += [(key, REQUIRED) for key in _REQUIRED.get(kind, ()) if given.get(key) is None]
    usable = {key: value for key, value in given.items() if key in known and value is not None}
    try:
        scale = make(**usable)
    except ScaleError as error:
        seen = {path for path, _ in problems}
        problems += [problem for problem in error.problems if problem[0] not in seen]
        raise ScaleError(problems) from error
    if problems:
        raise ScaleError(problems)
    return scale
