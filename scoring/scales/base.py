"""What every scale is, the words of its faults, and what it may be told beside the values."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Problem: TypeAlias = tuple[str, str]
Pairs: TypeAlias = tuple[tuple[str, Any], ...]  # a map from text, in the order of its keys

LOWEST, HIGHEST = 0.0, 100.0
MAX_POINTS = 50  # of a piecewise scale or a staircase: more is no scale that a person can judge
MAX_REFERENCE = 10_000  # peers kept with a percentile scale
MAX_STAGES = 10
MAX_WHOLE = 10**300  # Python's whole numbers have no end, a float has

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
EXPECTED_NAMES = "Enter names with a value each."
NO_SUCH_PEERS = "Peers are those of the tenant or of the segment."
NO_SUCH_SOURCE = "The reference is that of the version or of the day."
DAILY_IS_NOT_KEPT = "A reference of the day is not kept with the version."
MUST_BE_SORTED = "The reference must be sorted."
ZERO_AFTER_FULL = "The value that scores 0 must be greater than the one that scores 100."
EXPECTED_STAGES = "Enter a list of stages, each with from_days."
EXPECTED_DAYS = "Enter a whole number of days, 0 or more."
STARTS_AT_ZERO = "The first stage must start at day 0."
STAGES_MUST_RISE = "The stages must start later and later."
TOO_MANY_STAGES = "Enter at most 10 stages."
NO_TENURE = "This scale cannot depend on how long an account is with you."
AROUND_ONE = "The worst ratio must be below 1 and the best one above 1."


class ScaleError(ValueError):
    """A scale that makes no sense: `problems` lists every fault as (path, message)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.problems))


@dataclass(frozen=True)
class Segments:
    """The segment of each row: a place in `names`."""

    codes: NDArray[np.intp]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Peers:
    """The distribution that each row is held against: a place in `references`, -1 where there are too few peers."""

    group: NDArray[np.intp]
    references: tuple[Array, ...]  # each rising


@dataclass(frozen=True)
class Beside:
    """What a scale may be told of each row beside its value."""

    targets: Array | None = None
    tenure: Array | None = None  # days since go-live
    peers: Peers | None = None

    def pick(self, rows: NDArray[np.bool_]) -> Beside:
        """Some of the rows."""
        peers = None if self.peers is None else Peers(self.peers.group[rows], self.peers.references)
        return Beside(
            None if self.targets is None else self.targets[rows],
            None if self.tenure is None else self.tenure[rows],
            peers,
        )


ALONE = Beside()


@dataclass(frozen=True)
class Scale(ABC):
    """What every scale does: `apply` turns an array of raw values into scores."""

    kind: ClassVar[str] = ""
    tenure_fits: ClassVar[bool] = True  # whether it may have values of its own by tenure

    def __post_init__(self) -> None:
        if problems := self.problems():
            raise ScaleError(problems)

    @property
    def uses_targets(self) -> bool:
        """Whether it must be told a target."""
        return False

    @property
    def uses_tenure(self) -> bool:
        """Whether it must be told how long an account is there."""
        return False

    @abstractmethod
    def problems(self) -> list[Problem]:
        """Every fault of the parameters, as (path, message)."""

    @abstractmethod
    def scores(self, values: Array, beside: Beside) -> Array:
        """The scores of finite values; what leaves 0-100 is clipped by `apply`."""

    def apply(self, values: Array, beside: Beside = ALONE) -> Array:
        """Scores of 0-100, NaN where the value (or the target or the peers that it needs) is missing."""
        values = np.asarray(values, dtype=np.float64)
        if np.isinf(values).any():
            raise ValueError("A raw value is infinite.")
        return np.clip(self.scores(values, beside), LOWEST, HIGHEST)

    def targets(self, own: Array, segments: Segments, tenure: Array) -> Array:
        """The target that each row is held against: its own, here nothing else."""
        return own

    def to_dict(self) -> dict[str, Any]:
        """The scale as plain data, read back by `scale_from_dict`; empty lists and maps are left out."""
        out: dict[str, Any] = {"kind": self.kind}
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if value is None or (value == () and parameter.default == ()):
                continue
            if parameter.name.startswith("segment_"):
                out[parameter.name] = {name: plain(item) for name, item in value}
            else:
                out[parameter.name] = plain(value)
        return out


def plain(value: Any) -> Any:
    """Tuples as lists."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def frozen(value: Any) -> Any:
    """Lists as tuples, maps as pairs in the order of their keys."""
    if isinstance(value, Mapping):
        return tuple((str(key), frozen(value[key])) for key in sorted(value, key=str))
    return tuple(frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def pair_problems(path: str, value: Any) -> list[Problem]:
    """Whether it is a map from text."""
    good = isinstance(value, tuple) and all(
        isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) for item in value
    )
    return [] if good else [(path, EXPECTED_NAMES)]


def number_problems(path: str, value: Any) -> list[Problem]:
    """Whether the value is a finite number; a boolean is none."""
    return [] if is_number(value) else [(path, EXPECTED_NUMBER)]


def is_number(value: Any) -> bool:
    """A finite number that fits a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= MAX_WHOLE


def score_problems(path: str, value: Any) -> list[Problem]:
    if problems := number_problems(path, value):
        return problems
    return [] if LOWEST <= value <= HIGHEST else [(path, MUST_BE_SCORE)]


def curve_problems(path: str, pairs: Any, at_least: int, too_few: str) -> list[Problem]:
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
        problems += number_problems(f"{path}[{index}][0]", pair[0])
        problems += score_problems(f"{path}[{index}][1]", pair[1])
    if not problems:
        problems = [
            (f"{path}[{index}][0]", MUST_RISE)
            for index in range(1, len(pairs))
            if not pairs[index][0] > pairs[index - 1][0]
        ]
    return problems
