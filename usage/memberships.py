"""Which account an event without one belongs to: the timeline of a contact's memberships."""

from __future__ import annotations

from bisect import bisect_right, insort
from datetime import datetime, timedelta

_STEP = timedelta(microseconds=1)


class Timeline:
    """From when on a contact belonged to which account."""

    __slots__ = ("added", "entries")

    def __init__(self, entries: list[tuple[datetime, int]]) -> None:
        self.entries = sorted(entries)
        self.added: list[tuple[datetime, int, str]] = []

    def account_at(self, moment: datetime) -> int | None:
        """The account in force at a moment; before the first membership it is that one, for the call often comes late."""
        if not self.entries:
            return None
        place = bisect_right(self.entries, moment, key=lambda entry: entry[0])
        return self.entries[max(place - 1, 0)][1]

    def join(self, account_id: int, since: datetime, source: str) -> None:
        """The contact belongs to the account from then on; said again it adds nothing."""
        place = bisect_right(self.entries, since, key=lambda entry: entry[0])
        if place and self.entries[place - 1][1] == account_id:
            return
        taken = {at for at, _ in self.entries}
        while since in taken:  # two memberships at one moment: the key of the table wants them apart
            since += _STEP
        insort(self.entries, (since, account_id))
        self.added.append((since, account_id, source))

    @property
    def latest(self) -> int | None:
        """The account of the last membership."""
        return self.entries[-1][1] if self.entries else None
