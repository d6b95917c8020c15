"""When reviews are due: every month in the first three after go-live, then every quarter, counted from go-live. Pure.

Only dates are handled: a day is the tenant's day, so changes of the clock cannot move a review. A go-live on the 31st gives
month ends; the count is always from go-live itself, so February does not pull later dates forward.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHLY = 3  # so many monthly reviews come first
QUARTER = 3  # months between the later ones
LEAST_GAP_DAYS = (
    14  # two reviews nearer to each other than this are one: a go-live that was moved by some days
)


@dataclass(frozen=True)
class Due:
    """A review of the schedule: the how-manieth, its day, and the day after the review before it."""

    number: int
    on: date
    begins: date  # first day of the period that it looks back on

    @property
    def is_monthly(self) -> bool:
        """Whether it is one of the first three."""
        return self.number <= MONTHLY


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the month's last day where there is no such day."""
    place = day.month - 1 + months
    year, month = day.year + place // 12, place % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def months_until(number: int) -> int:
    """How many months after go-live the review with this number is; 0 for the go-live itself."""
    if number <= MONTHLY:
        return number
    return MONTHLY + (number - MONTHLY) * QUARTER


def due(go_live: date, number: int) -> Due:
    """The review with this number, from 1."""
    return Due(
        number, add_months(go_live, months_until(number)), add_months(go_live, months_until(number - 1))
    )


def schedule(go_live: date) -> Iterator[Due]:
    """All reviews in their order, without end."""
    number = 1
    while True:
        yield due(go_live, number)
        number += 1


def next_due(go_live: date, day: date) -> Due:
    """The first review on this day or later."""
    behind = max(0, (day.year - go_live.year) * 12 + day.month - go_live.month - 1)
    number = behind if behind <= MONTHLY else MONTHLY + (behind - MONTHLY) // QUARTER
    found = due(go_live, max(1, number))
    while found.on < day:
        found = due(go_live, found.number + 1)
    return found


def to_draft(
    go_live: date,
    day: date,
    *,
    draft_days: int,
    last_on: date | None = None,
    looked_on: date | None = None,
) -> Due | None:
    """The review whose pack is to be drafted on this day, if any.

    It is the next one, from `draft_days` before it on, unless the account has a pack of (about) that date: `last_on` is the
    date of its newest one. What was due before anybody looked is not made up for; what came due while no night ran
    (`looked_on` is the last night that did) is.
    """
    found = next_due(go_live, day)
    if looked_on is not None and looked_on < day:
        missed = next_due(go_live, looked_on + timedelta(days=1))
        if missed.on < found.on and missed.on - timedelta(days=draft_days) > looked_on:
            found = missed
    if day < found.on - timedelta(days=draft_days):
        return None
    if last_on is not None and found.on < last_on + timedelta(days=LEAST_GAP_DAYS):
        return None
    return found
