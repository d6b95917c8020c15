"""What the matrix must know of accounts, as columns: plain arrays instead of model instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.scales import Segments

FEW = 500  # so many ids are named one by one
NEVER = np.iinfo(np.int64).max  # a day that does not come


@dataclass(frozen=True)
class AccountFacts:
    """Accounts in the order of their ids; days are proleptic ordinals."""

    ids: NDArray[np.int64]
    exists_from: NDArray[np.int64]  # the first day on which the account can be scored
    seen_from: NDArray[np.int64]  # the first day of usage: from here on silence is zero
    churned_from: NDArray[np.int64]  # from here on it is left out
    targets: Sequence[Mapping[str, Any]]
    started: NDArray[np.int64]  # go-live, else the first day of usage, else the day the account was made
    segments: Segments

    def __len__(self) -> int:
        return len(self.ids)

    def condition(self) -> str:
        """Which rows `u` to read: a range of ids for many accounts, the ids themselves for a few."""
        return (
            "u.account_id = ANY(%(ids)s)" if len(self) <= FEW else "u.account_id BETWEEN %(low)s AND %(high)s"
        )

    def parameters(self) -> dict[str, Any]:
        """What the condition needs."""
        if len(self) <= FEW:
            return {"ids": self.ids.tolist()}
        return {"low": int(self.ids[0]), "high": int(self.ids[-1])}

    def pick(self, rows: NDArray[np.intp]) -> AccountFacts:
        """Some of the accounts."""
        return AccountFacts(
            self.ids[rows],
            self.exists_from[rows],
            self.seen_from[rows],
            self.churned_from[rows],
            [self.targets[row] for row in rows],
            self.started[rows],
            Segments(self.segments.codes[rows], self.segments.names),
        )

    def rows_of(self, account_ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where these ids stand, and whether they are among the accounts at all."""
        places = np.searchsorted(self.ids, account_ids)
        places = np.minimum(places, max(len(self.ids) - 1, 0))
        return places, self.ids[places] == account_ids

    def scored_on(self, days: Sequence[date]) -> NDArray[np.bool_]:
        """Days × accounts: whether the account exists by then and has not churned."""
        ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)[:, None]
        return (ordinals >= self.exists_from) & (ordinals < self.churned_from)

    def tenure_on(self, days: Sequence[date]) -> NDArray[np.int64]:
        """Days × accounts: days since go-live; below 0 before it."""
        return np.array([day.toordinal() for day in days], dtype=np.int64)[:, None] - self.started

    def target_column(self, metric_key: str) -> NDArray[np.float64]:
        """The accounts' own weekly targets of one metric; NaN where there is none."""
        out = np.full(len(self), np.nan)
        for row, targets in enumerate(self.targets):
            value = targets.get(metric_key) if targets else None
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                out[row] = value
        return out


def ordinal(day: date | None) -> int:
    """A date as a number; no date is a day that never comes."""
    return NEVER if day is None else day.toordinal()
