"""The Segment protocol with the dialects of RudderStack and Customer.io: `/v1/batch` and the single calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .shapes import (
    MAX_EVENT_BYTES,
    Alias,
    BadBody,
    BadItem,
    Decoded,
    Gated,
    Group,
    Identifier,
    Json,
    Moment,
    Person,
    Usage,
)
from .timestamps import correct_skew, future_limit, parse
from .tolerant import load, take_apart

MAX_MESSAGES = 2_500  # what Segment's own endpoint takes
CALLS = frozenset({"track", "identify", "group", "page", "screen", "alias"})
# Libraries that run on a person's device, whose clock may be wrong; a server's old timestamps are meant.
CLIENT_LIBRARIES = (
    "analytics.js",
    "web",
    "analytics-ios",
    "analytics-android",
    "analytics-react-native",
    "RudderLabs Java",
)
# Where senders put the account when they have no group call; the value may be a list of one.
ACCOUNT_PROPERTIES = (
    "account_id", "accountId", "company_id", "companyId", "group_id", "groupId", "organization_id", "organizationId",
)  # fmt: skip
PAGE, SCREEN = "Page Viewed", "Screen Viewed"

Text = str | None


class Library(msgspec.Struct, gc=False, omit_defaults=True):
    """Which client library sent it."""

    name: Text = None


class Context(msgspec.Struct, omit_defaults=True):
    """The parts of a context that say who and where."""

    groupId: Identifier | None = None
    library: Library | None = None
    traits: dict[str, Any] | None = None


class Message(msgspec.Struct, omit_defaults=True):
    """One call as the careful gate reads it, after every value in it was looked at."""

    type: str
    messageId: Identifier | None = None
    userId: Identifier | None = None
    anonymousId: Identifier | None = None
    groupId: Identifier | None = None
    previousId: Identifier | None = None
    event: Identifier | None = None
    name: Identifier | None = None
    category: Identifier | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Context | None = None
    timestamp: Moment | None = None
    originalTimestamp: Moment | None = None
    sentAt: Moment | None = None


class Envelope(msgspec.Struct, omit_defaults=True):
    """A batch as the careful gate writes it."""

    batch: list[Message]
    sentAt: Moment | None = None


class QuickContext(Context, omit_defaults=True):
    """A context as the fast gate reads it."""

    traits: dict[str, Json] | None = None


class QuickMessage(Message, omit_defaults=True):
    """One call as the fast gate reads it: everything is checked while it is read."""

    properties: dict[str, Json] | None = None
    traits: dict[str, Json] | None = None
    context: QuickContext | None = None


class QuickEnvelope(msgspec.Struct):
    """A batch as the fast gate reads it."""

    batch: list[QuickMessage]
    context: QuickContext | None = None
    sentAt: Moment | None = None


class Sizes(msgspec.Struct):
    """The body cut into items, to weigh them."""

    batch: list[msgspec.Raw]


class StoredContext(msgspec.Struct):
    """A checked context."""

    groupId: str | int | None = None
    library: Library | None = None
    traits: dict[str, Any] | None = None


class StoredMessage(msgspec.Struct):
    """One call as the drain reads it: already checked, its properties go to the table as they are."""

    type: str
    messageId: str | int | None = None
    userId: str | int | None = None
    anonymousId: str | int | None = None
    groupId: str | int | None = None
    previousId: str | int | None = None
    event: str | int | None = None
    name: str | int | None = None
    category: str | int | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    traits: dict[str, Any] | None = None
    context: StoredContext | None = None
    timestamp: datetime | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None


class StoredEnvelope(msgspec.Struct):
    """A payload as the drain reads it."""

    batch: list[StoredMessage]
    sentAt: datetime | None = None


class _Key(msgspec.Struct):
    writeKey: Any = None


_gate = msgspec.json.Decoder(QuickEnvelope)
_sizes = msgspec.json.Decoder(Sizes)
_stored = msgspec.json.Decoder(StoredEnvelope)
_key = msgspec.json.Decoder(_Key)
_TIMES = ("timestamp", "originalTimestamp", "sentAt")


def write_key(body: bytes) -> str | None:
    """The write key inside a body, where browsers put it."""
    try:
        value = _key.decode(body).writeKey
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return value if isinstance(value, str) and value else None


def gate(body: bytes, received_at: datetime, call: str = "batch") -> Gated:
    """Check a batch or, where `call` names one, a single message; a clean batch passes as it is."""
    if call == "batch" and (b"\\" not in body or b"\\u0000" not in body):
        try:
            envelope = _gate.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            pass
        else:
            if _passes(envelope, body, future_limit(received_at)):
                return Gated(body, len(envelope.batch), [])
    document = load(body)
    if not isinstance(document, dict):
        raise BadBody(400, "invalid_shape", "The body must be an object.")
    items = document.get("batch") if call == "batch" else [{**document, "type": call}]
    if not isinstance(items, list):
        raise BadBody(400, "invalid_shape", 'The body must have a list "batch".')
    if len(items) > MAX_MESSAGES:
        raise BadBody(413, "too_many_events", f"A batch may have at most {MAX_MESSAGES} messages.")
    envelope_sent = _envelope_time(document)
    shared = document.get("context") if call == "batch" else None
    return take_apart(
        items,
        lambda item: clean(item, received_at, shared),
        lambda good: msgspec.json.encode(Envelope(batch=good, sentAt=envelope_sent)),  # type: ignore[arg-type]  # the gate has shaped them
    )


def clean(item: Any, received_at: datetime, shared_context: Any = None) -> Message:
    """The canonical form of one message; raises `BadItem` or `ValidationError`."""
    if not isinstance(item, dict):
        raise BadItem("invalid_event", "A message is an object.")
    times = {key: parse(item.get(key)) for key in _TIMES}
    context = item.get("context")
    if isinstance(shared_context, dict):
        context = {**shared_context, **context} if isinstance(context, dict) else shared_context
    message = msgspec.convert({**item, "context": context, **dict.fromkeys(_TIMES)}, Message)
    message.timestamp, message.originalTimestamp, message.sentAt = (times[key] for key in _TIMES)
    problem = _problem(message)
    if problem:
        raise BadItem(*problem)
    at = _when(message.timestamp or message.originalTimestamp, message.sentAt, message.context, received_at)
    if at > future_limit(received_at):
        raise BadItem("future_timestamp", "The event is more than 24 hours in the future.")
    return message


def _problem(message: Message) -> tuple[str, str] | None:
    """What a message of its type lacks, None when it is whole."""
    kind = message.type
    if kind not in CALLS:
        return "unknown_type", f"Messages of type {kind[:40]!r} are not known."
    somebody = message.userId not in (None, "") or message.anonymousId not in (None, "")
    if kind == "group":
        return (
            None
            if message.groupId not in (None, "")
            else ("missing_subject", "A group call needs a groupId.")
        )
    if kind == "alias":
        both = message.userId not in (None, "") and message.previousId not in (None, "")
        return None if both else ("missing_subject", "An alias call needs a userId and a previousId.")
    if kind == "track" and message.event in (None, ""):
        return "invalid_event", "A track call needs an event."
    return None if somebody else ("missing_subject", "A userId or an anonymousId is needed.")


def _passes(envelope: QuickEnvelope, body: bytes, latest: datetime) -> bool:
    """Whether a batch needs no closer look."""
    if (
        len(envelope.batch) > MAX_MESSAGES
        or envelope.context is not None
        or not _is_plain(envelope.sentAt, None)
    ):
        return False
    for message in envelope.batch:
        if _problem(message) or not (
            _is_plain(message.timestamp, latest)
            and _is_plain(message.originalTimestamp, latest)
            and _is_plain(message.sentAt, None)
        ):
            return False
    if len(body) <= MAX_EVENT_BYTES:
        return True
    return max(map(len, _sizes.decode(body).batch), default=0) <= MAX_EVENT_BYTES


def _is_plain(moment: Any, latest: datetime | None) -> bool:
    if moment is None:
        return True
    return type(moment) is datetime and moment.year > 1970 and (latest is None or moment <= latest)


def _envelope_time(document: dict[str, Any]) -> datetime | None:
    """`sentAt` of a batch; a broken one is as good as none."""
    try:
        return parse(document.get("sentAt"))
    except BadItem:
        return None


def _when(at: datetime | None, sent_at: datetime | None, context: Any, received_at: datetime) -> datetime:
    if at is None:
        return received_at
    library = context.library.name if context is not None and context.library is not None else None
    if sent_at is not None and library and library.startswith(CLIENT_LIBRARIES):
        return correct_skew(at, sent_at, received_at)
    return at


def decode(payload: bytes, received_at: datetime) -> Decoded:
    """The facts of a payload that passed the gate."""
    envelope = _stored.decode(payload)
    facts = Decoded([], [], [], [])
    for position, message in enumerate(envelope.batch):
        context = message.context
        sent_at = message.sentAt or envelope.sentAt
        at = _when(message.timestamp or message.originalTimestamp, sent_at, context, received_at)
        user, anonymous = _text(message.userId), _text(message.anonymousId)
        identity, kind = _text(message.messageId), message.type
        group = _text(message.groupId) or (_text(context.groupId) if context is not None else None)
        if kind == "alias":
            facts.aliases.append(Alias(position, str(message.previousId), str(message.userId), at, identity))
        elif kind == "identify":
            # RudderStack keeps the traits of an identify call in the context only.
            traits = message.traits or (context.traits if context is not None else None) or {}
            facts.people.append(Person(position, user, anonymous, at, identity, traits))
        elif kind == "group":
            group = str(message.groupId)
            facts.groups.append(Group(position, group, user, anonymous, at, identity, message.traits or {}))
        else:
            name, feature = _name(message)
            properties = bytes(message.properties)
            facts.usages.append(
                Usage(position, name, group, user, anonymous, at, received_at, identity, feature, properties)
            )
    return facts


def _name(message: StoredMessage) -> tuple[str, str | None]:
    """Event name and feature: a page or screen is a feature by its own name."""
    if message.type == "track":
        return str(message.event), None
    feature = _text(message.name) or _text(message.category)
    return (PAGE if message.type == "page" else SCREEN), feature


def _text(value: str | int | None) -> str | None:
    """An id as text; an empty one is none."""
    if value is None or value == "":
        return None
    return value if type(value) is str else str(value)
