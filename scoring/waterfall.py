"""Why a score moved: the difference of two stored scores split by component and cause, adding up exactly. Pure.

A score is S = Σ w·v ÷ W over the components that count (w their weight, v their value, W = Σ w). The way from the earlier
score to the later one is walked in steps, and each step is shared out among the components without any left over:

1. **model changed** (only where the versions differ): the raw values of the earlier day are scored by the later version
   (`recomputed`). What the later version reads and the earlier one did not is taken from the later day: it is the model that
   looks at something new, nothing has moved. Each component gets the difference of its points.
2. **went stale**: measures that are known on the earlier day and not on the later one are taken away.
3. **moved**: what is known on both days goes from the earlier value to the later one.
4. **came back**: what is known only on the later day is put in.

In the steps 2 to 4 the weights stay, but a component that leaves or enters changes everybody's share. With the components C
that count before and after the step, of weight Wc, the step from S over S₁ and S₂ to S′ is

    left:    w·(S − v) ÷ Wc       for each that left       (their sum is S₁ − S)
    stayed:  w·(v′ − v) ÷ Wc      for each that stayed     (S₂ − S₁)
    entered: w·(v′ − S₂) ÷ W′     for each that entered    (S′ − S₂)

so that whoever left owns what its leaving did to the others' shares. Where nothing stays (Wc = 0) those that left give back
their points and those that enter bring theirs.

5. **exception**: whatever a cap of the model took from the points, or gave back (score − Σ points, later minus earlier).
6. **override**: what people saw beside what was computed; a bar of its own, behind the computed score.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from .engine import NEUTRAL_VALUE

Known: TypeAlias = float | None
NOTHING = 1e-9  # an amount below this is the arithmetic of floats
ROUNDING = 2e-6  # stored scores are rounded to 1e-6: so much may be left over without a cause


class Cause(StrEnum):
    """Why a part of the difference is there."""

    MODEL = "model"
    STALE = "stale"
    MOVED = "moved"
    BACK = "back"
    EXCEPTION = "exception"
    OVERRIDE = "override"


class Verdict(StrEnum):
    """Whether there is a difference at all."""

    COMPARED = "compared"
    APPEARED = "appeared"  # there was no score before
    VANISHED = "vanished"  # there is none any more
    NEVER = "never"  # there is none on either day


@dataclass(frozen=True)
class Component:
    """A component as a stored score holds it; `value` is None where it did not count."""

    key: str
    weight: float
    value: Known
    scaled: tuple[Known, ...] = ()
    measure_weights: tuple[float, ...] = ()
    policy: str = "exclude"
    combine: str = "mean"

    @property
    def is_fresh(self) -> bool:
        """Whether any of its measures was known."""
        return any(value is not None for value in self.scaled)


@dataclass(frozen=True)
class Snapshot:
    """A stored score: what was computed, from what, and what people saw instead if it was overridden."""

    version: Hashable
    score: Known
    components: tuple[Component, ...]
    override: Known = None


@dataclass(frozen=True)
class Part:
    """A part of the difference; `key` is the component's, empty for exceptions and overrides."""

    key: str
    cause: Cause
    amount: float


@dataclass(frozen=True)
class Waterfall:
    """The way from the earlier score to the later one; the parts add up to the difference of what was shown."""

    verdict: Verdict
    before: Known
    after: Known
    parts: tuple[Part, ...] = ()
    model_changed: bool = False

    @property
    def computed(self) -> tuple[Part, ...]:
        """The parts of the computed score; they add up to its difference."""
        return tuple(part for part in self.parts if part.cause != Cause.OVERRIDE)

    def by_cause(self) -> dict[Cause, float]:
        """What each cause did in all, in the order of the steps; only causes that did something."""
        sums = {
            cause: math.fsum(part.amount for part in self.parts if part.cause == cause) for cause in Cause
        }
        seen = {part.cause for part in self.parts}
        return {cause: amount for cause, amount in sums.items() if cause in seen}


def split(before: Snapshot, after: Snapshot, recomputed: Snapshot | None = None) -> Waterfall:
    """The difference of two stored scores by component and cause.

    `recomputed` is the earlier day under the later version and must be there where the versions differ (see `mixed_raw`).
    """
    changed = before.version != after.version
    if before.score is None or after.score is None:
        return Waterfall(_verdict(before.score, after.score), before.score, after.score, (), changed)
    if changed and (recomputed is None or recomputed.version != after.version):
        raise ValueError("Scores of two versions need the earlier day under the later version.")
    parts: list[Part] = []
    start = before
    if changed and recomputed is not None:
        parts += _points_differences(before, recomputed)
        start = recomputed
    parts += _data_parts(start, after)
    parts = _settle(parts, after.score - before.score)
    shown = (_shown(after) - after.score) - (_shown(before) - before.score)
    if shown:
        parts.append(Part("", Cause.OVERRIDE, shown))
    return Waterfall(Verdict.COMPARED, before.score, after.score, tuple(parts), changed)


def _verdict(before: Known, after: Known) -> Verdict:
    if before is None and after is None:
        return Verdict.NEVER
    return Verdict.APPEARED if before is None else Verdict.VANISHED


def _shown(snapshot: Snapshot) -> float:
    shown = snapshot.score if snapshot.override is None else snapshot.override
    assert shown is not None  # asked only where both days have a score
    return shown


def _settle(parts: list[Part], difference: float) -> list[Part]:
    """Parts that did something, and what the points do not explain: a cap, or only the rounding of the stored scores."""
    kept = [part for part in parts if abs(part.amount) > NOTHING]
    rest = difference - math.fsum(part.amount for part in kept)
    if abs(rest) > ROUNDING:
        return [*kept, Part("", Cause.EXCEPTION, rest)]
    if kept:
        largest = max(range(len(kept)), key=lambda place: abs(kept[place].amount))
        kept[largest] = replace(kept[largest], amount=kept[largest].amount + rest)
    return kept


def _points_differences(before: Snapshot, after: Snapshot) -> list[Part]:
    """Model changed: for each component of either version, its points now less its points before."""
    old, new = _points(before.components), _points(after.components)
    keys = [*new, *(key for key in old if key not in new)]
    return [Part(key, Cause.MODEL, new.get(key, 0.0) - old.get(key, 0.0)) for key in keys]


def _points(components: Sequence[Component]) -> dict[str, float]:
    """Value times weight over all weights that count."""
    whole = math.fsum(part.weight for part in components if part.value is not None)
    return {
        part.key: 0.0 if part.value is None or not whole else part.value * part.weight / whole
        for part in components
    }


def _data_parts(before: Snapshot, after: Snapshot) -> list[Part]:
    """Went stale, moved, came back: three steps under one version."""
    pairs = list(zip(before.components, after.components, strict=True))
    old = [part.value for part, _ in pairs]
    ways = [_between(earlier, later) for earlier, later in pairs]
    without, moved = [way[0] for way in ways], [way[1] for way in ways]
    new = [part.value for _, part in pairs]
    weights = [part.weight for part, _ in pairs]
    keys = [part.key for part, _ in pairs]
    steps = ((Cause.STALE, old, without), (Cause.MOVED, without, moved), (Cause.BACK, moved, new))
    parts = []
    for cause, here, there in steps:
        amounts = _share_out(weights, here, there)
        parts += [Part(key, cause, amount) for key, amount in zip(keys, amounts, strict=True) if amount]
    return parts


def _between(before: Component, after: Component) -> tuple[Known, Known]:
    """A component's value with only what both days know: as it was, and as it is.

    Measures that one day alone knows get what the component's policy says of missing ones. A held value is the last one that
    was known, so a component that holds has moved and is not stale as long as any of its measures is fresh.
    """
    both = [
        place
        for place, (old, new) in enumerate(zip(before.scaled, after.scaled, strict=True))
        if old is not None and new is not None
    ]
    if not both:
        # A zero or neutral component counts all the same; a held one has its last value on the day that lacks data.
        fill = _filled(before.policy)
        if before.policy == "hold":
            fill = after.value if not after.is_fresh else before.value if not before.is_fresh else None
        return fill, fill
    if before.policy == "hold":
        return before.value, after.value
    lost = any(old is not None and new is None for old, new in zip(before.scaled, after.scaled, strict=True))
    won = any(old is None and new is not None for old, new in zip(before.scaled, after.scaled, strict=True))
    return (
        _merged(before, both) if lost else before.value,
        _merged(after, both) if won else after.value,
    )


def _filled(policy: str) -> Known:
    """What a missing value counts as."""
    return {"zero": 0.0, "neutral": NEUTRAL_VALUE}.get(policy)


def _merged(component: Component, places: Sequence[int]) -> Known:
    """The component's value with only these measures known."""
    fill = _filled(component.policy)
    known = [component.scaled[place] if place in places else fill for place in range(len(component.scaled))]
    there = [
        (weight, value)
        for weight, value in zip(component.measure_weights, known, strict=True)
        if value is not None
    ]
    if not there:
        return None
    if component.combine == "min":
        return min(value for _, value in there)
    if component.combine == "max":
        return max(value for _, value in there)
    return math.fsum(weight * value for weight, value in there) / math.fsum(weight for weight, _ in there)


def _share_out(weights: Sequence[float], here: Sequence[Known], there: Sequence[Known]) -> list[float]:
    """One step, shared out among the components; the amounts add up to the difference of the two weighted means."""
    rows = list(zip(weights, here, there, strict=True))
    stays = [(w, a, b) for w, a, b in rows if a is not None and b is not None]
    kept = math.fsum(w for w, _, _ in stays)
    weight_here = math.fsum(w for w, a, _ in rows if a is not None)
    weight_there = math.fsum(w for w, _, b in rows if b is not None)
    if kept <= 0:
        return [
            (0.0 if b is None or not weight_there else w * b / weight_there)
            - (0.0 if a is None or not weight_here else w * a / weight_here)
            for w, a, b in rows
        ]
    mean_here = math.fsum(w * a for w, a, _ in rows if a is not None) / weight_here
    mean_stayed = math.fsum(w * b for w, _, b in stays) / kept
    amounts = []
    for w, a, b in rows:
        if a is not None and b is not None:
            amounts.append(w * (b - a) / kept)
        elif a is not None:
            amounts.append(w * (mean_here - a) / kept)
        elif b is not None:
            amounts.append(w * (b - mean_stayed) / weight_there)
        else:
            amounts.append(0.0)
    return amounts


def mixed_raw(
    old_sources: Sequence[Any], old: Sequence[Known], new_sources: Sequence[Any], new: Sequence[Known]
) -> list[Known]:
    """The earlier day's raw values in the order of the later version's measures.

    A measure that the earlier version did not read has no value of that day: the later day's stands in for it.
    """
    first: dict[Any, int] = {}
    for place, source in enumerate(old_sources):
        first.setdefault(source, place)
    return [old[first[source]] if source in first else new[place] for place, source in enumerate(new_sources)]
