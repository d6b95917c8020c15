"""Bands: two thresholds, and how far or how long a score must be across one before the band changes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .scales import Array, Problem

Codes: TypeAlias = NDArray[np.int16]
Kind: TypeAlias = Literal["health", "pql"]

UNKNOWN, LOW, MIDDLE, HIGH = 0, 1, 2, 3  # band codes, as they are stored
BAND_NAMES: dict[Kind, tuple[str, str, str, str]] = {
    "health": ("unknown", "critical", "at_risk", "healthy"),
    "pql": ("unknown", "none", "medium", "high"),
}
MAX_HYSTERESIS_POINTS = 25.0
MAX_HYSTERESIS_RUNS = 14


@dataclass(frozen=True)
class Bands:
    """Two thresholds: strictly above the upper one is the best band, strictly below the lower one the worst.

    With `points`, a band changes only when the score is that far beyond the threshold; with `runs`, only when the score was
    across it on so many scored days in a row. 0 points and 1 run are no hysteresis; a version has one of the two.
    """

    kind: Kind = "health"
    above: float = 80.0
    below: float = 60.0
    points: float = 0.0
    runs: int = 1

    def classify(self, scores: Array, beyond: float = 0.0) -> Codes:
        """Band codes by the score alone, both thresholds moved up by `beyond`; a missing score is unknown."""
        codes = np.full(scores.shape, MIDDLE, dtype=np.int16)
        codes[scores > self.above + beyond] = HIGH
        codes[scores < self.below + beyond] = LOW
        codes[np.isnan(scores)] = UNKNOWN
        return codes

    def name(self, code: int) -> str:
        """The word of a stored band code."""
        return BAND_NAMES[self.kind][code]

    @property
    def remembers(self) -> int:
        """How many scored days before a day its band depends on."""
        if self.runs > 1:
            return self.runs - 1
        return 1 if self.points > 0 else 0

    def problems(self) -> list[Problem]:
        """Every fault of the thresholds, as (path, message)."""
        problems: list[Problem] = []
        if not 0 <= self.below <= self.above <= 100:
            problems.append(("bands", "The thresholds must lie between 0 and 100, the lower one first."))
        if not 0 <= self.points <= MAX_HYSTERESIS_POINTS:
            problems.append(("hysteresis.points", "Enter between 0 and 25 points."))
        elif not problems and self.points and not self._reachable():
            problems.append(
                (
                    "hysteresis.points",
                    "With so many points beyond the thresholds a band could never be reached.",
                )
            )
        if not 1 <= self.runs <= MAX_HYSTERESIS_RUNS:
            problems.append(("hysteresis.runs", "Enter between 1 and 14 days."))
        elif self.points and self.runs > 1:
            problems.append(("hysteresis", "Choose points or days, not both."))
        return problems

    def _reachable(self) -> bool:
        """Whether a score can still enter the best and the worst band; a threshold at 100 or 0 closes its band anyway."""
        best = self.above >= 100 or self.above + self.points < 100
        worst = self.below <= 0 or self.below - self.points > 0
        return best and worst

    def settle(
        self,
        scores: Array,
        plain: Codes,
        before: Sequence[tuple[Codes, Codes]] = (),
        kept: tuple[Codes, Codes, NDArray[np.bool_]] | None = None,
    ) -> Codes:
        """Bands of consecutive scored days with the memory that the thresholds ask for.

        `scores` and `plain` (bands by the score alone, unknown under the coverage minimum) have a row per day and a column
        per account; unknown also where the account was not scored. `before` are the scored days before the first one,
        oldest first, as (plain, shown); unknown where there is none. Unknown shows at once, and whoever comes out of it
        starts anew. `kept` are days that stand already, as (plain, shown, whether): those after them follow what stands.
        """
        plain, shown = plain.copy(), plain.copy()
        if not self.remembers:
            return shown
        history = list(before)
        for at in range(len(plain)):
            shown[at] = self._next(scores[at], plain[at], history)
            if kept is not None and at < len(kept[2]):
                there = kept[2][at]
                plain[at][there], shown[at][there] = kept[0][at][there], kept[1][at][there]
            history.append((plain[at], shown[at]))
        return shown

    def _next(self, scores: Array, plain: Codes, history: Sequence[tuple[Codes, Codes]]) -> Codes:
        """The band of one day: yesterday's, moved no further than today's score (or all the last days) ask for."""
        if not history:
            return plain
        last = history[-1][1]
        if self.runs > 1:
            lowest, highest = plain.copy(), plain.copy()
            open_run = np.ones(plain.shape, dtype=np.bool_)
            for early, _shown in reversed(history[-(self.runs - 1) :]):
                open_run &= early != UNKNOWN  # days before an unknown one do not count
                lowest = np.where(open_run, np.minimum(lowest, early), lowest).astype(np.int16)
                highest = np.where(open_run, np.maximum(highest, early), highest).astype(np.int16)
        else:
            lowest, highest = self.classify(scores, self.points), self.classify(scores, -self.points)
        moved = np.clip(last, lowest, highest).astype(np.int16)
        return np.where((plain == UNKNOWN) | (last == UNKNOWN), plain, moved).astype(np.int16)
