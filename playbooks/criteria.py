"""Conditions of plays: what a wait waits for, which way a branch goes, when a run may begin and when it has done its work.

Pure: a list of conditions that must all hold, and the facts of one account. What is not known fulfils nothing, in either
direction: a play never acts on a number that nobody has measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_CONDITIONS = 8
MAX_WINDOW = 365
TEXT_LENGTH = 200

METRIC, SCORE, BAND, FIELD, TICKETS, TASKS = "metric", "score", "band", "field", "tickets", "tasks"
SUBJECTS = (METRIC, SCORE, BAND, FIELD, TICKETS, TASKS)
KINDS_OF_SCORE = {
    "health": ("healthy", "at_risk", "critical", "unknown"),
    "pql": ("high", "medium", "none", "unknown"),
}
NUMBER_FIELDS = ("mrr", "seats", "days_to_renewal", "days_since_go_live")
TEXT_FIELDS = ("segment", "stage", "plan", "plan_kind", "touch_model")
LIST_FIELDS = ("tags",)
FIELDS = (*NUMBER_FIELDS, *TEXT_FIELDS, *LIST_FIELDS)
TICKET_FACTS = ("open", "oldest_hours", "open_urgent")
TASK_FACTS = ("open",)

AT_LEAST, AT_MOST, ABOVE, BELOW, IS, IS_NOT = "at_least", "at_most", "above", "below", "is", "is_not"
NUMERIC = (AT_LEAST, AT_MOST, ABOVE, BELOW, IS)
WORDED = (IS, IS_NOT)


class InvalidCondition(ValueError):
    """A condition that cannot be read; `code` says what is wrong and `index` in which one."""

    def __init__(self, index: int, code: str, value: str = "") -> None:
        super().__init__(f"condition {index + 1}: {code} {value}".strip())
        self.index, self.code, self.value = index, code, value


@dataclass(frozen=True)
class Condition:
    """One comparison of one fact."""

    subject: str
    name: str
    compare: str
    value: float | str
    window_days: int = 7

    def to_dict(self) -> dict[str, Any]:
        """As it is stored in a version."""
        found: dict[str, Any] = {
            "subject": self.subject,
            "name": self.name,
            "compare": self.compare,
            "value": self.value,
        }
        return found | ({"window_days": self.window_days} if self.subject == METRIC else {})


@dataclass(frozen=True)
class Facts:
    """What is known of one account on a day; what is not known is None or absent."""

    metrics: Mapping[tuple[str, int], float | None] = field(default_factory=dict)  # by key and window
    scores: Mapping[str, float | None] = field(default_factory=dict)  # by kind
    bands: Mapping[str, str] = field(default_factory=dict)  # by kind
    fields: Mapping[str, float | str | tuple[str, ...] | None] = field(default_factory=dict)
    tickets: Mapping[str, float] = field(default_factory=dict)
    tasks: Mapping[str, float] = field(default_factory=dict)  # of the run


@dataclass(frozen=True)
class Seen:
    """One condition with what was there when it was looked at."""

    condition: Condition
    observed: float | str | None
    holds: bool


@dataclass(frozen=True)
class Verdict:
    """Whether all conditions hold, and why."""

    holds: bool
    seen: tuple[Seen, ...]

    def to_list(self) -> list[dict[str, Any]]:
        """As it is stored with the run, so that the page can say later why it went this way."""
        return [{**s.condition.to_dict(), "observed": s.observed, "holds": s.holds} for s in self.seen]


def parse(raw: object) -> tuple[Condition, ...]:
    """Read what a version stores, or what a form or a file says; raises `InvalidCondition`."""
    if not isinstance(raw, Sequence) or isinstance(raw, (str, bytes)):
        raise InvalidCondition(0, "not_a_list")
    if len(raw) > MAX_CONDITIONS:
        raise InvalidCondition(MAX_CONDITIONS, "too_many", str(MAX_CONDITIONS))
    return tuple(_one(index, item) for index, item in enumerate(raw))


def _one(index: int, item: object) -> Condition:
    if not isinstance(item, Mapping):
        raise InvalidCondition(index, "not_an_object")
    unknown = set(item) - {"subject", "name", "compare", "value", "window_days"}
    if unknown:
        raise InvalidCondition(index, "unknown_key", sorted(map(str, unknown))[0])
    subject, name, compare = (str(item.get(key, "")) for key in ("subject", "name", "compare"))
    if subject not in SUBJECTS:
        raise InvalidCondition(index, "subject", subject)
    known = {
        SCORE: tuple(KINDS_OF_SCORE),
        BAND: tuple(KINDS_OF_SCORE),
        FIELD: FIELDS,
        TICKETS: TICKET_FACTS,
        TASKS: TASK_FACTS,
    }
    if subject in known and name not in known[subject]:
        raise InvalidCondition(index, "name", name)
    if subject == METRIC and not (name and len(name) <= TEXT_LENGTH):
        raise InvalidCondition(index, "name", name)
    worded = is_worded(subject, name)
    if compare not in (WORDED if worded else NUMERIC):
        raise InvalidCondition(index, "compare", compare)
    value = _word(index, item.get("value"), subject, name) if worded else _number(index, item.get("value"))
    return Condition(subject, name, compare, value, _window(index, item.get("window_days", 7), subject))


def is_worded(subject: str, name: str) -> bool:
    """Whether the fact is a word and not a number."""
    return subject == BAND or (subject == FIELD and name not in NUMBER_FIELDS)


def _word(index: int, value: object, subject: str, name: str) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LENGTH:
        raise InvalidCondition(index, "value", str(value)[:TEXT_LENGTH])
    value = value.strip()
    if subject == BAND and value not in KINDS_OF_SCORE[name]:
        raise InvalidCondition(index, "value", value)
    if name in LIST_FIELDS and not value:
        raise InvalidCondition(index, "value", value)
    return value


def _number(index: int, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InvalidCondition(index, "number", str(value)[:TEXT_LENGTH])
    try:
        number = float(value)
    except ValueError as error:
        raise InvalidCondition(index, "number", str(value)[:TEXT_LENGTH]) from error
    if not math.isfinite(number):
        raise InvalidCondition(index, "number", str(value)[:TEXT_LENGTH])
    return number


def _window(index: int, value: object, subject: str) -> int:
    if subject != METRIC:
        return 7
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_WINDOW:
        raise InvalidCondition(index, "window", str(value)[:TEXT_LENGTH])
    return value


def check(conditions: Sequence[Condition], facts: Facts) -> Verdict:
    """Whether every condition holds; none at all hold."""
    seen = tuple(_look(condition, facts) for condition in conditions)
    return Verdict(all(each.holds for each in seen), seen)


def _look(condition: Condition, facts: Facts) -> Seen:
    if condition.subject == FIELD and condition.name in LIST_FIELDS:
        held = facts.fields.get(condition.name)
        values = held if isinstance(held, tuple) else ()
        return Seen(
            condition, ", ".join(values), (str(condition.value) in values) == (condition.compare == IS)
        )
    observed = _observed(condition, facts)
    if observed is None:
        return Seen(condition, None, False)
    return Seen(condition, observed, _holds(condition, observed))


def _observed(condition: Condition, facts: Facts) -> float | str | None:
    if condition.subject == METRIC:
        return facts.metrics.get((condition.name, condition.window_days))
    if condition.subject == SCORE:
        return facts.scores.get(condition.name)
    if condition.subject == BAND:
        return facts.bands.get(condition.name)
    if condition.subject == TICKETS:
        return facts.tickets.get(condition.name)
    if condition.subject == TASKS:
        return facts.tasks.get(condition.name)
    found = facts.fields.get(condition.name)
    return None if isinstance(found, tuple) else found


def _holds(condition: Condition, observed: float | str) -> bool:
    if isinstance(observed, str) or isinstance(condition.value, str):
        return (observed == condition.value) == (condition.compare == IS)
    wanted = condition.value
    return {
        AT_LEAST: observed >= wanted,
        AT_MOST: observed <= wanted,
        ABOVE: observed > wanted,
        BELOW: observed < wanted,
        IS: observed == wanted,
    }[condition.compare]
