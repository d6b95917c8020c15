"""Many days at once: the rows are read once and the windows slide over them in numpy.

Asking PostgreSQL for each of 365 days would read every row 365 times. Both ways count in whole units, so that a night in a
backfill and the same night alone give the same number to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scoring.windows import DAYS_PER_WEEK

from .columns import FADE_UNIT, Array, Column

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DayRows:
    """Account-days of a relation, sorted by day and then by the day on which they became known."""

    account: Ints  # place of the account
    day: Ints  # ordinals
    known: Ints
    values: Array  # rows × slots

    def sorted(self) -> DayRows:
        """In the order that the last value is decided by."""
        order = np.lexsort((self.known, self.day))
        return DayRows(self.account[order], self.day[order], self.known[order], self.values[order])

    def active_days(self, place: int) -> DayRows:
        """One row per account and day on which the slot is above zero, known from its first part on."""
        active = self.values[:, place] > 0
        keys = np.stack([self.account[active], self.day[active]])
        found, inverse = np.unique(keys, axis=1, return_inverse=True)
        known = np.full(found.shape[1], np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(known, inverse.ravel(), self.known[active])
        return DayRows(found[0], found[1], known, np.ones((found.shape[1], 1))).sorted()


@dataclass(frozen=True)
class Span:
    """The days to compute, from the first to the last with none left out, for so many accounts."""

    first: int
    days: int
    accounts: int

    @classmethod
    def of(cls, days: tuple[date, ...], accounts: int) -> Span:
        """From the first to the last of these days."""
        return cls(days[0].toordinal(), (days[-1] - days[0]).days + 1, accounts)

    def sliding(self, rows: DayRows, amounts: Ints, enters: int, stays: int) -> Ints:
        """Days × accounts: the amounts of the rows whose window of `stays` days, `enters` days after them, covers a day.

        A row counts from the day it is known. Whole numbers, so that adding and taking away again leaves nothing behind.
        """
        starts = np.maximum(rows.day + enters, rows.known) - self.first
        ends = np.minimum(rows.day + enters + stays - self.first, self.days)
        starts = np.maximum(starts, 0)
        counts = starts < ends
        steps = np.zeros((self.days + 1, self.accounts), dtype=np.int64)
        np.add.at(steps, (starts[counts], rows.account[counts]), amounts[counts])
        np.add.at(steps, (ends[counts], rows.account[counts]), -amounts[counts])
        return np.cumsum(steps[:-1], axis=0)

    def windows(self, rows: DayRows, look_back: int) -> Iterator[tuple[int, slice, NDArray[np.bool_]]]:
        """For each day: its place, the rows in its window, and which of those were known by then."""
        begin = np.searchsorted(rows.day, np.arange(self.days) + self.first - look_back + 1, side="left")
        end = np.searchsorted(rows.day, np.arange(self.days) + self.first, side="right")
        for at in range(self.days):
            part = slice(int(begin[at]), int(end[at]))
            yield at, part, rows.known[part] <= self.first + at


def _units(values: Array, decimals: int) -> Ints:
    """Values in whole units of their decimals; missing ones add nothing."""
    return np.rint(np.nan_to_num(values) * 10.0**decimals).astype(np.int64)


def _divide(top: Array, bottom: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


class SlidingColumns:
    """Raw measures of a span of days from rows that are in memory; `place` says at which column a slot was read."""

    def __init__(self, span: Span, rows: DayRows, place: Callable[[int], int]) -> None:
        self.span, self.rows, self.place = span, rows.sorted(), place

    def _sum(self, slot: int, decimals: int, enters: int, stays: int) -> Array:
        amounts = _units(self.rows.values[:, self.place(slot)], decimals)
        return self.span.sliding(self.rows, amounts, enters, stays) / 10.0**decimals

    def compute(self, column: Column, activity: DayRows | None) -> Array:
        """Days × accounts of one measure, NaN where nothing was found; the same numbers as `Column.finish` gives."""
        source, metric, window = column.source, column.metric, column.look_back
        assert metric is not None
        slot, decimals = metric.slot or 0, metric.decimals
        match source.aggregate:
            case "per_week":
                return self._sum(slot, decimals, 0, window) * DAYS_PER_WEEK / source.window_days
            case "total":
                return self._sum(slot, decimals, 0, window)
            case "mean":
                there = (~np.isnan(self.rows.values[:, self.place(slot)])).astype(np.int64)
                count = self.span.sliding(self.rows, there, 0, window)
                return _divide(self._sum(slot, decimals, 0, window), count.astype(np.float64))
            case "ratio":
                top, bottom = (self._sum(part.slot or 0, part.decimals, 0, window) for part in column.parts)
                return _divide(top, bottom)
            case "change":
                recent = self._sum(slot, decimals, 0, source.window_days)
                before = self._sum(slot, decimals, source.window_days, source.baseline_days)
                return _divide(recent * source.baseline_days, before * source.window_days)
            case "latest" | "max":
                return self._picked(slot, window, newest=source.aggregate == "latest")
            case "active_days" if activity is not None:
                return self.span.sliding(
                    activity, np.ones(len(activity.day), dtype=np.int64), 0, window
                ).astype(np.float64)
            case "decayed_days" if activity is not None:
                return self._decayed(column, activity)
        raise ValueError(f"No way to count {source.aggregate}.")

    def _picked(self, slot: int, window: int, *, newest: bool) -> Array:
        """The latest or the largest value in the window."""
        out = np.full((self.span.days, self.span.accounts), np.nan)
        values = self.rows.values[:, self.place(slot)]
        for at, part, known in self.span.windows(self.rows, window):
            usable = known & ~np.isnan(values[part])
            accounts, found = self.rows.account[part][usable], values[part][usable]
            if newest:
                out[at, accounts] = found  # sorted by day: of several the last one stays
            else:
                np.fmax.at(out[at], accounts, found)
        return out

    def _decayed(self, column: Column, activity: DayRows) -> Array:
        """Days that fade: whole units, so the sums are exact in any order."""
        fade = np.array(column.fade(), dtype=np.float64)
        out = np.zeros((self.span.days, self.span.accounts))
        for at, part, known in self.span.windows(activity, column.look_back):
            ago = self.span.first + at - activity.day[part][known]
            out[at] = np.bincount(
                activity.account[part][known], weights=fade[ago], minlength=self.span.accounts
            )
        return out / FADE_UNIT
