"""Value by month: an amount over several months is shared out among them without rest. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol


class Amount(Protocol):
    """So many cents of a currency over months, both included."""

    @property
    def amount_cents(self) -> int:
        """The cents of all months together."""
        ...

    @property
    def currency(self) -> str:
        """The currency's code."""
        ...

    @property
    def first_month(self) -> date:
        """A day in the first month."""
        ...

    @property
    def last_month(self) -> date:
        """A day in the last month."""
        ...


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months(first: date, last: date) -> Iterator[date]:
    """The first days of the months from one to another, both included."""
    month = month_of(first)
    while month <= last:
        yield month
        month = next_month(month)


def months_between(first: date, last: date) -> int:
    """How many months there are from one to another, both included."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def shares(amount_cents: int, parts: int) -> list[int]:
    """Whole cents that add up to the amount and differ by at most one; the first ones are the larger."""
    base, rest = divmod(amount_cents, parts)
    return [base + (1 if place < rest else 0) for place in range(parts)]


def by_month(entries: Iterable[Amount], currency: str) -> dict[date, int]:
    """Month → cents of the entries in this currency; others are never added to it."""
    out: dict[date, int] = defaultdict(int)
    for entry in entries:
        if entry.currency == currency:
            covered = list(months(entry.first_month, entry.last_month))
            for month, cents in zip(covered, shares(entry.amount_cents, len(covered)), strict=True):
                out[month] += cents
    return dict(sorted(out.items()))


def total_between(entries: Iterable[Amount], currency: str, first: date, last: date) -> int:
    """The cents of the months that begin between two days, both included."""
    return sum(
        cents for month, cents in by_month(entries, currency).items() if month_of(first) <= month <= last
    )
