"""Days and weeks on a tenant's calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# Every offset in use since 1970 is a whole number of quarter hours from these, so one look-up serves 15 minutes.
_GRAIN = 900
_CACHE_LIMIT = 200_000


class Calendar:
    """Tells the local day of a moment; remembers what it has looked up."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._days: dict[int, date] = {}

    def day(self, moment: datetime) -> date:
        """The date on the tenant's calendar when this happened."""
        grain = int(moment.timestamp()) // _GRAIN
        day = self._days.get(grain)
        if day is None:
            if len(self._days) > _CACHE_LIMIT:
                self._days.clear()
            day = self._days[grain] = moment.astimezone(self.zone).date()
        return day

    def start(self, day: date) -> datetime:
        """The moment at which a local day begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def end(self, day: date) -> datetime:
        """The moment at which a local day has ended: what was received before it was known that day."""
        return self.start(day + timedelta(days=1))


def week_start(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def last_complete_week(as_of: date) -> date:
    """The Monday of the last week that has ended by the end of this day."""
    monday = week_start(as_of)
    return monday if as_of.weekday() == 6 else monday - timedelta(days=7)
