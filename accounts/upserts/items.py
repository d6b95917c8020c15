"""From JSON to checked items; every fault of an item is named. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .fields import Field, Invalid

MAX_ITEMS = 1000


@dataclass(frozen=True)
class Fault:
    """What is wrong with one key of an item."""

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass
class Item:
    """An item with the keys that were sent, read; faults are added as they are found."""

    index: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, path: str, code: str, message: str) -> None:
        """Add a fault; the item will not be stored."""
        self.faults.append(Fault(path, code, message))


@dataclass(frozen=True)
class Rejection:
    """Why an item was not stored: one code, a message that names every fault."""

    index: int
    code: str
    message: str
    faults: tuple[Fault, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The API's shape."""
        return {"index": self.index, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Change:
    """What became of one row: the columns that are different now, before (nothing for a new row) and after."""

    table: str
    id: int
    was: Mapping[str, Any] | None
    now: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How many items made a row, how many met one (and said nothing new of it), and which were rejected."""

    created: int
    updated: int
    rejected: tuple[Rejection, ...]
    unchanged: int = 0  # of the updated ones; the API does not say it
    changes: tuple[Change, ...] = ()  # so that an import can be taken back

    def as_json(self) -> dict[str, Any]:
        """The API's shape."""
        return {
            "created": self.created,
            "updated": self.updated,
            "rejected": [one.as_json() for one in self.rejected],
        }


def read_items(fields: Sequence[Field], raw: Sequence[Any]) -> list[Item]:
    """Read each item; wrong types, lengths, choices and keys that nobody knows become faults."""
    by_name = {one.name: one for one in fields}
    return [_read_item(by_name, index, one) for index, one in enumerate(raw)]


def _read_item(fields: Mapping[str, Field], index: int, raw: Any) -> Item:
    item = Item(index)
    if not isinstance(raw, dict):
        item.refuse("", "invalid", "must be an object")
        return item
    for name, value in raw.items():
        if name not in fields:
            item.refuse(str(name)[:100], "invalid", "is not a field of this resource")
            continue
        try:
            item.values[name] = fields[name].read_value(value)
        except Invalid as error:
            item.refuse(name, "invalid", str(error))
    return item


def rejections(items: Sequence[Item]) -> tuple[Rejection, ...]:
    """The items with faults, in their order."""
    return tuple(_rejection(item) for item in items if item.faults)


def _rejection(item: Item) -> Rejection:
    codes = {fault.code for fault in item.faults}
    return Rejection(
        index=item.index,
        code=codes.pop() if len(codes) == 1 else "invalid",
        message="; ".join(str(fault) for fault in item.faults),
        faults=tuple(item.faults),
    )
