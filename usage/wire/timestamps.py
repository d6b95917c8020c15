"""Times as senders write them: ISO with and without offset, seconds, milliseconds, nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .shapes import MAX_FUTURE_SECONDS, BadItem

MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = 253_402_300_799.0  # the last second of 9999


def from_number(value: float) -> datetime:
    """Unix seconds, or milliseconds when the number is too large for seconds."""
    seconds = value / 1000 if value > MILLISECONDS_FROM else value
    if not 0 <= seconds <= END:
        raise BadItem("invalid_timestamp", f"{value:g} is not a time between 1970 and 9999.")
    return EPOCH + timedelta(seconds=seconds)


def from_text(value: str) -> datetime:
    """ISO 8601 in any of its usual spellings (without an offset: UTC), or a number in quotes."""
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            number = float(text)
        except ValueError:
            raise BadItem("invalid_timestamp", f"{text[:60]!r} is not a time.") from None
        return from_number(number)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return in_range(moment)


def in_range(moment: datetime) -> datetime:
    """The same moment in UTC; outside 1970 to 9999 it is a bad item."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise BadItem("invalid_timestamp", "The time is outside 1970 to 9999.") from None
    if moment < EPOCH:
        raise BadItem("invalid_timestamp", "The time is before 1970.")
    return moment


def parse(value: object) -> datetime | None:
    """A time in any accepted form; None stays None."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return in_range(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadItem("invalid_timestamp", "A time is a text or a number.")
    if isinstance(value, str):
        return from_text(value)
    try:
        return from_number(float(value))
    except OverflowError:
        raise BadItem("invalid_timestamp", "The number is too large for a time.") from None


def future_limit(received_at: datetime) -> datetime:
    """The latest time that an event received now may bear."""
    return received_at + timedelta(seconds=MAX_FUTURE_SECONDS)


def correct_skew(original: datetime, sent_at: datetime, received_at: datetime) -> datetime:
    """When it happened by our clock, given when it happened and when it was sent by the sender's clock."""
    try:
        return received_at - (sent_at - original)
    except OverflowError:
        return original
