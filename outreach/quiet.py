"""When a mail may go out: never in quiet hours of the receiver's clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


@dataclass(frozen=True)
class Quiet:
    """From this local time until that one (over midnight, when it is the earlier one), and perhaps on weekends.

    Equal times: no quiet hours.
    """

    start: time
    end: time
    weekends: bool = False

    def holds(self, local: datetime) -> bool:
        """Whether it is quiet at this local time."""
        if self.weekends and local.weekday() >= SATURDAY:
            return True
        at = local.time()
        if self.start == self.end:
            return False
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def next_allowed(now: datetime, quiet: Quiet, zone: ZoneInfo) -> datetime:
    """The first moment from `now` on at which it is not quiet.

    Moves from one change of the rule to the next on the local clock. An end that a DST night skips is read on the clock that
    went before, so nobody is written to too early; one that the night shows twice is taken as it comes.
    """
    moment = now
    for _step in range(16):  # a weekend has at most four changes; more is a rule that is always quiet
        local = moment.astimezone(zone)
        if not quiet.holds(local):
            return moment
        moment = min(later for later in _changes(quiet, local, zone) if later > moment)
    return moment


def _changes(quiet: Quiet, local: datetime, zone: ZoneInfo) -> list[datetime]:
    """The next moments at which quiet may end."""
    found = []
    for days in (0, 1):
        day = local.date() + timedelta(days=days)
        for at in (quiet.end, quiet.end.replace(fold=1), time(0)):
            found.append(datetime.combine(day, at, tzinfo=zone).astimezone(UTC))
    found.append(datetime.combine(local.date() + timedelta(days=2), time(0), tzinfo=zone).astimezone(UTC))
    return found
