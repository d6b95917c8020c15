"""From stored data to a checked condition and back. Pure; a fault names its place and says how to mend it.

The stored form is JSON: `{"all": [...]}` or `{"any": [...]}`, and comparisons such as
`{"fact": "metric", "metric": "sends", "days": 7, "op": "under", "past": 0.6, "times": 4, "least": 3, "release": 0.8}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from .tree import (
    BANDS,
    DATES,
    DEEPEST,
    LONGEST_DAYS,
    LONGEST_SILENCE,
    MOST_LEAVES,
    NUMBER_FIELDS,
    NUMBER_OPS,
    SCORES,
    SEVERITIES,
    TICKETS,
    WORD_FIELDS,
    WORD_OPS,
    BandFact,
    Bound,
    ChangeFact,
    ComponentFact,
    DateFact,
    Fact,
    FieldFact,
    Group,
    Leaf,
    MetricFact,
    MetricShare,
    Node,
    Number,
    PastShare,
    ScoreFact,
    TargetShare,
    TicketFact,
    Words,
    leaves_of,
)

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
Data = Mapping[str, Any]


class ConditionError(ValueError):
    """What is wrong with a condition: places and codes with values; `alerts.wording` says them."""

    def __init__(self, path: str, code: str, **values: Any) -> None:
        self.path, self.code, self.values = path, code, values
        super().__init__(f"{path or 'condition'}: {code} {values or ''}".strip())


def parse_tree(data: Any) -> Group:
    """The condition of a rule; raises `ConditionError` for the first fault."""
    node = _node(data, "", 1)
    group = node if isinstance(node, Group) else Group("", "all", (node,))
    found = list(leaves_of(group))
    if not found:
        raise ConditionError("", "empty")
    if len(found) > MOST_LEAVES:
        raise ConditionError("", "too_many", most=MOST_LEAVES)
    return group


def _node(data: Any, path: str, depth: int) -> Node:
    if not isinstance(data, Mapping):
        raise ConditionError(path, "not_an_object")
    joined = [word for word in ("all", "any") if word in data]
    if not joined:
        return _leaf(data, path)
    if len(joined) > 1 or len(data) > 1:
        raise ConditionError(path, "all_or_any")
    parts = data[joined[0]]
    if not isinstance(parts, list | tuple) or not parts:
        raise ConditionError(path, "empty")
    if depth > DEEPEST:
        raise ConditionError(path, "too_deep", most=DEEPEST)
    prefix = f"{path}.{joined[0]}" if path else joined[0]
    return Group(
        path, joined[0], tuple(_node(part, f"{prefix}.{n}", depth + 1) for n, part in enumerate(parts))
    )


class _Reader:
    """The keys of one comparison: each is taken once, what is left over is unknown."""

    def __init__(self, data: Data, path: str) -> None:
        self.left, self.path = dict(data), path

    def fail(self, name: str, code: str, **values: Any) -> ConditionError:
        """An error at one key."""
        return ConditionError(f"{self.path}.{name}" if self.path else name, code, **values)

    def word(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of some words."""
        value = self.left.pop(name, default)
        if value not in allowed:
            raise self.fail(name, "one_of", allowed=", ".join(allowed))
        return str(value)

    def key(self, name: str) -> str:
        """The key of a metric or component."""
        value = self.left.pop(name, None)
        if not isinstance(value, str) or not KEY.match(value):
            raise self.fail(name, "key")
        return value

    def number(
        self, name: str, *, least: float = -1e15, most: float = 1e15, default: float | None = None
    ) -> float:
        """A finite number within bounds."""
        value = self.left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fail(name, "number")
        if not least <= value <= most:
            raise self.fail(name, "range", least=least, most=most)
        return float(value)

    def whole(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.number(name, least=least, most=most, default=default)
        if not value.is_integer():
            raise self.fail(name, "whole")
        return int(value)

    def done(self) -> None:
        """Raise if anything is left that nobody knows."""
        for name in self.left:
            raise self.fail(name, "unknown")


def _metric(read: _Reader) -> Fact:
    weekly = read.left.pop("complete_weeks", False)
    if not isinstance(weekly, bool):
        raise read.fail("complete_weeks", "yes_or_no")
    days = read.whole("days", least=1, most=LONGEST_DAYS, default=7)
    if weekly and days % 7:
        raise read.fail("days", "whole_weeks")
    return MetricFact(read.key("metric"), days, weekly)


def _score(read: _Reader) -> str:
    return read.word("score", SCORES, "health")


FACTS: dict[str, Callable[[_Reader], Fact]] = {
    "metric": _metric,
    "score": lambda read: ScoreFact(_score(read)),
    "band": lambda read: BandFact(_score(read)),
    "score_change": lambda read: ChangeFact(
        _score(read), read.whole("days", least=1, most=LONGEST_DAYS, default=7)
    ),
    "component": lambda read: ComponentFact(read.key("component")),
    "date": lambda read: DateFact(read.word("date", DATES)),
    "tickets": lambda read: TicketFact(
        read.word("measure", TICKETS), read.word("severity", SEVERITIES, "low")
    ),
    "field": lambda read: FieldFact(read.word("field", (*WORD_FIELDS, *NUMBER_FIELDS))),
}


def _leaf(data: Data, path: str) -> Leaf:
    read = _Reader(data, path)
    fact = FACTS[read.word("fact", tuple(FACTS))](read)
    worded = isinstance(fact, BandFact) or (isinstance(fact, FieldFact) and fact.field in WORD_FIELDS)
    op = read.word("op", WORD_OPS if worded else NUMBER_OPS)
    bound = _words(read, fact) if worded else _bound(read, fact, op)
    release = None
    if not worded and read.left.get("release") is not None:
        release = read.number("release")
        _check_release(read, op, bound, release)
    read.left.pop("release", None)
    read.done()
    return Leaf(path, fact, op, bound, release)


def _words(read: _Reader, fact: Fact) -> Words:
    values = read.left.pop("values", None)
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list | tuple) or not values:
        raise read.fail("values", "words")
    if any(not isinstance(value, str) or not value.strip() or len(value) > 100 for value in values):
        raise read.fail("values", "words")
    if isinstance(fact, BandFact) and not set(values) <= set(BANDS[fact.score]):
        raise read.fail("values", "one_of", allowed=", ".join(BANDS[fact.score]))
    return Words(tuple(value.strip() for value in values))


def _bound(read: _Reader, fact: Fact, op: str) -> Bound:
    kinds = [name for name in ("value", "target", "past", "versus") if name in read.left]
    if len(kinds) != 1:
        raise read.fail("value", "one_bound")
    kind = kinds[0]
    if kind != "value" and not isinstance(fact, MetricFact):
        raise read.fail(kind, "metrics_only")
    if kind != "value" and op == "between":
        raise read.fail("op", "between_numbers")
    if kind == "target":
        return TargetShare(read.number("target", least=0.01, most=100))
    if kind == "past":
        return PastShare(
            read.number("past", least=0.01, most=100),
            read.whole("times", least=1, most=26, default=4),
            read.number("least", least=0, default=0),
        )
    if kind == "versus":
        return MetricShare(read.number("share", least=1e-6, most=1e6, default=1), read.key("versus"))
    value = read.number("value")
    upper = read.number("upper") if op == "between" else None
    if upper is not None and upper < value:
        raise read.fail("upper", "upper")
    if isinstance(fact, DateFact) and fact.date == "days_since_last_event" and value > LONGEST_SILENCE:
        raise read.fail("value", "range", least=0, most=LONGEST_SILENCE)
    return Number(value, upper)


def _check_release(read: _Reader, op: str, bound: Bound, release: float) -> None:
    """What releases lies on the far side of what fires, else an alert would open and resolve at once."""
    if isinstance(bound, Words) or op == "between":
        raise read.fail("release", "no_release")
    fires_at = bound.value if isinstance(bound, Number) else bound.share
    if op in ("under", "at_most") and release < fires_at:
        raise read.fail("release", "release_under", bound=fires_at)
    if op in ("over", "at_least") and release > fires_at:
        raise read.fail("release", "release_over", bound=fires_at)


# ── And back ────────────────────────────────────────────────────────────────────────────────────────────────────


def tree_as_data(node: Node) -> dict[str, Any]:
    """The stored form of a condition; `parse_tree` of it gives the same condition."""
    if isinstance(node, Group):
        return {node.joined: [tree_as_data(part) for part in node.parts]}
    data: dict[str, Any] = {**fact_as_data(node.fact), "op": node.op}
    match node.bound:
        case Words(words):
            data["values"] = list(words)
        case Number(value, upper):
            data["value"] = value
            if upper is not None:
                data["upper"] = upper
        case TargetShare(share):
            data["target"] = share
        case PastShare(share, times, least):
            data |= {"past": share, "times": times, "least": least}
        case MetricShare(share, metric):
            data |= {"versus": metric, "share": share}
    if node.release is not None:
        data["release"] = node.release
    return data


def fact_as_data(fact: Fact) -> dict[str, Any]:
    """What a comparison looks at, as it is stored."""
    match fact:
        case MetricFact(metric, days, weekly):
            return {"fact": "metric", "metric": metric, "days": days, "complete_weeks": weekly}
        case ScoreFact(score):
            return {"fact": "score", "score": score}
        case BandFact(score):
            return {"fact": "band", "score": score}
        case ChangeFact(score, days):
            return {"fact": "score_change", "score": score, "days": days}
        case ComponentFact(component):
            return {"fact": "component", "component": component}
        case DateFact(name):
            return {"fact": "date", "date": name}
        case TicketFact(measure, severity):
            return {"fact": "tickets", "measure": measure, "severity": severity}
        case FieldFact(field):
            return {"fact": "field", "field": field}
