"""Events for the benchmark, each one different, made from their number alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BATCH = 500
SESSION = 10  # events in a row of one user
ACCOUNTS = 10_000
USERS_OF_ACCOUNT = 5
DAY_SECONDS = 86_400
NAMES = (
    "Message Sent", "Reply Received", "Dashboard Viewed", "Report Exported", "Contact Imported", "Search Run",
    "Demo Booked", "Comment Added", "Page Viewed", "File Uploaded", "Filter Saved", "Login",
)  # fmt: skip


@dataclass(frozen=True)
class Stream:
    """`count` events; streams of different runs share no event, but the accounts, users and days."""

    run: int
    count: int
    until: datetime

    @property
    def batches(self) -> int:
        """How many batches they fill."""
        return self.count // BATCH

    def _fields(self, batch: int) -> Iterator[tuple[int, int, str, str, str, str]]:
        """Account, user, name, time, id and properties of the events of a batch."""
        for n in range(batch * BATCH, (batch + 1) * BATCH):
            session = n // SESSION + self.run * 7_919_317
            share = (session * 2_654_435_761 & 0xFFFFFFFF) / 2**32
            account = int(ACCOUNTS * share * share)  # few accounts are busy, most are not
            user = account * USERS_OF_ACCOUNT + session % USERS_OF_ACCOUNT
            at = self.until - timedelta(seconds=session * 31 % DAY_SECONDS - n % SESSION)
            name = NAMES[(n * 5 + session) % len(NAMES)]
            properties = f'{{"path": "/reports/{n % 997}", "duration_ms": {n % 7919}, "plan": "growth"}}'
            yield account, user, name, at.isoformat(), f"{self.run:08x}-0000-4000-8000-{n:012x}", properties

    def body(self, batch: int) -> bytes:
        """A batch as it is posted."""
        return (
            '{"events": ['
            + ", ".join(
                f'{{"event": "{name}", "account_id": "acc-{account}", "user_id": "user-{user}", "occurred_at": "{at}", '
                f'"event_id": "{identity}", "properties": {properties}}}'
                for account, user, name, at, identity, properties in self._fields(batch)
            )
            + "]}"
        ).encode()

    def copy_lines(self, batch: int) -> bytes:
        """The same rows as COPY reads them."""
        return "".join(
            f"1\t{account}\t{user}\t{name}\t{at}\t{identity}\t{properties}\n"
            for account, user, name, at, identity, properties in self._fields(batch)
        ).encode()


def stream(run: int, count: int) -> Stream:
    """A stream that ended a moment ago."""
    return Stream(run, count, datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1))
