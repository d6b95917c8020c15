"""Which days a report is of: the day before which it stands, the one it is compared with, the points of its line. Pure."""

from __future__ import annotations

from datetime import date, timedelta

WINDOWS = (30, 90, 365)
USUAL = 90
POINTS = 53  # of a line: a year of weeks
MONTHS = {30: 1, 90: 3, 365: 12}  # figures of whole months: so many of them stand for the window


def month_end(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def last_month_end(day: date) -> date:
    """The last day of the newest month that is complete with this day."""
    return day if day == month_end(day) else day.replace(day=1) - timedelta(days=1)


def months_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months before."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def keeps_its_place(day: date) -> bool:
    """Whether a day stays a point of lines when days grow old: the last ones of weeks and months."""
    return day.isoweekday() == 7 or day == month_end(day)
