"""Were overrides right? Pure arithmetic on what was said and what came of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from scoring.bands import LOW, UNKNOWN

LEAST_TO_SAY = 10  # fewer judged overrides say nothing about anybody
Z95 = 1.959963984540054


class Judgement(StrEnum):
    """How an override turned out."""

    RIGHT = "right"
    WRONG = "wrong"
    NEITHER = "neither"  # what came lies as far from what was said as from what was computed
    AGREED = "agreed"  # it said the band that was computed: nothing to judge
    OPEN = "open"  # what came of it is not known yet, or has no band


def judge(said: int, computed: int, later: int | None, churned: bool) -> Judgement:
    """Compare the band that was said and the one that was computed then with the one that came, as band codes.

    A churned account came out critical. Whoever was nearer to what came was right; of two bands each away from it neither.
    """
    came = LOW if churned else later
    if computed == said:
        return Judgement.AGREED
    if came is None or UNKNOWN in (came, computed):
        return Judgement.OPEN
    said_off, computed_off = abs(came - said), abs(came - computed)
    if said_off == computed_off:
        return Judgement.NEITHER
    return Judgement.RIGHT if said_off < computed_off else Judgement.WRONG


@dataclass(frozen=True)
class Record:
    """The overrides of one member (or of all) that have ended long enough ago."""

    who: Hashable
    right: int
    wrong: int
    neither: int
    other: int  # agreed with the score, or nothing came yet

    @property
    def judged(self) -> int:
        """Those that can be called right or wrong."""
        return self.right + self.wrong

    @property
    def ended(self) -> int:
        """All that have ended long enough ago."""
        return self.judged + self.neither + self.other

    @property
    def says_something(self) -> bool:
        """Whether there are enough to speak of a share."""
        return self.judged >= LEAST_TO_SAY

    @property
    def share(self) -> float | None:
        """The share that was right, 0-1; None of nothing."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share, 0-1."""
        return wilson(self.right, self.judged)


def wilson(hits: int, trials: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share; None of nothing."""
    if not trials:
        return None
    share, square = hits / trials, Z95 * Z95
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    reach = Z95 / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def records(judged: Iterable[tuple[Hashable, Judgement]]) -> list[Record]:
    """One record per member, most judged first; the sum of all of them is the last one, with `who` None."""
    counts: dict[Hashable, dict[Judgement, int]] = {}
    total = dict.fromkeys(Judgement, 0)
    for who, judgement in judged:
        counts.setdefault(who, dict.fromkeys(Judgement, 0))[judgement] += 1
        total[judgement] += 1
    each = [_record(who, found) for who, found in counts.items()]
    return [
        *sorted(each, key=lambda record: (-record.judged, -record.ended, str(record.who))),
        _record(None, total),
    ]


def _record(who: Hashable, found: dict[Judgement, int]) -> Record:
    return Record(
        who,
        found[Judgement.RIGHT],
        found[Judgement.WRONG],
        found[Judgement.NEITHER],
        found[Judgement.AGREED] + found[Judgement.OPEN],
    )
