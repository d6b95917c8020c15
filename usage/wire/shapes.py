"""Shapes and limits that all doors share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

MAX_BODY_BYTES = 5 * 1024 * 1024  # after inflating
MAX_EVENTS = 2_000
MAX_EVENT_BYTES = 32 * 1024
MAX_DEPTH = 20
QUICK_DEPTH = 8  # what the fast gate reads: building its decoder costs 2 to the power of it, 20 takes minutes
MAX_FUTURE_SECONDS = 24 * 3600
MAX_KEPT_CHARACTERS = 64 * 1024  # of a refused item, for the quarantine

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Identifier = (
    Annotated[str, msgspec.Meta(max_length=200)] | Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
)
Moment = Annotated[datetime, msgspec.Meta(tz=True)] | float | int


def _json_of_depth(depth: int) -> Any:
    """The type of any JSON value nested at most so deep; msgspec checks it while it reads, at no cost."""
    shape: Any = None | bool | int | float | str
    for _ in range(depth):
        shape = None | bool | int | float | str | list[shape] | dict[str, shape]
    return shape


Json: Any = _json_of_depth(QUICK_DEPTH)


class BadBody(Exception):
    """The body as a whole cannot be taken in."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class BadItem(Exception):
    """One item of a batch cannot be taken in; the others can."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Rejection(msgspec.Struct, frozen=True):
    """A refused item: where it was, why, and its text for the quarantine (empty in the answer to the sender)."""

    index: int
    code: str
    message: str
    payload: str = ""


class Gated(msgspec.Struct, frozen=True):
    """What the gate lets through: a payload of clean items for the decoder, and what it refused."""

    payload: bytes
    count: int
    rejected: list[Rejection]


class Usage(msgspec.Struct, gc=False):
    """One thing that somebody did in the tenant's product; `identity` is the sender's id of it."""

    position: int
    name: str
    account: str | None
    user: str | None
    anonymous: str | None
    occurred_at: datetime
    received_at: datetime
    identity: str | None
    feature: str | None
    properties: bytes


class Person(msgspec.Struct):
    """What a sender says of a user (identify)."""

    position: int
    user: str | None
    anonymous: str | None
    at: datetime
    identity: str | None
    traits: dict[str, Any]


class Group(msgspec.Struct):
    """A user belongs to an account from then on (group); without a user only the account's traits count."""

    position: int
    account: str
    user: str | None
    anonymous: str | None
    at: datetime
    identity: str | None
    traits: dict[str, Any]


class Alias(msgspec.Struct):
    """A former id is the same person as a user (alias)."""

    position: int
    previous: str
    user: str
    at: datetime
    identity: str | None


class Decoded(msgspec.Struct):
    """The facts of one batch."""

    usages: list[Usage]
    people: list[Person] = []
    groups: list[Group] = []
    aliases: list[Alias] = []
