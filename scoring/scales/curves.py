"""Scales that need nothing but the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import (
    AROUND_ONE,
    HIGHEST,
    LOWEST,
    MUST_DIFFER,
    TOO_FEW_POINTS,
    TOO_FEW_STEPS,
    ZERO_AFTER_FULL,
    Array,
    Beside,
    Problem,
    Scale,
    curve_problems,
    number_problems,
    score_problems,
)


@dataclass(frozen=True)
class Identity(Scale):
    """The value is a score already."""

    kind: ClassVar[str] = "identity"
    tenure_fits: ClassVar[bool] = False

    def problems(self) -> list[Problem]:
        return []

    def scores(self, values: Array, beside: Beside) -> Array:
        return values


@dataclass(frozen=True)
class Linear(Scale):
    """0 at `worst`, 100 at `best`, a straight line between; `best` may be the smaller one."""

    kind: ClassVar[str] = "linear"
    worst: float = 0.0
    best: float = 100.0

    def problems(self) -> list[Problem]:
        problems = number_problems("worst", self.worst) + number_problems("best", self.best)
        return problems or ([] if self.worst != self.best else [("best", MUST_DIFFER)])

    def scores(self, values: Array, beside: Beside) -> Array:
        low, high = sorted((self.worst, self.best))
        ends = (LOWEST, HIGHEST) if self.best > self.worst else (HIGHEST, LOWEST)
        return np.interp(values, (low, high), ends)


@dataclass(frozen=True)
class Piecewise(Scale):
    """A line through points (value, score), level outside them: no cliffs."""

    kind: ClassVar[str] = "piecewise"
    points: tuple[tuple[float, float], ...] = ()

    def problems(self) -> list[Problem]:
        return curve_problems("points", self.points, 2, TOO_FEW_POINTS)

    def scores(self, values: Array, beside: Beside) -> Array:
        return np.interp(values, [x for x, _ in self.points], [y for _, y in self.points])


@dataclass(frozen=True)
class Steps(Scale):
    """A staircase: the score of the highest step (from, score) that the value reaches, `below` under the first."""

    kind: ClassVar[str] = "steps"
    steps: tuple[tuple[float, float], ...] = ()
    below: float = 0.0

    def problems(self) -> list[Problem]:
        return curve_problems("steps", self.steps, 1, TOO_FEW_STEPS) + score_problems("below", self.below)

    def scores(self, values: Array, beside: Beside) -> Array:
        stairs = np.array([self.below, *(y for _, y in self.steps)], dtype=np.float64)
        reached = np.searchsorted([x for x, _ in self.steps], values, side="right")
        return np.where(np.isnan(values), np.nan, stairs[reached])


@dataclass(frozen=True)
class Inverse(Scale):
    """Lower is better: 100 up to `full_until`, 0 from `zero_at` on, a straight line between."""

    kind: ClassVar[str] = "inverse"
    full_until: float = 0.0
    zero_at: float = 100.0

    def problems(self) -> list[Problem]:
        problems = number_problems("full_until", self.full_until) + number_problems("zero_at", self.zero_at)
        return problems or ([] if self.zero_at > self.full_until else [("zero_at", ZERO_AFTER_FULL)])

    def scores(self, values: Array, beside: Beside) -> Array:
        return np.interp(values, (self.full_until, self.zero_at), (HIGHEST, LOWEST))


@dataclass(frozen=True)
class Change(Scale):
    """The ratio to the account's own baseline: 0 at `worst`, `same` where nothing changed (1), 100 at `best`."""

    kind: ClassVar[str] = "change"
    worst: float = 0.5
    best: float = 1.5
    same: float = 70.0

    def problems(self) -> list[Problem]:
        problems = number_problems("worst", self.worst) + number_problems("best", self.best)
        if not problems and not self.worst < 1 < self.best:
            problems = [("worst", AROUND_ONE)]
        return problems + score_problems("same", self.same)

    def scores(self, values: Array, beside: Beside) -> Array:
        return np.interp(values, (self.worst, 1.0, self.best), (LOWEST, self.same, HIGHEST))
