"""Intervals that respect that an account appears on several dates: whole accounts are drawn, not cases. Pure.

Ranks are compared within each date, so that a trend over time earns nothing. scikit-learn gives the figure itself; only the
hundreds of weighted repetitions are counted here, over ranks that are sorted once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from scoring.scales import Array

from .cases import Flags, Ints

SEED = 20_260_101
ROUNDS = ((400_000, 100), (100_000, 200), (0, 500))  # more cases than this, so many repetitions
Z95 = 1.959963984540054

Figure = dict[str, Any]
Statistic = Callable[[Array], Array]  # weights of the cases → one or more figures


class Ranking:
    """How well a risk orders the cases of each date; ties count half."""

    def __init__(self, on: Ints, risk: Array, outcome: Flags) -> None:
        order = np.lexsort((risk, on))
        days, values = on[order], risk[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (days[1:] != days[:-1]) | (values[1:] != values[:-1])
        self._group = np.empty(len(order), dtype=np.int64)
        self._group[order] = np.cumsum(begins) - 1
        group_day = days[begins]
        new_day = np.ones(len(group_day), dtype=bool)
        new_day[1:] = group_day[1:] != group_day[:-1]
        self._day = np.cumsum(new_day) - 1
        self._starts = np.flatnonzero(new_day)
        self._count = len(group_day)
        self._outcome = outcome.astype(np.float64)
        self.dates = group_day[new_day]

    def by_date(self, weights: Array) -> tuple[Array, Array]:
        """For each date the AUC times its number of pairs, and that number."""
        with_outcome = np.bincount(self._group, weights * self._outcome, self._count)
        without = np.bincount(self._group, weights * (1.0 - self._outcome), self._count)
        running = np.cumsum(without)
        before = running - without
        below = before - before[self._starts][self._day]
        days = len(self._starts)
        good = np.bincount(self._day, with_outcome * (below + without / 2), days).astype(np.float64)
        cases = np.bincount(self._day, with_outcome, days).astype(np.float64)
        return good, cases * np.bincount(self._day, without, days)

    def auc(self, weights: Array) -> Array:
        """The share of pairs of one date in which the case with the outcome has the higher risk."""
        good, pairs = self.by_date(weights)
        total = pairs.sum()
        return np.array([good.sum() / total if total else math.nan])


def resamples(accounts: Ints, rounds: int, seed: int = SEED) -> Iterator[Array]:
    """Weights of the cases when accounts are drawn with replacement."""
    rng = np.random.default_rng(seed)
    known, place = np.unique(accounts, return_inverse=True)
    for _ in range(rounds):
        drawn = np.bincount(rng.integers(0, len(known), len(known)), minlength=len(known))
        yield drawn.astype(np.float64)[place]


def rounds_for(cases: int) -> int:
    """Fewer repetitions where there is so much data that intervals are narrow anyway."""
    return next(rounds for more_than, rounds in ROUNDS if cases >= more_than)


def bootstrap(
    accounts: Ints, statistics: Mapping[str, Statistic], *, rounds: int | None = None, seed: int = SEED
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Each statistic on the cases themselves and on all resamples (rounds × figures), the same resamples for all."""
    ones = np.ones(len(accounts))
    point = {name: statistic(ones) for name, statistic in statistics.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in statistics}
    for weights in resamples(accounts, rounds or rounds_for(len(accounts)), seed):
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    return point, {name: np.array(values) for name, values in drawn.items()}


def span(samples: Array, share: float = 0.95) -> tuple[float | None, float | None]:
    """The middle of the resamples; nothing where most of them have no value."""
    known = samples[~np.isnan(samples)]
    if len(known) * 2 < len(samples) or not len(known):
        return None, None
    low, high = np.quantile(known, (0.5 - share / 2, 0.5 + share / 2))
    return float(low), float(high)


def figure(value: float, samples: Array, n: int) -> Figure:
    """A figure with its n and its interval, ready to be kept."""
    low, high = span(samples)
    return {"value": plain(value), "low": plain(low), "high": plain(high), "n": int(n)}


def wilson(successes: float, n: float) -> tuple[float | None, float | None]:
    """Wilson's interval of a share."""
    if n <= 0:
        return None, None
    share, z2 = successes / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def share_figure(value: float, samples: Array, n: int, accounts: int) -> Figure:
    """A share; where it is none or all, resampling shows no spread and Wilson's interval over accounts stands in."""
    made = figure(value, samples, n)
    if value in (0.0, 1.0) and n:
        low, high = wilson(value * accounts, accounts)
        made["low"], made["high"] = plain(low), plain(high)
    return made


def plain(value: float | None) -> float | None:
    """A number for JSON: rounded, and nothing instead of NaN."""
    return None if value is None or math.isnan(value) else round(float(value), 6)
