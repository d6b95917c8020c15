"""The rows of a backtest: one account on one date, what it scored and what became of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from scoring.bands import UNKNOWN
from scoring.scales import Array

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
LONG_SILENT = 10_000.0  # days since the last event where none is known


@dataclass(frozen=True)
class Cases:
    """Columns of equal length; days are proleptic ordinals."""

    account: Ints
    on: Ints
    score: Array
    published: Array  # under the scales as they are published; the same as `score` where none was drawn anew
    band: Ints
    values: Array  # cases × components; NaN where the component did not count
    recency: Array  # days since the last event known then; NaN where there is none
    events: Array  # in the 90 days before; NaN where events are not counted
    outcome: Flags
    outcome_on: Ints

    def __len__(self) -> int:
        return len(self.account)

    def pick(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Cases:
        """Some of the cases."""
        return Cases(*(getattr(self, field.name)[rows] for field in fields(self)))

    def scored(self) -> Cases:
        """Those that had a score and a band."""
        return self.pick(~np.isnan(self.score) & (self.band != UNKNOWN))

    @property
    def dates(self) -> Ints:
        """The dates, rising."""
        return np.unique(self.on)
