"""`POST /api/v1/events` and rows of imports: `{"events": [{event, account_id, user_id, occurred_at, event_id, …}]}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .shapes import (
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    BadBody,
    BadItem,
    Decoded,
    Gated,
    Identifier,
    Json,
    Moment,
    Name,
    Usage,
)
from .timestamps import future_limit, parse
from .tolerant import load, take_apart


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """An event as the careful gate reads it, after every value in it was looked at."""

    event: Name
    account_id: Identifier | None = None
    user_id: Identifier | None = None
    anonymous_id: Identifier | None = None
    occurred_at: Moment | None = None
    event_id: Identifier | None = None
    feature: Identifier | None = None
    properties: dict[str, Any] | None = None


class QuickEvent(Event, gc=False, omit_defaults=True):
    """An event as the fast gate reads it: everything is checked while it is read."""

    properties: dict[str, Json] | None = None


class Batch(msgspec.Struct):
    """The body as the fast gate reads it."""

    events: list[QuickEvent]


class Clean(msgspec.Struct):
    """What the gate writes after it took a body apart."""

    events: list[Any]


class Sizes(msgspec.Struct):
    """The body cut into items, to weigh them."""

    events: list[msgspec.Raw]


class Stored(msgspec.Struct, gc=False):
    """An event as the drain reads it: already checked, its properties go to the table as they are."""

    event: str
    account_id: str | int | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    occurred_at: datetime | None = None
    event_id: str | int | None = None
    feature: str | int | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")


class StoredBatch(msgspec.Struct):
    """The payload as the drain reads it."""

    events: list[Stored]


class Imported(Stored, gc=False):
    """A row of a file, which may say when it was received; a sender over HTTP may not."""

    received_at: datetime | None = None


class ImportedBatch(msgspec.Struct):
    """A part of a file."""

    events: list[Imported]


_gate = msgspec.json.Decoder(Batch)
_sizes = msgspec.json.Decoder(Sizes)
_stored = msgspec.json.Decoder(StoredBatch)
_imported = msgspec.json.Decoder(ImportedBatch)


def gate(body: bytes, received_at: datetime) -> Gated:
    """Check a batch; a clean one passes as it is, any other is judged event by event."""
    if b"\\" not in body or b"\\u0000" not in body:
        try:
            events = _gate.decode(body).events
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            pass
        else:
            if (
                len(events) <= MAX_EVENTS
                and _all_plain(events, future_limit(received_at))
                and _all_small(body)
            ):
                return Gated(body, len(events), [])
    document = load(body)
    items = document.get("events") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise BadBody(400, "invalid_shape", 'The body must be an object with a list "events".')
    if len(items) > MAX_EVENTS:
        raise BadBody(
            413,
            "too_many_events",
            f"A batch may have at most {MAX_EVENTS} events; this one has {len(items)}.",
        )
    return take_apart(items, lambda item: clean(item, received_at), _wrap)


def clean(item: Any, received_at: datetime) -> Event:
    """The canonical form of one event; raises `BadItem` or `ValidationError`."""
    if not isinstance(item, dict):
        raise BadItem("invalid_event", "An event is an object.")
    moment = parse(item.get("occurred_at"))
    event = msgspec.convert({**item, "occurred_at": None}, Event)
    if event.account_id in (None, "") and event.user_id in (None, "") and event.anonymous_id in (None, ""):
        raise BadItem("missing_subject", "An event needs an account_id or a user_id.")
    if moment is not None and moment > future_limit(received_at):
        raise BadItem("future_timestamp", "The event is more than 24 hours in the future.")
    event.occurred_at = moment
    return event


class ImportedEvent(Event, gc=False, omit_defaults=True):
    """A row of a file as the gate writes it."""

    received_at: Moment | None = None


def gate_import(rows: list[Any], received_at: datetime) -> Gated:
    """Check rows of a file, which may say when they were received."""

    def clean_row(row: Any) -> ImportedEvent:
        received = parse(row.get("received_at")) if isinstance(row, dict) else None
        if received is not None and received > future_limit(received_at):
            raise BadItem("future_timestamp", "The row was received more than 24 hours in the future.")
        event = clean(row, received_at)
        fields = {name: getattr(event, name) for name in event.__struct_fields__}
        return ImportedEvent(**fields, received_at=received)

    return take_apart(rows, clean_row, _wrap)


def _all_plain(events: list[QuickEvent], latest: datetime) -> bool:
    for event in events:
        if not event.account_id and not event.user_id:
            return False
        at = event.occurred_at
        # Numbers and old times take the careful way.
        if at is not None and (type(at) is not datetime or at > latest or at.year < 1971):
            return False
    return True


def _all_small(body: bytes) -> bool:
    return (
        len(body) <= MAX_EVENT_BYTES
        or max(map(len, _sizes.decode(body).events), default=0) <= MAX_EVENT_BYTES
    )


def _wrap(good: list[Any]) -> bytes:
    return msgspec.json.encode(Clean(events=good))


def decode(payload: bytes, received_at: datetime) -> Decoded:
    """The facts of a payload that passed the gate."""
    return Decoded([_usage(n, item, received_at) for n, item in enumerate(_stored.decode(payload).events)])


def decode_import(payload: bytes, received_at: datetime) -> Decoded:
    """The facts of a part of a file; each row may have its own time of receipt."""
    rows = _imported.decode(payload).events
    return Decoded([_usage(n, row, row.received_at or received_at) for n, row in enumerate(rows)])


def _usage(position: int, item: Stored, received_at: datetime) -> Usage:
    account, user, identity = item.account_id, item.user_id, item.event_id
    # Nearly every id is a text that is not empty; only the others are looked at more closely.
    return Usage(
        position,
        item.event,
        account if account and type(account) is str else _text(account),
        user if user and type(user) is str else _text(user),
        None if item.anonymous_id is None else _text(item.anonymous_id),
        item.occurred_at or received_at,
        received_at,
        identity if identity and type(identity) is str else _text(identity),
        None if item.feature is None else _text(item.feature),
        bytes(item.properties),
    )


def _text(value: str | int | None) -> str | None:
    """An id as text; an empty one is none."""
    if value is None or value == "":
        return None
    return value if type(value) is str else str(value)
