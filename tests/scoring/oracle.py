"""The slow, obvious way to score one account, written from the specification and not from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scoring import scales
from scoring.bands import Bands
from scoring.engine import ComponentSpec, ModelSpec


@dataclass
class Answer:
    score: float | None
    band: int
    coverage: float
    values: list[float | None]
    points: list[float | None]
    missing: list[bool]
    exception: int = -1
    adjustment: float = 0.0


@dataclass
class Beside:
    """What is known of an account beside its values; one target and one list of peers for each measure."""

    targets: list[float | None]
    segment: str = ""
    tenure: int = 0
    peers: list[list[float] | None] | None = None


def scaled_value(scale: Any, value: float | None, beside: Beside, column: int) -> float | None:
    """One raw value on 0-100."""
    if value is None:
        return None
    if isinstance(scale, scales.ByTenure):
        reached = [part for start, part in scale.stages if start <= beside.tenure]
        scale = reached[-1] if reached else scale.stages[0][1]
    result = _raw_score(scale, value, beside, column)
    return None if result is None else min(100.0, max(0.0, result))


def _between(points: list[tuple[float, float]], value: float) -> float:
    if value <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return points[-1][1]


def _wanted(scale: scales.PercentOfTarget, beside: Beside, column: int) -> float | None:
    """The account's own target, else its segment's, else the measure's."""
    if beside.targets[column] is not None:
        return beside.targets[column]
    return dict(scale.segment_targets).get(beside.segment, scale.target)


def _raw_score(scale: Any, value: float, beside: Beside, column: int) -> float | None:
    match scale:
        case scales.Identity():
            return value
        case scales.PercentOfTarget():
            wanted = _wanted(scale, beside, column)
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
            peers = list(scale.reference) if beside.peers is None else beside.peers[column]
            if not peers:
                return None
            below = sum(1 for peer in peers if peer < value)
            equal = sum(1 for peer in peers if peer == value)
            rank = 100 * (below + equal / 2) / len(peers)
            return rank if scale.higher_is_better else 100 - rank
    raise AssertionError(scale)


def _filled(component: ComponentSpec, value: float | None, held: float | None) -> float | None:
    if value is not None:
        return value
    return {"exclude": None, "zero": 0.0, "neutral": 50.0, "hold": held}[component.missing]


def holds(operator: str, found: float, value: float) -> bool:
    """One comparison of an exception."""
    return {
        "<": found < value,
        "<=": found <= value,
        "=": found == value,
        ">=": found >= value,
        ">": found > value,
    }[operator]


def score_account(
    spec: ModelSpec, raw: list[float | None], beside: Beside, held: list[float | None]
) -> Answer:
    """Score one account, component by component, measure by measure, then exception by exception."""
    values: list[float | None] = []
    shares: list[float] = []
    grades: list[float | None] = []
    for component in spec.components:
        used: list[tuple[float, float]] = []
        present = 0.0
        for measure in component.measures:
            column = len(grades)
            scaled = scaled_value(measure.scale, raw[column], beside, column)
            grades.append(scaled)
            if scaled is not None:
                present += measure.weight
            filled = _filled(component, scaled, held[column])
            if filled is not None:
                used.append((filled, measure.weight))
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
    earned = round(sum(point for point in points if point is not None), 6)
    score, exception = earned, -1
    for place, rule in enumerate(spec.exceptions):
        found = (grades if rule.reads == "score" else raw)[rule.column]
        if found is not None and holds(rule.operator, found, rule.value) and rule.cap < score:
            score, exception = rule.cap, place
    band = 3 if score > spec.bands.above else 1 if score < spec.bands.below else 2
    if coverage < spec.coverage_min:
        band = 0
    return Answer(score, band, coverage, values, points, missing, exception, score - earned)


def bands_day_by_day(bands: Bands, scores: list[float | None], plain: list[int]) -> list[int]:
    """The bands of one account on days that follow each other, told as a person would.

    A band moves by one threshold at a time: it must be so many points beyond it, or have been across it on so many days.
    """
    shown: list[int] = []
    for day, score in enumerate(scores):
        if plain[day] == 0 or day == 0 or shown[-1] == 0 or score is None:
            shown.append(plain[day])
            continue
        band = shown[-1]
        if bands.runs > 1:
            last = plain[max(0, day - bands.runs + 1) : day + 1]
            while 0 in last:
                last = last[last.index(0) + 1 :]
            while all(other > band for other in last):
                band += 1
            while all(other < band for other in last):
                band -= 1
        else:
            up = {1: bands.below + bands.points, 2: bands.above + bands.points}
            down = {3: bands.above - bands.points, 2: bands.below - bands.points}
            if band == 1 and score >= up[1]:
                band = 2
            if band == 2 and score > up[2]:
                band = 3
            if band == 3 and score <= down[3]:
                band = 2
            if band == 2 and score < down[2]:
                band = 1
        shown.append(band)
    return shown
