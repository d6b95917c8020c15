"""The careful reading of a body that the fast one refused: item by item, so that only the bad ones are lost."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec

from .shapes import MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEPT_CHARACTERS, BadBody, BadItem, Gated, Rejection

MAX_DIGITS = 4300  # what the fast gate and Python's own reader take


class _NotANumber(float):
    """NaN, an infinity or a number with too many digits, kept until its item is judged."""


def _integer(text: str) -> int | _NotANumber:
    return int(text) if len(text) <= MAX_DIGITS else _NotANumber("inf")


def load(body: bytes) -> Any:
    """Any JSON, also with NaN, lone surrogates and NULs in it; raises `BadBody` where not even that can be read."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadBody(400, "invalid_utf8", "The body is not valid UTF-8.") from None
    try:
        return json.loads(text, parse_constant=_NotANumber, parse_int=_integer)
    except RecursionError:
        raise BadBody(400, "too_deep", "The body is nested too deeply.") from None
    except ValueError:
        raise BadBody(400, "invalid_json", "The body is not valid JSON.") from None


def check(value: Any, depth: int = 0) -> None:
    """Raise `BadItem` for what PostgreSQL or a later reader could not take."""
    if isinstance(value, str):
        if "\x00" in value:
            raise BadItem("invalid_text", "A text contains a NUL character.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadItem("invalid_text", "A text contains half of a surrogate pair.") from None
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadItem("invalid_number", "A number is not finite or has too many digits.")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise BadItem("too_deep", f"The event is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, dict):
            for key, inner in value.items():
                check(key)
                check(inner, depth + 1)
        else:
            for inner in value:
                check(inner, depth + 1)


def text_of(item: Any) -> str:
    """An item as ASCII text for the quarantine, cut if it is long; what JSON has no word for is spelled as Python does."""
    try:
        text = json.dumps(item, ensure_ascii=True)
    except RecursionError:
        return '"nested too deeply to be kept"'
    return text[:MAX_KEPT_CHARACTERS]


def readable(error: msgspec.ValidationError) -> str:
    """The validator's message with the path in the sender's words."""
    return str(error).replace("`$", "`event")[:300]


def take_apart(
    items: list[Any], clean: Callable[[Any], msgspec.Struct], wrap: Callable[[list[msgspec.Struct]], bytes]
) -> Gated:
    """Judge each item by itself: `clean` gives the canonical form or raises `BadItem`, `wrap` makes the payload."""
    good: list[msgspec.Struct] = []
    rejected: list[Rejection] = []
    for index, item in enumerate(items):
        try:
            check(item)
            struct = clean(item)
            size = len(msgspec.json.encode(struct))
            if size > MAX_EVENT_BYTES:
                raise BadItem(
                    "too_large", f"An event may have at most {MAX_EVENT_BYTES} bytes; this one has {size}."
                )
            good.append(struct)
        except msgspec.ValidationError as error:
            rejected.append(Rejection(index, "invalid_event", readable(error), text_of(item)))
        except BadItem as error:
            rejected.append(Rejection(index, error.code, error.message, text_of(item)))
    return Gated(wrap(good), len(good), rejected)
