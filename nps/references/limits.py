"""How often a customer may be asked and used: pure, days in, days out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Ask:
    """One time somebody was asked, as the limits see it."""

    on: date
    same_account: bool
    same_contact: bool
    declined: bool = False


@dataclass(frozen=True)
class AskLimits:
    """Days that must lie between."""

    account_days: int
    contact_days: int
    declined_days: int


@dataclass(frozen=True)
class UseLimits:
    """Rest after each use, and how many a quarter may have."""

    use_days: int
    per_quarter: int


def may_ask_on(asks: Iterable[Ask], limits: AskLimits) -> date | None:
    """The first day on which this person at this account may be asked; None: at any time."""
    free: list[date] = []
    for ask in asks:
        if ask.same_account:
            days = max(limits.account_days, limits.declined_days if ask.declined else 0)
            free.append(ask.on + timedelta(days=days))
        if ask.same_contact:
            free.append(ask.on + timedelta(days=limits.contact_days))
    return max(free, default=None)


def quarter_start(day: date) -> date:
    """The first day of the quarter."""
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def next_quarter(day: date) -> date:
    """The first day of the next quarter."""
    start = quarter_start(day)
    return date(start.year + start.month // 10, (start.month + 2) % 12 + 1, 1)


def may_use_on(uses: Iterable[date], day: date, limits: UseLimits) -> date:
    """The first day, not before `day`, on which the reference may be used again."""
    taken = sorted(uses)
    free = day
    while True:
        start, end = quarter_start(free), next_quarter(free)
        if sum(start <= used < end for used in taken) >= limits.per_quarter:
            free = end
            continue
        near = [used for used in taken if abs((used - free).days) < limits.use_days]
        if not near:
            return free
        free = max(near) + timedelta(days=limits.use_days)
