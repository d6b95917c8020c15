"""Writing a turn's events, and adding them up on the way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from usage.copying import NULL, copy_rows, escaped, escaped_json, number_array
from usage.days import Calendar
from usage.definitions import register_features
from usage.matching import FeatureBook, Plan, normal
from usage.rollup import DayCell, Rollup

from .batches import Claimed
from .gather import Gathered
from .people import People, anonymous_key

_COLUMNS = (
    "account_id bigint, contact_id bigint, user_key text, name text, feature text, occurred_at timestamptz, day date, "
    "received_at timestamptz, source text, key uuid, by_membership boolean, properties jsonb"
)
_NAMES = (
    "account_id, contact_id, user_key, name, feature, occurred_at, day, received_at, source, key, by_membership, "
    "properties"
)


@dataclass
class Delivery:
    """What one source delivered in a turn."""

    names: dict[date, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )  # event names by day of receipt
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

    rollup: Rollup[DayCell]
    first_days: dict[int, date] = field(default_factory=dict)
    seen: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)  # contact: first, last
    deliveries: dict[str, Delivery] = field(default_factory=lambda: defaultdict(Delivery))


class _Arrival:
    """What is the same for neighbouring events: their batch, and when they were received."""

    def __init__(self, batch: Claimed, received_at: datetime, stored: Stored, calendar: Calendar) -> None:
        self.batch, self.received_at = batch, received_at
        self.delivery = stored.deliveries[batch.source]
        self.delivery.saw(received_at)
        self.received_on = calendar.day(received_at)
        self.names = self.delivery.names[self.received_on]
        self.text, self.source = received_at.isoformat(), escaped(batch.source)


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
    """Insert the events of a turn and add them up.

    One loop without calls where it can be: it runs for every event that anybody sends.
    """
    stored = Stored(Rollup(plan.width, keep_last=False))
    add, feeds_of, feature_of, day_of = stored.rollup.add, plan.feeds, book.known, calendar.day
    contacts, timelines, seen = people.contacts, people.timelines, stored.seen
    spelled: dict[date, str] = {}
    fields: dict[str, str] = {}
    cells: dict[
        tuple[int, date], list[str]
    ] = {}  # rows of one account and day land on one page of table and index
    arrival: _Arrival | None = None
    for batch, usage, key in found.usages:
        at = usage.occurred_at
        if arrival is None or batch is not arrival.batch or usage.received_at is not arrival.received_at:
            arrival = _Arrival(batch, usage.received_at, stored, calendar)
        arrival.delivery.events[arrival.received_on] += 1
        arrival.names.add(usage.name)
        day = day_of(at)
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
        if contact:
            span = seen.get(contact)
            if span is None:
                seen[contact] = (at, at)
            elif at > span[1]:
                seen[contact] = (span[0], at)
            elif at < span[0]:
                seen[contact] = (at, span[1])
        if account is None:
            batch.unassigned += 1
            arrival.delivery.unassigned += 1
            cell = (0, day)
        else:
            cell = (account, day)
            feature = feature_of(usage.feature or usage.name) or 0
            add(cell, contact, feature, feeds_of(usage.name), usage.properties, at, key)
        name = fields.get(usage.name)
        if name is None:
            name = fields[usage.name] = escaped(usage.name)
        day_text = spelled.get(day)
        if day_text is None:
            day_text = spelled[day] = day.isoformat()
        line = (
            f"{NULL if account is None else account}\t{contact or NULL}\t{escaped(user_key)}\t{name}\t"
            f"{NULL if usage.feature is None else escaped(usage.feature)}\t{at.isoformat()}\t{day_text}\t{arrival.text}\t"
            f"{arrival.source}\t{key}\t{by_membership}\t{escaped_json(usage.properties)}"
        )
        lines = cells.get(cell)
        if lines is None:
            cells[cell] = [line]
        else:
            lines.append(line)
    for account_id, day in cells:
        if account_id:
            stored.first_days[account_id] = min(day, stored.first_days.get(account_id, day))
    _insert(cursor, tenant_id, [line for cell in sorted(cells) for line in cells[cell]])
    return stored


def _insert(cursor: Any, tenant_id: int, lines: list[str]) -> None:
    if not lines:
        return
    copy_rows(cursor, "turn_event", _COLUMNS, lines)
    # No ON CONFLICT: ids come from the sequence, and looking for conflicts would double the cost.
    cursor.execute(
        # RETURNING and not ON CONFLICT: both keep Citus from copying past the fence, but there is nothing to conflict with.
        f"WITH stored AS (INSERT INTO usage_event (tenant_id, {_NAMES}) SELECT %s, {_NAMES} FROM turn_event RETURNING 1) "
        "SELECT count(*) FROM stored",
        [tenant_id],
    )


def note_contacts(
    cursor: Any, tenant_id: int, seen: dict[int, tuple[datetime, datetime]], people: People
) -> None:
    """When contacts were first and last seen, and the account they belong to now; one update each, and only if it says more.

    The last time is kept to the hour: a person who works all day is not a new row version in every turn.
    """
    latest = people.latest_accounts()
    contacts = sorted(seen.keys() | latest.keys())
    if not contacts:
        return
    spans = [seen.get(contact) for contact in contacts]
    cursor.execute(
        "UPDATE accounts_contact c SET first_seen_at = least(c.first_seen_at, s.first), "
        "last_seen_at = greatest(c.last_seen_at, s.last), account_id = coalesce(s.account, c.account_id) "
        "FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[]) AS s(id, first, last, account) "
        "WHERE c.tenant_id = %s AND c.id = s.id AND (s.account <> coalesce(c.account_id, 0) "
        "OR s.first < coalesce(c.first_seen_at, 'infinity') "
        "OR s.last >= coalesce(c.last_seen_at, '-infinity') + interval '1 hour')",
        [
            number_array(contacts),
            "{" + ",".join(f'"{span[0].isoformat()}"' if span else "NULL" for span in spans) + "}",
            "{" + ",".join(f'"{span[1].isoformat()}"' if span else "NULL" for span in spans) + "}",
            "{" + ",".join(str(latest.get(contact, "NULL")) for contact in contacts) + "}",
            tenant_id,
        ],
    )
