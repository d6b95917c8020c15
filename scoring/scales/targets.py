"""The scale that holds a value against a target: the account's own, else its segment's, else the measure's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import (
    HIGHEST,
    MUST_BE_POSITIVE,
    Array,
    Beside,
    Pairs,
    Problem,
    Scale,
    Segments,
    number_problems,
    pair_problems,
)


@dataclass(frozen=True)
class PercentOfTarget(Scale):
    """Value ÷ target, 100 at the target and above. The account's own target wins, then its segment's, then `target`."""

    kind: ClassVar[str] = "percent_of_target"
    target: float | None = None
    segment_targets: Pairs = ()

    @property
    def uses_targets(self) -> bool:
        """Always: an account's own wins."""
        return True

    def problems(self) -> list[Problem]:
        problems = [] if self.target is None else _target_problems("target", self.target)
        if faults := pair_problems("segment_targets", self.segment_targets):
            return problems + faults
        for segment, value in self.segment_targets:
            problems += _target_problems(f"segment_targets.{segment}", value)
        return problems

    def targets(self, own: Array, segments: Segments, tenure: Array) -> Array:
        """The target of each row; NaN where there is none at all."""
        by_name = dict(self.segment_targets)
        usual = np.nan if self.target is None else self.target
        known = np.array([by_name.get(name, usual) for name in segments.names], dtype=np.float64)
        return np.where(np.isnan(own), known[segments.codes], own)

    def scores(self, values: Array, beside: Beside) -> Array:
        wanted = np.full_like(values, np.nan) if beside.targets is None else beside.targets
        if self.target is not None:
            wanted = np.where(np.isnan(wanted), self.target, wanted)
        # A target of nothing cannot be reached by a share of it: the account has no target.
        wanted = np.where(np.isfinite(wanted) & (wanted > 0), wanted, np.nan)
        with np.errstate(over="ignore"):
            return HIGHEST * (values / wanted)


def _target_problems(path: str, value: float) -> list[Problem]:
    if problems := number_problems(path, value):
        return problems
    return [] if value > 0 else [(path, MUST_BE_POSITIVE)]
