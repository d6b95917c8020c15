"""Working hours: when a first action is due, and how much of the time is left. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

SATURDAY = 5
MIDNIGHT = 24
MAX_DAYS = 3_660  # ten years: beyond it somebody gave nonsense


@dataclass(frozen=True)
class WorkingTime:
    """When people work: from one full hour to another, on the tenant's calendar."""

    tz: tzinfo
    opens: int = 9
    closes: int = 18
    weekends: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MIDNIGHT:
            raise ValueError("The working day must end after it begins.")

    def hours_of(self, day: date) -> tuple[datetime, datetime] | None:
        """The beginning and the end of a working day; None on a day off. Right when clocks change."""
        if not self.weekends and day.weekday() >= SATURDAY:
            return None
        return self._moment(day, self.opens), self._moment(day, self.closes)

    def _moment(self, day: date, hour: int) -> datetime:
        if hour == MIDNIGHT:
            day, hour = day + timedelta(days=1), 0
        return datetime.combine(day, time(hour), tzinfo=self.tz).astimezone(UTC)

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of work from a moment on."""
        day = start.astimezone(self.tz).date()
        for _ in range(MAX_DAYS):
            hours = self.hours_of(day)
            if hours and hours[1] > start:
                yield max(hours[0], start.astimezone(UTC)), hours[1]
            day += timedelta(days=1)


def due_at(start: datetime, hours: float, working: WorkingTime) -> datetime:
    """The moment at which so many working hours after `start` are over."""
    left = timedelta(hours=hours)
    for begin, end in working.spans(start):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise ValueError(f"{hours} working hours never end.")


def working_hours(start: datetime, end: datetime, working: WorkingTime) -> float:
    """How many working hours lie between two moments; negative when the second is earlier."""
    if end < start:
        return -working_hours(end, start, working)
    total = timedelta()
    for begin, until in working.spans(start):
        if begin >= end:
            break
        total += min(until, end) - begin
    return total / timedelta(hours=1)
