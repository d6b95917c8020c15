"""Dates of renewals: months, terms, checkpoints. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

DAYS_PER_MONTH = 30.4375
HORIZON_MONTHS = 18  # renewals are made this long before they are due
OVERDUE_DAYS = 120  # a date that passed longer ago is no renewal to work on
CHECKPOINTS = (6, 3)  # months before
CHECKPOINT_GRACE_DAYS = (
    31  # a checkpoint that was missed by more, because the renewal is new here, makes no work
)
MOST_MONTHS = 60


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the last day of a month that is shorter."""
    place = day.year * 12 + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def quarter_of(day: date) -> date:
    """The first day of a day's quarter."""
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def months_between(first: date, last: date) -> int:
    """How many months a term has, to the nearest one: 31 January to 28 February is one."""
    return round((last - first).days / DAYS_PER_MONTH)


def term_of(starts_on: date | None, renews_on: date, usual: int) -> int:
    """The months of the first term that is seen of a subscription.

    Up to a year lies between start and renewal: that is the term. More says nothing (two years, or the second of one), so
    it is the company's usual term; so is a start that nobody has told.
    """
    if starts_on is None:
        return usual
    months = months_between(starts_on, renews_on)
    return months if 1 <= months <= 12 else usual


def is_new_term(due_on: date, renews_on: date, term_months: int) -> bool:
    """Whether a later date means that it was renewed; less than half a term later is a date that was put right."""
    return (renews_on - due_on).days >= term_months * DAYS_PER_MONTH / 2


def checkpoint_on(due_on: date, months: int) -> date:
    """The day of a checkpoint."""
    return add_months(due_on, -months)
