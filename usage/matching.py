"""Which metrics and which feature an event feeds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

ADD, MAX, LAST = "add", "max", "last"
OPERATION = {"all_events": ADD, "count": ADD, "sum": ADD, "max": MAX, "last": LAST}
MAX_VALUE = 1e15  # beyond it doubles lose whole units, and sums their independence of order
_PUNCTUATION = re.compile(r"[\W_]+")
_NAME_CACHE_LIMIT = 50_000


@dataclass(frozen=True)
class Definition:
    """A metric as matching needs it."""

    id: int
    key: str
    kind: str
    slot: int | None
    events: tuple[str, ...] = ()
    property: str = ""
    dimension: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Feed:
    """One metric that an event of some name feeds."""

    metric_id: int
    slot: int
    operation: str
    property: str
    dimension: str
    decimals: int


@dataclass(frozen=True)
class Feeds:
    """Everything that an event of some name feeds."""

    counts: tuple[int, ...]  # slots that grow by one, 0-based: by far the most common
    others: tuple[Feed, ...]  # those that need the event's properties
    users: tuple[int, ...]  # distinct_users metrics with chosen events
    metric_ids: tuple[int, ...]  # all metrics that the event delivers, for freshness


def normal(name: str) -> str:
    """An event or feature name without case and punctuation: `Email Sent` and `email_sent` are the same event."""
    return _PUNCTUATION.sub("_", name).strip("_").lower() or name


def rounded(value: float, decimals: int) -> float:
    """The nearest number with so many decimals; sums of such numbers, rounded again, do not depend on their order."""
    scale = 10.0**decimals
    return round(value * scale) / scale


def number(value: object) -> float | None:
    """A property as a number: numbers, numbers in quotes and booleans count, anything else is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or abs(value) > MAX_VALUE or not math.isfinite(value):
        return None
    return float(value)


class Plan:
    """The metrics of a tenant, compiled: looks an event name up once and remembers what it feeds."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self.definitions = tuple(definitions)
        self.width = max((d.slot or 0 for d in self.definitions), default=0)
        self.always: list[Definition] = []  # fed by every event
        self.by_name: dict[str, list[Definition]] = {}
        for definition in self.definitions:
            if definition.kind in ("all_events", "active_days", "features_used") or (
                definition.kind == "distinct_users" and not definition.events
            ):
                self.always.append(definition)
            elif definition.kind in OPERATION or definition.kind == "distinct_users":
                for name in {normal(event) for event in definition.events}:
                    self.by_name.setdefault(name, []).append(definition)
        self._feeds: dict[str, Feeds] = {}

    def feeds(self, name: str) -> Feeds:
        """What an event of this name feeds."""
        feeds = self._feeds.get(name)
        if feeds is None:
            if (
                len(self._feeds) > _NAME_CACHE_LIMIT
            ):  # a sender that puts ids into names must not fill the memory
                self._feeds.clear()
            feeds = self._feeds[name] = self._compile(name)
        return feeds

    def _compile(self, name: str) -> Feeds:
        matching = self.always + self.by_name.get(normal(name), [])
        counts: list[int] = []
        others: list[Feed] = []
        users: list[int] = []
        for metric in matching:
            if metric.kind == "distinct_users":
                if metric.events:
                    users.append(metric.id)
            elif metric.slot is not None:
                plain = metric.kind in ("all_events", "count") and not metric.dimension
                if plain:
                    counts.append(metric.slot - 1)
                else:
                    others.append(
                        Feed(
                            metric.id, metric.slot, OPERATION[metric.kind],
                            "" if metric.kind == "count" else metric.property, metric.dimension, metric.decimals,
                        )
                    )  # fmt: skip
        return Feeds(tuple(counts), tuple(others), tuple(users), tuple(m.id for m in matching))


class FeatureBook:
    """Which feature an event uses: its own label's, else the one that names the event, else one by the event's name."""

    def __init__(self, features: Iterable[tuple[int, str, tuple[str, ...]]], limit: int) -> None:
        self._ids: dict[str, int] = {}
        self._limit = limit
        self._memory: dict[str, int] = {}
        rows = list(features)
        for feature_id, key, _events in rows:
            self._ids[key] = feature_id
        for feature_id, _key, events in rows:
            for event in events:
                # The definition somebody wrote wins over the feature that once registered itself.
                self._ids[normal(event)] = feature_id

    def known(self, label: str) -> int | None:
        """The feature of a label, None when it must be registered first, 0 when the tenant has too many."""
        feature = self._memory.get(label)
        if feature is None:
            feature = self._ids.get(normal(label))
            if feature is None:
                return 0 if len(self._ids) >= self._limit else None
            if len(self._memory) > _NAME_CACHE_LIMIT:
                self._memory.clear()
            self._memory[label] = feature
        return feature

    def add(self, key: str, feature_id: int) -> None:
        """Remember a feature that was registered."""
        self._ids[key] = feature_id
