"""Kinds of declared fields: what a value may be, how a typed text becomes one, how it is written back. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

TEXT, NUMBER, MONEY, DATE, BOOL = "text", "number", "money", "date", "bool"
CHOICE, CHOICES, LINK, MEMBER = "choice", "choices", "link", "member"
KINDS = (TEXT, NUMBER, MONEY, DATE, BOOL, CHOICE, CHOICES, LINK, MEMBER)
LISTED = (CHOICE, CHOICES)  # kinds with options
MAX_TEXT, MAX_LINK, MAX_CENTS = 1000, 500, 2**53 - 1
LINK_SHAPE = re.compile(r"https?://[^\s<>\"]{3,}")
YES_WORDS = frozenset({"true", "yes", "y", "1", "sí", "si", "s", "x", "verdadero", "wahr"})
NO_WORDS = frozenset({"false", "no", "n", "0", "falso", "falsch"})


@dataclass(frozen=True)
class FieldSpec:
    """What a declared field is, without the database: its key, kind, options and whether it may be cleared."""

    key: str
    kind: str
    options: tuple[str, ...] = ()
    required: bool = False


class BadValue(ValueError):
    """A value that the field cannot hold: a code and what the words need."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values_said = values


# In the words of the API, which speaks English; pages say the same codes in the member's language.
API_WORDS = {
    "text": "must be text of at most %(most)s characters",
    "number": "must be a number",
    "money": "must be an amount in whole cents",
    "amount": "must be an amount such as 1234.50",
    "date": "must be a date like 2026-01-31",
    "bool": "must be true or false",
    "choice": "must be one of %(options)s",
    "choices": "must be a list of some of %(options)s",
    "link": "must be an address that begins with https:// or http://",
    "member": "must be the e-mail address of an active member",
    "required": "must be filled in and cannot be cleared",
}


def api_words(error: BadValue) -> str:
    """Why a value was refused, as the API says it."""
    return API_WORDS[error.code] % error.values_said


def read_value(spec: FieldSpec, value: Any, members: Collection[str]) -> Any:
    """A JSON value as it is stored; raises `BadValue`. `members` are the addresses of active members, in small letters."""
    return _READERS[spec.kind](spec, value, members)


def read_text(spec: FieldSpec, text: str, members: Collection[str]) -> Any:
    """A text that somebody typed or a file holds, as it is stored; amounts of money are in whole units."""
    text = text.strip()
    match spec.kind:
        case "number":
            return read_value(spec, _number(text), members)
        case "money":
            return _cents(text)
        case "bool":
            low = text.lower()
            if low in YES_WORDS or low in NO_WORDS:
                return low in YES_WORDS
            raise BadValue("bool")
        case "choices":
            words = [one.strip() for one in re.split(r"[;,]", text) if one.strip()]
            return read_value(spec, words, members)
        case _:
            return read_value(spec, text, members)


def written(kind: str, value: Any) -> str | int | float | bool | None:
    """A stored value for a cell of a file, which `read_text` reads back."""
    if value is None:
        return None
    if kind == MONEY and isinstance(value, int):
        return float(Decimal(value) / 100)
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    if isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def guess_kind(values: Sequence[Any]) -> str:
    """The kind that fits values which nobody declared."""
    found = [one for one in values if one is not None]
    if not found:
        return TEXT
    if all(isinstance(one, bool) for one in found):
        return BOOL
    if all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in found):
        return NUMBER
    texts = [str(one) for one in found]
    if all(_is_day(one) for one in texts):
        return DATE
    if all(LINK_SHAPE.fullmatch(one) for one in texts):
        return LINK
    return TEXT


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _read_line(spec: FieldSpec, value: Any, members: Collection[str]) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value.strip()) > MAX_TEXT or "\0" in value:
        raise BadValue("text", most=MAX_TEXT)
    return value.strip()


def _read_number(spec: FieldSpec, value: Any, members: Collection[str]) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadValue("number")
    if abs(value) > MAX_CENTS:
        raise BadValue("number")
    return value


def _read_money(spec: FieldSpec, value: Any, members: Collection[str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_CENTS:
        raise BadValue("money")
    return value


def _read_day(spec: FieldSpec, value: Any, members: Collection[str]) -> str:
    if not isinstance(value, str) or not _is_day(value.strip()):
        raise BadValue("date")
    return value.strip()


def _read_bool(spec: FieldSpec, value: Any, members: Collection[str]) -> bool:
    if not isinstance(value, bool):
        raise BadValue("bool")
    return value


def _option(spec: FieldSpec, text: str) -> str | None:
    """The option that is meant, whatever its letters' case."""
    return next((one for one in spec.options if one.lower() == text.strip().lower()), None)


def _read_choice(spec: FieldSpec, value: Any, members: Collection[str]) -> str:
    found = _option(spec, value) if isinstance(value, str) else None
    if found is None:
        raise BadValue("choice", options=", ".join(spec.options))
    return found


def _read_choices(spec: FieldSpec, value: Any, members: Collection[str]) -> list[str]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        found = [_option(spec, one) for one in value]
        if None not in found:
            return list(dict.fromkeys(one for one in found if one is not None))
    raise BadValue("choices", options=", ".join(spec.options))


def _read_link(spec: FieldSpec, value: Any, members: Collection[str]) -> str:
    if not isinstance(value, str) or len(value) > MAX_LINK or not LINK_SHAPE.fullmatch(value.strip()):
        raise BadValue("link")
    return value.strip()


def _read_member(spec: FieldSpec, value: Any, members: Collection[str]) -> str:
    if not isinstance(value, str) or value.strip().lower() not in members:
        raise BadValue("member")
    return value.strip().lower()


def _number(text: str) -> int | float:
    """A number as people write it: a comma or a point before the decimals, either one between thousands."""
    try:
        value = Decimal(plain_number(text))
    except InvalidOperation:
        raise BadValue("number") from None
    if not value.is_finite() or abs(value) > MAX_CENTS:
        raise BadValue("number")
    return int(value) if value == value.to_integral_value() else float(value)


def _cents(text: str) -> int:
    try:
        cents = Decimal(plain_number(text.strip("€$£ "))) * 100
    except InvalidOperation:
        raise BadValue("amount") from None
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > MAX_CENTS:
        raise BadValue("amount")
    return int(cents)


GROUPED = re.compile(r"-?[0-9]{1,3}([.,' \u00a0\u202f])[0-9]{3}(\1[0-9]{3})*([.,][0-9]+)?")


def plain_number(text: str) -> str:
    """The digits of a number with a point before the decimals. `1.234` and `1,234` without more are read as they stand:
    a point begins decimals, a comma followed by three digits separates thousands."""
    text = text.strip()
    if text.count(",") + text.count(".") + text.count("'") + len(re.findall(r"\s", text)) == 0:
        return text
    grouped = GROUPED.fullmatch(text)
    if grouped and not (grouped[1] == "." and text.count(".") == 1 and "," not in text):
        whole, decimals = text, ""
        if grouped[3] and grouped[3][0] != grouped[1]:
            whole, decimals = text[: -len(grouped[3])], grouped[3][1:]
        digits = re.sub(r"[.,' \u00a0\u202f]", "", whole)
        return f"{digits}.{decimals}" if decimals else digits
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


_READERS: Mapping[str, Callable[[FieldSpec, Any, Collection[str]], Any]] = {
    TEXT: _read_line,
    NUMBER: _read_number,
    MONEY: _read_money,
    DATE: _read_day,
    BOOL: _read_bool,
    CHOICE: _read_choice,
    CHOICES: _read_choices,
    LINK: _read_link,
    MEMBER: _read_member,
}
