"""The moment that a nightly run for a day speaks of. Pure: the clock is passed in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo


def end_of_day(day: date, tz: tzinfo) -> datetime:
    """The instant at which the local day is over, right on the days when clocks change."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=tz)


def known_until(day: date, *, tz: tzinfo, now: datetime) -> datetime:
    """Up to when a run for `day` may know things: the end of that day, or now while the day lasts."""
    return min(end_of_day(day, tz), now)
