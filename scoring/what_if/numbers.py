"""Two scorings of the same accounts side by side, in numbers that add up over chunks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.scales import Array

BINS = 20
BIN_WIDTH = 100 // BINS
BAND_CODES = 4  # unknown, worst, middle, best
Ints = NDArray[np.int64]


def _square() -> list[list[int]]:
    return [[0] * BAND_CODES for _ in range(BAND_CODES)]


@dataclass
class Side:
    """One version's distribution: bins of five points, and what is needed for the mean."""

    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    scored: int = 0
    total: float = 0.0
    unknown: int = 0

    @property
    def mean(self) -> float | None:
        """The mean score of accounts with a band."""
        return self.total / self.scored if self.scored else None

    def add(self, other: Side) -> None:
        """Take in another part of the accounts."""
        self.histogram = [a + b for a, b in zip(self.histogram, other.histogram, strict=True)]
        self.scored += other.scored
        self.total += other.total
        self.unknown += other.unknown


@dataclass
class Numbers:
    """What changes for a set of accounts: `matrix[from][to]` counts accounts by band code, `mrr` their money in cents."""

    accounts: int = 0
    moved: int = 0  # the score or the band differs
    rose: int = 0
    fell: int = 0
    matrix: list[list[int]] = field(default_factory=_square)
    mrr: list[list[int]] = field(default_factory=_square)
    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)

    @property
    def changed(self) -> int:
        """Accounts that change band."""
        return sum(
            count for start, row in enumerate(self.matrix) for end, count in enumerate(row) if start != end
        )

    @property
    def changed_mrr_cents(self) -> int:
        """The money of accounts that change band."""
        return sum(
            cents for start, row in enumerate(self.mrr) for end, cents in enumerate(row) if start != end
        )

    def add(self, other: Numbers) -> None:
        """Take in another part of the accounts."""
        self.accounts += other.accounts
        self.moved += other.moved
        self.rose += other.rose
        self.fell += other.fell
        for own, more in ((self.matrix, other.matrix), (self.mrr, other.mrr)):
            for start in range(BAND_CODES):
                for end in range(BAND_CODES):
                    own[start][end] += more[start][end]
        self.before.add(other.before)
        self.after.add(other.after)

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "accounts": self.accounts,
            "moved": self.moved,
            "rose": self.rose,
            "fell": self.fell,
            "matrix": self.matrix,
            "mrr": self.mrr,
            "before": vars(self.before),
            "after": vars(self.after),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Numbers:
        """Read back; nothing stored is nothing compared."""
        if not data:
            return cls()
        plain = {name: data[name] for name in ("accounts", "moved", "rose", "fell", "matrix", "mrr")}
        return cls(**plain, before=Side(**data["before"]), after=Side(**data["after"]))


def moves(
    score_before: Array, band_before: NDArray[Any], score_after: Array, band_after: NDArray[Any]
) -> NDArray[np.bool_]:
    """For which accounts the score or the band differs; two missing scores are the same."""
    same = (score_before == score_after) | (np.isnan(score_before) & np.isnan(score_after))
    return np.asarray(~same | (band_before != band_after), dtype=np.bool_)


def _side(score: Array, band: NDArray[Any]) -> Side:
    known = (band > 0) & ~np.isnan(score)
    bins = np.minimum((score[known] // BIN_WIDTH).astype(np.int64), BINS - 1)
    return Side(
        np.bincount(bins, minlength=BINS).tolist(),
        int(known.sum()),
        float(score[known].sum()),
        int((band == 0).sum()),
    )


def compare(
    score_before: Array,
    band_before: NDArray[Any],
    score_after: Array,
    band_after: NDArray[Any],
    mrr_cents: Ints,
) -> Numbers:
    """The numbers of some accounts; the rows of all arrays belong together."""
    cell = band_before.astype(np.int64) * BAND_CODES + band_after.astype(np.int64)
    size = BAND_CODES * BAND_CODES
    counts = np.bincount(cell, minlength=size)
    money = np.zeros(size, dtype=np.int64)
    np.add.at(money, cell, mrr_cents)
    with np.errstate(invalid="ignore"):
        rose, fell = score_after > score_before, score_after < score_before
    return Numbers(
        accounts=len(cell),
        moved=int(moves(score_before, band_before, score_after, band_after).sum()),
        rose=int(rose.sum()),
        fell=int(fell.sum()),
        matrix=counts.reshape(BAND_CODES, BAND_CODES).tolist(),
        mrr=money.reshape(BAND_CODES, BAND_CODES).tolist(),
        before=_side(score_before, band_before),
        after=_side(score_after, band_after),
    )
