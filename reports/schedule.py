"""When a subscribed report is due, on the member's own clock. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = "week"


def next_morning(
    now: datetime, zone: ZoneInfo, *, every: str, weekday: int, month_day: int, hour: int
) -> datetime:
    """The next moment after now at which it is due; an hour that a clock skips comes when the clock goes on."""
    local = now.astimezone(zone)
    day = local.date()
    while True:
        if is_due_on(day, every=every, weekday=weekday, month_day=month_day):
            moment = datetime.combine(day, time(hour), zone)
            if moment > local:
                return moment
        day += timedelta(days=1)


def is_due_on(day: date, *, every: str, weekday: int, month_day: int) -> bool:
    """Whether a day is one of its days."""
    return day.weekday() == weekday if every == WEEK else day.day == month_day
