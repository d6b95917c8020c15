"""Weeks run from Monday to Sunday and are complete once they have ended. Pure."""

from __future__ import annotations

from datetime import date, timedelta

DAYS = 7


def last_complete_week_end(day: date) -> date:
    """The Sunday that ends the last complete week, `day` itself being over: a Sunday completes its own week."""
    return day - timedelta(days=(day.weekday() + 1) % DAYS)


def week_ends(day: date, weeks: int) -> list[date]:
    """The Sundays of the last complete weeks, the oldest first."""
    newest = last_complete_week_end(day)
    return [newest - timedelta(days=DAYS * back) for back in range(weeks - 1, -1, -1)]
