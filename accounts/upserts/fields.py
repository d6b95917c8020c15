"""What a field of an item may hold, how it is read, and how the API's schema describes it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

MAX_INTEGER = 2**31 - 1
MAX_BIG = 2**53 - 1  # what every JSON library reads exactly
MAX_LIST = 100
MAX_KEYS = 200
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
CURRENCY = re.compile(r"[A-Za-z]{3}")

Schema = Mapping[str, Any]


class Invalid(ValueError):
    """A value that cannot be stored; the text says why."""


@dataclass(frozen=True)
class Field:
    """One key of an item: how its value is read, what `null` and absence in a new row store."""

    name: str
    read: Callable[[Any], Any]
    schema: Schema
    required: bool = False
    empty: Any = None
    merges: bool = False  # an object: its keys are merged, a key with null is removed
    words: str = field(default="", compare=False)

    def read_value(self, value: Any) -> Any:
        """The value to store; raises `Invalid`."""
        if value is None:
            if self.required:
                raise Invalid("must not be null")
            return self.empty
        return self.read(value)


def text(name: str, limit: int, *, required: bool = False, words: str = "") -> Field:
    """A line of text; numbers are taken as their digits, because ids often come as numbers."""

    def read(value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise Invalid("must be text")
        line = value.strip()
        if required and not line:
            raise Invalid("must not be empty")
        if len(line) > limit:
            raise Invalid(f"may have {limit} characters, has {len(line)}")
        return line

    return Field(name, read, {"type": "string", "maxLength": limit}, required=required, empty="", words=words)


def reference(name: str, *, required: bool = False, words: str = "") -> Field:
    """The id of a row, as the sender calls it; null means none."""
    base = text(name, 200, required=required, words=words)
    return Field(name, lambda value: base.read(value) or None, base.schema, required=required, words=words)


def email(name: str, *, words: str = "") -> Field:
    """An e-mail address, in small letters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > 254:
            raise Invalid("must be an e-mail address")
        address = value.strip().lower()
        if address and not EMAIL.fullmatch(address):
            raise Invalid("must be an e-mail address")
        return address

    return Field(name, read, {"type": "string", "maxLength": 254}, empty="", words=words)


def choice(name: str, values: Sequence[str], *, empty: str = "", words: str = "") -> Field:
    """One of a few words."""

    allowed = [*values] if empty else [*values, ""]

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Invalid(f"must be one of {', '.join(values)}")
        return value

    return Field(name, read, {"type": "string", "enum": allowed}, empty=empty, words=words)


def whole(
    name: str, *, low: int = 0, high: int = MAX_INTEGER, empty: int | None = None, words: str = ""
) -> Field:
    """A whole number."""

    def read(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,16}\s*", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid("must be a whole number")
        if not low <= value <= high:
            raise Invalid(f"must be from {low} to {high}")
        return value

    return Field(name, read, {"type": "integer", "minimum": low, "maximum": high}, empty=empty, words=words)


def currency(name: str) -> Field:
    """A currency by its three letters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not (value == "" or CURRENCY.fullmatch(value.strip())):
            raise Invalid("must be three letters, e.g. EUR")
        return value.strip().upper()

    return Field(name, read, {"type": "string", "maxLength": 3}, empty="", words="ISO 4217, e.g. EUR")


def day(name: str, *, words: str = "") -> Field:
    """A calendar date."""

    def read(value: Any) -> date:
        try:
            if not isinstance(value, str) or len(value.strip()) != 10:
                raise ValueError
            return date.fromisoformat(value.strip())
        except ValueError:
            raise Invalid("must be a date like 2026-01-31") from None

    return Field(name, read, {"type": "string", "format": "date"}, words=words)


def moment(name: str, *, required: bool = False, words: str = "") -> Field:
    """A point in time; without an offset it is taken as UTC."""

    def read(value: Any) -> datetime:
        try:
            if not isinstance(value, str):
                raise ValueError
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Invalid("must be a time like 2026-01-31T12:00:00Z") from None
        return found

    return Field(name, read, {"type": "string", "format": "date-time"}, required=required, words=words)


def texts(name: str, *, words: str = "") -> Field:
    """A list of short texts, each once, in the order given."""

    def read(value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Invalid("must be a list of texts")
        found = list(dict.fromkeys(one.strip() for one in value if one.strip()))
        if len(found) > MAX_LIST:
            raise Invalid(f"may have {MAX_LIST} entries, has {len(found)}")
        if any(len(one) > 50 for one in found):
            raise Invalid("each entry may have 50 characters")
        return found

    schema = {"type": "array", "items": {"type": "string", "maxLength": 50}, "maxItems": MAX_LIST}
    return Field(name, read, schema, empty=(), words=words)


def numbers(name: str, *, words: str = "") -> Field:
    """Numbers by key."""

    def read(value: Any) -> dict[str, float | None]:
        found = _object(value)
        for key, number in found.items():
            if number is None:
                continue
            if (
                isinstance(number, bool)
                or not isinstance(number, int | float)
                or not math.isfinite(number)
                or number < 0
            ):
                raise Invalid(f"“{key}” must be a number of 0 or more")
        return found

    schema = {"type": "object", "additionalProperties": {"type": ["number", "null"], "minimum": 0}}
    return Field(name, read, schema, empty={}, merges=True, words=words)


def anything(name: str, *, words: str = "") -> Field:
    """Values of any kind by key."""
    return Field(
        name, _object, {"type": "object", "additionalProperties": True}, empty={}, merges=True, words=words
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("must be an object")
    if len(value) > MAX_KEYS:
        raise Invalid(f"may have {MAX_KEYS} keys, has {len(value)}")
    if any(len(key) > 200 for key in value):
        raise Invalid("each key may have 200 characters")
    return value
