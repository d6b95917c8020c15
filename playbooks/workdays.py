"""Working-day arithmetic: due dates that never fall on a day off. Pure: dates in, dates out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

MONDAY_TO_FRIDAY = frozenset({0, 1, 2, 3, 4})
MAX_WORKING_DAYS = 365


def is_working_day(
    day: date, *, working_week: Collection[int] = MONDAY_TO_FRIDAY, holidays: Collection[date] = ()
) -> bool:
    """Whether people work on that day; weekdays count from Monday = 0."""
    return day.weekday() in working_week and day not in holidays


def add_working_days(
    day: date,
    count: int,
    *,
    working_week: Collection[int] = MONDAY_TO_FRIDAY,
    holidays: Collection[date] = (),
) -> date:
    """The `count`-th working day after `day`; with 0, `day` itself or the next working day.

    A step due "in 1 working day" that starts on a Saturday is due on Monday, as is one that starts on a Friday.
    """
    if not 0 <= count <= MAX_WORKING_DAYS:
        raise ValueError(f"count must be 0 to {MAX_WORKING_DAYS}, not {count}")
    if not set(working_week) & set(range(7)):
        raise ValueError("a working week needs at least one day")
    step = timedelta(days=1)
    if count == 0:
        while not is_working_day(day, working_week=working_week, holidays=holidays):
            day += step
        return day
    while count:
        day += step
        if is_working_day(day, working_week=working_week, holidays=holidays):
            count -= 1
    return day


def working_days_between(
    first: date,
    last: date,
    *,
    working_week: Collection[int] = MONDAY_TO_FRIDAY,
    holidays: Collection[date] = (),
) -> int:
    """How many working days lie after `first` up to and including `last`; negative when `last` is earlier."""
    if last < first:
        return -working_days_between(last, first, working_week=working_week, holidays=holidays)
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(is_working_day(day, working_week=working_week, holidays=holidays) for day in days)


def shift_working_days(
    day: date,
    count: int,
    *,
    working_week: Collection[int] = MONDAY_TO_FRIDAY,
    holidays: Collection[date] = (),
) -> date:
    """The day so many working days later, or earlier when the count is negative; with 0 the day itself."""
    if count > 0:
        return add_working_days(day, count, working_week=working_week, holidays=holidays)
    if count < -MAX_WORKING_DAYS:
        raise ValueError(f"count must be at least -{MAX_WORKING_DAYS}, not {count}")
    while count:
        day -= timedelta(days=1)
        if is_working_day(day, working_week=working_week, holidays=holidays):
            count += 1
    return day


@dataclass(frozen=True)
class Calendar:
    """The days on which somebody works: a week, and the days off in it."""

    week: frozenset[int] = MONDAY_TO_FRIDAY
    free: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return is_working_day(day, working_week=self.week, holidays=self.free)

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; with 0 that day or the next working one."""
        return add_working_days(day, count, working_week=self.week, holidays=self.free)

    def shift(self, day: date, count: int) -> date:
        """So many working days later or earlier."""
        return shift_working_days(day, count, working_week=self.week, holidays=self.free)

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first` up to and including `last`."""
        return working_days_between(first, last, working_week=self.week, holidays=self.free)
