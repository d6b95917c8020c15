"""Adding events up by account and day: the one place that says what an event adds to which number."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import msgspec

from .matching import ADD, LAST, MAX, Feed, Feeds, number, rounded

MAX_DIMENSION_KEY = 200
_properties = msgspec.json.Decoder(dict[str, Any])

# A cell says which account and day; a past run adds the day of receipt to it.
Cell = TypeVar("Cell", bound=Hashable)
DayCell = tuple[int, date]
ReceiptCell = tuple[int, date, date]


class Rollup(Generic[Cell]):
    """Numbers of many events by cell; the order of the events never matters."""

    def __init__(self, width: int, *, keep_last: bool) -> None:
        self.width = width
        self.keep_last = keep_last
        self.days: dict[Cell, list[float | None]] = {}
        self.users: dict[tuple[Cell, int], list[Any]] = {}  # events, features, metrics
        self.dimensions: dict[tuple[Cell, int, str], float] = {}
        self.decimals: dict[int, int] = {}
        self.lasts: dict[tuple[Cell, int], tuple[datetime, str]] = {}
        self.last_cells: set[Cell] = set()

    def add(
        self,
        cell: Cell,
        contact_id: int,
        feature_id: int,
        feeds: Feeds,
        properties: bytes,
        occurred_at: datetime,
        key: str,
    ) -> None:
        """Add one event."""
        values = self.days.get(cell)
        if values is None:
            values = self.days[cell] = [None] * self.width
        for slot in feeds.counts:
            values[slot] = (values[slot] or 0.0) + 1.0
        user = self.users.get((cell, contact_id))
        if user is None:
            user = self.users[(cell, contact_id)] = [0, set(), set()]
        user[0] += 1
        if feature_id:
            user[1].add(feature_id)
        if feeds.users:
            user[2].update(feeds.users)
        if feeds.others:
            self._add_properties(cell, values, feeds.others, properties, occurred_at, key)

    def _add_properties(
        self,
        cell: Cell,
        values: list[float | None],
        feeds: tuple[Feed, ...],
        properties: bytes,
        occurred_at: datetime,
        key: str,
    ) -> None:
        found = read_properties(properties)
        for feed in feeds:
            value = 1.0 if not feed.property else number(found.get(feed.property))
            if value is None:
                continue
            value = rounded(value, feed.decimals)
            slot = feed.slot - 1
            before = values[slot]
            if feed.operation == ADD:
                values[slot] = rounded((before or 0.0) + value, feed.decimals)
            elif feed.operation == MAX:
                values[slot] = value if before is None else max(before, value)
            elif feed.operation == LAST:
                self.last_cells.add(cell)
                if self.keep_last:
                    stamp = (occurred_at, key)  # the key decides between two at the same moment
                    latest = self.lasts.get((cell, slot))
                    if latest is None or stamp > latest:
                        self.lasts[(cell, slot)] = stamp
                        values[slot] = value
            if feed.dimension and feed.operation == ADD:
                self._add_dimension(cell, feed, found.get(feed.dimension), value)

    def _add_dimension(self, cell: Cell, feed: Feed, kept_apart: object, value: float) -> None:
        if kept_apart is None or isinstance(kept_apart, dict | list):
            return
        place = (cell, feed.metric_id, str(kept_apart)[:MAX_DIMENSION_KEY])
        self.decimals[feed.metric_id] = feed.decimals
        self.dimensions[place] = rounded(self.dimensions.get(place, 0.0) + value, feed.decimals)


def read_properties(properties: bytes) -> dict[str, Any]:
    """The properties of an event; none where there are none."""
    if not properties or properties == b"null":
        return {}
    return _properties.decode(properties)
