"""Scales: how a raw measure becomes 0-100. Pure arithmetic on arrays.

NaN is a missing value and stays missing; an infinite value is a fault of the caller and is refused; what comes out lies
between 0 and 100. A scale is data: `scale_from_dict` reads it, reports every fault at once, and `to_dict` writes it back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Problem: TypeAlias = tuple[str, str]

LOWEST, HIGHEST = 0.0, 100.0
MAX_POINTS = 50  # of a piecewise scale or a staircase: more is no scale that a person can judge
MAX_REFERENCE = 10_000  # peers kept with a percentile scale

# The words of a fault are fixed sentences: the surfaces translate them, the path says where.
EXPECTED_NUMBER = "Enter a number."
EXPECTED_PAIRS = "Enter a list of pairs of numbers."
EXPECTED_LIST = "Enter a list of numbers."
EXPECTED_CHOICE = "Enter true or false."
REQUIRED = "This value is required."
UNKNOWN_KEY = "This scale has no such value."
UNKNOWN_KIND = "There is no such scale."
MUST_BE_POSITIVE = "Enter a number greater than 0."
MUST_DIFFER = "The best and the worst value must differ."
MUST_BE_SCORE = "Enter a score between 0 and 100."
MUST_RISE = "The values must rise from one point to the next."
TOO_FEW_POINTS = "Enter at least 2 points."
TOO_FEW_STEPS = "Enter at least 1 step."
TOO_MANY_POINTS = "Enter at most 50 points."
TOO_FEW_PEERS = "The reference needs at least 1 value."
TOO_MANY_PEERS = "The reference can hold at most 10,000 values."
MUST_BE_SORTED = "The reference must be sorted."
ZERO_AFTER_FULL = "The value that scores 0 must be greater than the one that scores 100."
AROUND_ONE = "The worst ratio must be below 1 and the best one above 1."


class ScaleError(ValueError):
    """A scale that makes no sense: `problems` lists every fault as (path, message)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.problems))


@dataclass(frozen=True)
class Scale:
    """What every scale does: `apply` turns an array of raw values into scores."""

    kind: ClassVar[str] = ""
    uses_targets: ClassVar[bool] = False  # whether an account's own target changes the score

    def __post_init__(self) -> None:
        if problems := self.problems():
            raise ScaleError(problems)

    def problems(self) -> list[Problem]:
        """Every fault of the parameters, as (path, message)."""
        raise NotImplementedError

    def scores(self, values: Array, targets: Array | None) -> Array:
        """The scores of finite values; what leaves 0-100 is clipped by `apply`."""
        raise NotImplementedError

    def apply(self, values: Array, targets: Array | None = None) -> Array:
        """Scores of 0-100, NaN where the value (or the target it needs) is missing."""
        values = np.asarray(values, dtype=np.float64)
        if np.isinf(values).any():
            raise ValueError("A raw value is infinite.")
        return np.clip(self.scores(values, targets), LOWEST, HIGHEST)

    def to_dict(self) -> dict[str, Any]:
        """The scale as plain data, read back by `scale_from_dict`."""
        out: dict[str, Any] = {"kind": self.kind}
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if value is not None:
                out[parameter.name] = _plain(value)
        return out


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _number_problems(path: str, value: Any) -> list[Problem]:
    """Whether the value is a finite number; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return [(path, EXPECTED_NUMBER)]
    return []


def _score_problems(path: str, value: Any) -> list[Problem]:
    if problems := _number_problems(path, value):
        return problems
    return [] if LOWEST <= value <= HIGHEST else [(path, MUST_BE_SCORE)]


def _curve_problems(path: str, pairs: Any, at_least: int, too_few: str) -> list[Problem]:
    """Faults of a list of (value, score): numbers, scores within 0-100, values rising."""
    if not isinstance(pairs, tuple):
        return [(path, EXPECTED_PAIRS)]
    if len(pairs) < at_least:
        return [(path, too_few)]
    if len(pairs) > MAX_POINTS:
        return [(path, TOO_MANY_POINTS)]
    problems: list[Problem] = []
    for index, pair in enumerate(pairs):
        if not isinstance(pair, tuple) or len(pair) != 2:
            problems.append((f"{path}[{index}]", EXPECTED_PAIRS))
            continue
        problems += _number_problems(f"{path}[{index}][0]", pair[0])
        problems += _score_problems(f"{path}[{index}][1]", pair[1])
    if not problems:
        problems = [
            (f"{path}[{index}][0]", MUST_RISE)
            for index in range(1, len(pairs))
            if not pairs[index][0] > pairs[index - 1][0]
        ]
    return problems


@dataclass(frozen=True)
class Identity(Scale):
    """The value is a score already."""

    kind: ClassVar[str] = "identity"

    def problems(self) -> list[Problem]:
        return []

    def scores(self, values: Array, targets: Array | None) -> Array:
        return values


@dataclass(frozen=True)
class PercentOfTarget(Scale):
    """Value ÷ target, 100 at the target and above. An account's own target wins over the one given here."""

    kind: ClassVar[str] = "percent_of_target"
    uses_targets: ClassVar[bool] = True
    target: float | None = None

    def problems(self) -> list[Problem]:
        if self.target is None:
            return []
        if problems := _number_problems("target", self.target):
            return problems
        return [] if self.target > 0 else [("target", MUST_BE_POSITIVE)]

    def scores(self, values: Array, targets: Array | None) -> Array:
        wanted = np.full_like(values, np.nan) if targets is None else np.asarray(targets, dtype=np.float64)
        if self.target is not None:
            wanted = np.where(np.isnan(wanted), self.target, wanted)
        # A target of nothing cannot be reached by a share of it: the account has no target.
        wanted = np.where(np.isfinite(wanted) & (wanted > 0), wanted, np.nan)
        with np.errstate(over="ignore"):
            return HIGHEST * (values / wanted)


@dataclass(frozen=True)
class Linear(Scale):
    """0 at `worst`, 100 at `best`, a straight line between; `best` may be the smaller one."""

    kind: ClassVar[str] = "linear"
    worst: float = 0.0
    best: float = 100.0

    def problems(self) -> list[Problem]:
        problems = _number_problems("worst", self.worst) + _number_problems("best", self.best)
        return problems or ([] if self.worst != self.best else [("best", MUST_DIFFER)])

    def scores(self, values: Array, targets: Array | None) -> Array:
        low, high = sorted((self.worst, self.best))
        ends = (LOWEST, HIGHEST) if self.best > self.worst else (HIGHEST, LOWEST)
        return np.interp(values, (low, high), ends)


@dataclass(frozen=True)
class Piecewise(Scale):
    """A line through points (value, score), level outside them: no cliffs."""

    kind: ClassVar[str] = "piecewise"
    points: tuple[tuple[float, float], ...] = ()

    def problems(self) -> list[Problem]:
        return _curve_problems("points", self.points, 2, TOO_FEW_POINTS)

    def scores(self, values: Array, targets: Array | None) -> Array:
        return np.interp(values, [x for x, _ in self.points], [y for _, y in self.points])


@dataclass(frozen=True)
class Steps(Scale):
    """A staircase: the score of the highest step (from, score) that the value reaches, `below` under the first."""

    kind: ClassVar[str] = "steps"
    steps: tuple[tuple[float, float], ...] = ()
    below: float = 0.0

    def problems(self) -> list[Problem]:
        return _curve_problems("steps", self.steps, 1, TOO_FEW_STEPS) + _score_problems("below", self.below)

    def scores(self, values: Array, targets: Array | None) -> Array:
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
        problems = _number_problems("full_until", self.full_until) + _number_problems("zero_at", self.zero_at)
        return problems or ([] if self.zero_at > self.full_until else [("zero_at", ZERO_AFTER_FULL)])

    def scores(self, values: Array, targets: Array | None) -> Array:
        return np.interp(values, (self.full_until, self.zero_at), (HIGHEST, LOWEST))


@dataclass(frozen=True)
class Percentile(Scale):
    """Mid-rank among frozen peers: the share of `reference` below the value plus half of those equal to it."""

    kind: ClassVar[str] = "percentile"
    reference: tuple[float, ...] = field(default=(), repr=False)
    higher_is_better: bool = True

    def problems(self) -> list[Problem]:
        choice: list[Problem] = []
        if not isinstance(self.higher_is_better, bool):
            choice = [("higher_is_better", EXPECTED_CHOICE)]
        if not isinstance(self.reference, tuple):
            return [("reference", EXPECTED_LIST), *choice]
        if not self.reference:
            return [("reference", TOO_FEW_PEERS), *choice]
        if len(self.reference) > MAX_REFERENCE:
            return [("reference", TOO_MANY_PEERS), *choice]
        problems = [
            problem
            for index, value in enumerate(self.reference)
            for problem in _number_problems(f"reference[{index}]", value)
        ]
        if not problems and any(b < a for a, b in zip(self.reference, self.reference[1:], strict=False)):
            problems = [("reference", MUST_BE_SORTED)]
        return problems + choice

    def scores(self, values: Array, targets: Array | None) -> Array:
        peers = np.asarray(self.reference, dtype=np.float64)
        below = np.searchsorted(peers, values, side="left")
        not_above = np.searchsorted(peers, values, side="right")
        rank = HIGHEST * (below + not_above) / (2 * len(peers))
        return np.where(np.isnan(values), np.nan, rank if self.higher_is_better else HIGHEST - rank)


@dataclass(frozen=True)
class Change(Scale):
    """The ratio to the account's own baseline: 0 at `worst`, `same` where nothing changed (1), 100 at `best`."""

    kind: ClassVar[str] = "change"
    worst: float = 0.5
    best: float = 1.5
    same: float = 70.0

    def problems(self) -> list[Problem]:
        problems = _number_problems("worst", self.worst) + _number_problems("best", self.best)
        if not problems and not self.worst < 1 < self.best:
            problems = [("worst", AROUND_ONE)]
        return problems + _score_problems("same", self.same)

    def scores(self, values: Array, targets: Array | None) -> Array:
        return np.interp(values, (self.worst, 1.0, self.best), (LOWEST, self.same, HIGHEST))


SCALES: dict[str, type[Scale]] = {
    scale.kind: scale
    for scale in (PercentOfTarget, Linear, Piecewise, Steps, Inverse, Percentile, Change, Identity)
}

_REQUIRED: dict[str, tuple[str, ...]] = {
    "linear": ("worst", "best"),
    "piecewise": ("points",),
    "steps": ("steps",),
    "inverse": ("full_until", "zero_at"),
    "percentile": ("reference",),
}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def scale_from_dict(data: Mapping[str, Any]) -> Scale:
    """Read `{"kind": …, parameters…}`; raises `ScaleError` with every fault."""
    make: Callable[..., Scale] | None = SCALES.get(str(data.get("kind", "")))
    if make is None:
        raise ScaleError([("kind", UNKNOWN_KIND)])
    kind = str(data["kind"])
    known = {parameter.name for parameter in fields(SCALES[kind])}
    given = {key: _frozen(value) for key, value in data.items() if key != "kind"}
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
