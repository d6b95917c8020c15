"""Writing a turn's events, and adding them up on the way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from usage.copying import NULL, copy_rows, escaped, escaped_json
from usage.days import Calendar
from usage.definitions import register_features
from usage.matching import FeatureBook, Plan, normal
from usage.rollup import Rollup

from .gather import Gathered
from .people import People, anonymous_key

_COLUMNS = (
    "account_id bigint, contact_id bigint, user_key text, name text, feature text, occurred_at timestamptz, day date, "
    "received_at timestamptz, source text, key uuid, by_membership boolean, properties jsonb"
)
_NAMES = (
    "account_id, contact_id, user_key, name, feature, occurred_at, day, received_at, source, key, by_membership, properties"
)


@dataclass
class Delivery:
    """What one source delivered in a turn."""

    names: dict[date, set[str]] = field(default_factory=lambda: defaultdict(set))  # event names by day of receipt
    events: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    unassigned: int = 0
    last_received_at: datetime | None = None
    first_received_at: datetime | None = None

    def saw(self, received_at: datetime) -> None:
        """Keep the span of receipt."""
        if self.last_received_at is None or received_at > self.last_received_at:
            self.last_received_at = received_at
        if self.first_received_at is None or received_at < self.first_received_at:
            self.first_received_at = received_at


@dataclass
class Stored:
    """What the events of a turn add up to."""

    rollup: Rollup
    first_days: dict[int, date] = field(default_factory=dict)
    seen: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)  # contact: first, last
    deliveries: dict[str, Delivery] = field(default_factory=lambda: defaultdict(Delivery))


def register_labels(cursor: Any, tenant_id: int, found: Gathered, book: FeatureBook) -> None:
    """Make a feature of each label that is new: it can be adopted from the day it is first used."""
    labels = {usage.feature or usage.name for _, usage, _ in found.usages}
    unknown = {normal(label): label for label in sorted(labels) if book.known(label) is None}
    register_features(cursor, tenant_id, book, unknown)


def store_events(
    cursor: Any,
    tenant_id: int,
    found: Gathered,
    people: People,
    accounts: dict[str, int],
    calendar: Calendar,
    plan: Plan,
    book: FeatureBook,
) -> Stored:
    """Insert the events of a turn and add them up; one pass over them."""
    stored = Stored(Rollup(plan.width, keep_last=False))
    add, feeds_of, feature_of = stored.rollup.add, plan.feeds, book.known
    contacts, timelines, first_days, seen = people.contacts, people.timelines, stored.first_days, stored.seen
    spelled: dict[Any, str] = {}
    lines: list[tuple[int, date, str]] = []
    for batch, usage, key in found.usages:
        at = usage.occurred_at
        day = calendar.day(at)
        if usage.user is not None:
            user_key: str | None = usage.user
            contact = contacts[usage.user]
        elif usage.anonymous is not None:
            user_key = anonymous_key(usage.anonymous)
            contact = contacts.get(user_key, 0)
        else:
            user_key, contact = None, 0
        if usage.account is not None:
            account: int | None = accounts[usage.account]
            by_membership = "f"
        else:
            account = timelines[contact].account_at(at) if contact else None
            by_membership = "t"
        delivery = stored.deliveries[batch.source]
        received_on = calendar.day(usage.received_at)
        delivery.events[received_on] += 1
        delivery.names[received_on].add(usage.name)
        delivery.saw(usage.received_at)
        if contact:
            span = seen.get(contact)
            if span is None:
                seen[contact] = (at, at)
            elif at < span[0] or at > span[1]:
                seen[contact] = (min(at, span[0]), max(at, span[1]))
        if account is None:
            batch.unassigned += 1
            delivery.unassigned += 1
        else:
            first = first_days.get(account)
            if first is None or day < first:
                first_days[account] = day
            feature = feature_of(usage.feature or usage.name) or 0
            add((account, day), contact, feature, feeds_of(usage.name), usage.properties, at, key)
        day_text = spelled.get(day)
        if day_text is None:
            day_text = spelled[day] = day.isoformat()
        received = spelled.get(usage.received_at)
        if received is None:
            received = spelled[usage.received_at] = usage.received_at.isoformat()
        lines.append((
            account or 0, day,
            f"{NULL if account is None else account}\t{contact or NULL}\t{escaped(user_key)}\t{escaped(usage.name)}\t"
            f"{escaped(usage.feature)}\t{at.isoformat()}\t{day_text}\t{received}\t{escaped(batch.source)}\t{key.hex()}\t"
            f"{by_membership}\t{escaped_json(usage.properties)}",
        ))  # fmt: skip
    lines.sort(key=_place)  # rows of one account and day land on one page of table and index
    _insert(cursor, tenant_id, [line for _, _, line in lines])
    return stored


def _place(line: tuple[int, date, str]) -> tuple[int, date]:
    return line[0], line[1]


def _insert(cursor: Any, tenant_id: int, lines: list[str]) -> None:
    if not lines:
        return
    copy_rows(cursor, "turn_event", _COLUMNS, lines)
    cursor.execute(
        f"INSERT INTO usage_event (tenant_id, {_NAMES}) SELECT %s, {_NAMES} FROM turn_event "
        "ON CONFLICT (tenant_id, day, id) DO NOTHING",
        [tenant_id],
    )


def note_seen(cursor: Any, tenant_id: int, seen: dict[int, tuple[datetime, datetime]]) -> None:
    """First and last time that a contact was seen."""
    if not seen:
        return
    rows = sorted(seen.items())
    copy_rows(
        cursor, "turn_seen", "id bigint, first timestamptz, last timestamptz",
        [f"{contact}\t{first.isoformat()}\t{last.isoformat()}" for contact, (first, last) in rows],
    )  # fmt: skip
    cursor.execute(
        "UPDATE accounts_contact c SET first_seen_at = least(c.first_seen_at, s.first), "
        "last_seen_at = greatest(c.last_seen_at, s.last) FROM turn_seen s WHERE c.tenant_id = %s AND c.id = s.id "
        "AND (c.last_seen_at IS NULL OR c.last_seen_at < s.last OR c.first_seen_at > s.first)",
        [tenant_id],
    )
