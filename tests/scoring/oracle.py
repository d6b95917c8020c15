"""The slow, obvious way to score one account, written from the specification and not from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scoring import scales
from scoring.engine import ComponentSpec, ModelSpec


@dataclass
class Answer:
    score: float | None
    band: int
    coverage: float
    values: list[float | None]
    points: list[float | None]
    missing: list[bool]


def scaled_value(scale: Any, value: float | None, target: float | None) -> float | None:
    """One raw value on 0-100."""
    if value is None:
        return None
    result = _raw_score(scale, value, target)
    return None if result is None else min(100.0, max(0.0, result))


def _between(points: list[tuple[float, float]], value: float) -> float:
    if value <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return points[-1][1]


def _raw_score(scale: Any, value: float, target: float | None) -> float | None:
    match scale:
        case scales.Identity():
            return value
        case scales.PercentOfTarget():
            wanted = target if target is not None else scale.target
            return None if wanted is None or wanted <= 0 else 100 * value / wanted
        case scales.Linear():
            return 100 * (value - scale.worst) / (scale.best - scale.worst)
        case scales.Inverse():
            return 100 * (scale.zero_at - value) / (scale.zero_at - scale.full_until)
        case scales.Piecewise():
            return _between(list(scale.points), value)
        case scales.Change():
            return _between([(scale.worst, 0), (1, scale.same), (scale.best, 100)], value)
        case scales.Steps():
            reached = [score for start, score in scale.steps if value >= start]
            return reached[-1] if reached else scale.below
        case scales.Percentile():
            below = sum(1 for peer in scale.reference if peer < value)
            equal = sum(1 for peer in scale.reference if peer == value)
            rank = 100 * (below + equal / 2) / len(scale.reference)
            return rank if scale.higher_is_better else 100 - rank
    raise AssertionError(scale)


def _filled(component: ComponentSpec, value: float | None, held: float | None) -> float | None:
    if value is not None:
        return value
    return {"exclude": None, "zero": 0.0, "neutral": 50.0, "hold": held}[component.missing]


def score_account(
    spec: ModelSpec, raw: list[float | None], targets: list[float | None], held: list[float | None]
) -> Answer:
    """Score one account, component by component, measure by measure."""
    values: list[float | None] = []
    shares: list[float] = []
    column = 0
    for component in spec.components:
        used: list[tuple[float, float]] = []
        present = 0.0
        for measure in component.measures:
            scaled = scaled_value(measure.scale, raw[column], targets[column])
            if scaled is not None:
                present += measure.weight
            filled = _filled(component, scaled, held[column])
            if filled is not None:
                used.append((filled, measure.weight))
            column += 1
        shares.append(present / sum(measure.weight for measure in component.measures))
        if not used:
            values.append(None)
        elif component.combine == "min":
            values.append(min(value for value, _ in used))
        elif component.combine == "max":
            values.append(max(value for value, _ in used))
        else:
            values.append(sum(v * w for v, w in used) / sum(w for _, w in used))
    weights = [component.weight for component in spec.components]
    covered = sum(weight * share for weight, share in zip(weights, shares, strict=True))
    coverage = covered / sum(weights)
    there = sum(weight for weight, value in zip(weights, values, strict=True) if value is not None)
    missing = [share == 0 for share in shares]
    if covered == 0 or there == 0:
        return Answer(None, 0, coverage, values, [None] * len(weights), missing)
    points = [
        None if value is None else value * weight / there
        for weight, value in zip(weights, values, strict=True)
    ]
    score = round(sum(point for point in points if point is not None), 6)
    band = 3 if score > spec.bands.above else 1 if score < spec.bands.below else 2
    if coverage < spec.coverage_min:
        band = 0
    return Answer(score, band, coverage, values, points, missing)
