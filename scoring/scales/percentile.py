"""The scale that ranks an account among its peers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from .base import (
    DAILY_IS_NOT_KEPT,
    EXPECTED_CHOICE,
    EXPECTED_LIST,
    HIGHEST,
    MAX_REFERENCE,
    MUST_BE_SORTED,
    NO_SUCH_PEERS,
    NO_SUCH_SOURCE,
    TOO_FEW_PEERS,
    TOO_MANY_PEERS,
    Array,
    Beside,
    Pairs,
    Problem,
    Scale,
    number_problems,
    pair_problems,
)

TENANT, SEGMENT = "tenant", "segment"
VERSION, DAY = "version", "day"


@dataclass(frozen=True)
class Percentile(Scale):
    """Mid-rank among peers: the share of them below the value plus half of those equal to it.

    The peers are the accounts of the tenant or those of the account's segment (of the tenant, where the segment has fewer
    than 30), frozen in the version when it is published or taken anew each day and stored beside the scores. A version that
    has no peers yet is scored with those of the day, which are the ones that publishing would freeze.
    """

    kind: ClassVar[str] = "percentile"
    tenure_fits: ClassVar[bool] = False
    higher_is_better: bool = True
    peers: str = TENANT
    reference_of: str = VERSION
    reference: tuple[float, ...] = field(default=(), repr=False)
    segment_references: Pairs = field(default=(), repr=False)

    @property
    def daily(self) -> bool:
        """Whether the peers of the scored day are needed."""
        return self.reference_of == DAY or not self.reference

    def problems(self) -> list[Problem]:
        problems: list[Problem] = []
        if not isinstance(self.higher_is_better, bool):
            problems.append(("higher_is_better", EXPECTED_CHOICE))
        if self.peers not in (TENANT, SEGMENT):
            problems.append(("peers", NO_SUCH_PEERS))
        if self.reference_of not in (VERSION, DAY):
            problems.append(("reference_of", NO_SUCH_SOURCE))
        elif self.reference_of == DAY and (self.reference or self.segment_references):
            problems.append(("reference", DAILY_IS_NOT_KEPT))
        if self.reference != ():
            problems += _reference_problems("reference", self.reference)
        if faults := pair_problems("segment_references", self.segment_references):
            return problems + faults
        for segment, values in self.segment_references:
            problems += _reference_problems(f"segment_references.{segment}", values)
        return problems

    def scores(self, values: Array, beside: Beside) -> Array:
        if beside.peers is None:
            return self._ranks(values, np.asarray(self.reference, dtype=np.float64))
        out = np.full_like(values, np.nan)
        group = beside.peers.group
        order = np.argsort(group, kind="stable")
        cuts = np.searchsorted(group[order], np.arange(len(beside.peers.references) + 1))
        for place, reference in enumerate(beside.peers.references):
            rows = order[cuts[place] : cuts[place + 1]]
            out[rows] = self._ranks(values[rows], reference)
        return out

    def _ranks(self, values: Array, reference: Array) -> Array:
        if not len(reference):
            return np.full_like(values, np.nan)
        below = np.searchsorted(reference, values, side="left")
        not_above = np.searchsorted(reference, values, side="right")
        rank = HIGHEST * (below + not_above) / (2 * len(reference))
        return np.where(np.isnan(values), np.nan, rank if self.higher_is_better else HIGHEST - rank)


def _reference_problems(path: str, values: Any) -> list[Problem]:
    if not isinstance(values, tuple):
        return [(path, EXPECTED_LIST)]
    if not values:
        return [(path, TOO_FEW_PEERS)]
    if len(values) > MAX_REFERENCE:
        return [(path, TOO_MANY_PEERS)]
    problems = [
        problem
        for index, value in enumerate(values)
        for problem in number_problems(f"{path}[{index}]", value)
    ]
    if not problems and any(b < a for a, b in pairwise(values)):
        problems = [(path, MUST_BE_SORTED)]
    return problems
