"""How a version of a play runs: for whom, how often, when it has done its work, and how many are held out. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from .criteria import Condition, Facts, InvalidCondition, Verdict, check, parse

MAX_EXITS = 4
MAX_EXIT_DAYS = 365
MAX_HOLDOUT_PCT = 50
MIN_MEASURE_DAYS, MAX_MEASURE_DAYS = 7, 365
OUTCOMES = ("recovered", "expanded", "churned", "no_effect")
GOOD_OUTCOMES = frozenset({"recovered", "expanded"})
BUCKETS = 10_000


@dataclass(frozen=True)
class Exit:
    """When these conditions have held for so many days, the run is over with this outcome.

    With `back` they must come back: what held all the time since the start, held without the play.
    """

    conditions: tuple[Condition, ...]
    days: int
    outcome: str
    back: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "conditions": [condition.to_dict() for condition in self.conditions],
            "days": self.days,
            "outcome": self.outcome,
            "back": self.back,
        }


@dataclass(frozen=True)
class Entry:
    """Which accounts the play is for; an empty list means any."""

    segments: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def everybody(self) -> bool:
        """Whether every account may start."""
        return not (self.segments or self.stages or self.bands or self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """As it is stored; what is not limited is left out."""
        lists = {"segments": self.segments, "stages": self.stages, "bands": self.bands}
        found: dict[str, Any] = {name: list(values) for name, values in lists.items() if values}
        if self.conditions:
            found["conditions"] = [condition.to_dict() for condition in self.conditions]
        return found


def read_entry(raw: object) -> Entry:
    """Read the entry criteria of a version; raises `InvalidCondition`."""
    if not isinstance(raw, Mapping):
        raise InvalidCondition(0, "not_an_object")
    lists = {}
    for name in ("segments", "stages", "bands"):
        values = raw.get(name, [])
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise InvalidCondition(0, "not_a_list")
        lists[name] = tuple(str(value) for value in values)
    return Entry(**lists, conditions=parse(raw.get("conditions", [])))


def read_exits(raw: object) -> tuple[Exit, ...]:
    """Read the exit criteria of a version; raises `InvalidCondition`."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise InvalidCondition(0, "not_a_list")
    if len(raw) > MAX_EXITS:
        raise InvalidCondition(MAX_EXITS, "too_many", str(MAX_EXITS))
    return tuple(_exit(index, item) for index, item in enumerate(raw))


def _exit(index: int, item: object) -> Exit:
    if not isinstance(item, Mapping):
        raise InvalidCondition(index, "not_an_object")
    days, outcome = item.get("days", 0), str(item.get("outcome", ""))
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MAX_EXIT_DAYS:
        raise InvalidCondition(index, "days", str(days))
    if outcome not in OUTCOMES:
        raise InvalidCondition(index, "outcome", outcome)
    conditions = parse(item.get("conditions", []))
    if not conditions:
        raise InvalidCondition(index, "no_condition")
    return Exit(conditions, days, outcome, bool(item.get("back", False)))


def enters(entry: Entry, facts: Facts) -> Verdict:
    """Whether an account fulfils the entry criteria, and which of them it does not."""
    wanted = [
        *_any_of("field", "segment", entry.segments),
        *_any_of("field", "stage", entry.stages),
        *_any_of("band", "health", entry.bands),
    ]
    seen = []
    for options in wanted:
        looked = [check([option], facts).seen[0] for option in options]
        seen.append(next((each for each in looked if each.holds), looked[0]))
    rest = check(entry.conditions, facts)
    return Verdict(rest.holds and all(each.holds for each in seen), (*seen, *rest.seen))


def _any_of(subject: str, name: str, values: Sequence[str]) -> list[list[Condition]]:
    return [[Condition(subject, name, "is", value) for value in values]] if values else []


@dataclass(frozen=True)
class Reentry:
    """What is known of an account's earlier run of the play."""

    started_on: date
    finished_on: date | None


def may_enter_again(reentry_days: int | None, last: Reentry | None, day: date) -> bool:
    """Whether the play may run at this account again: None never, 0 at once, else so many days after the last end."""
    if last is None:
        return True
    if reentry_days is None:
        return False
    ended = last.finished_on or last.started_on
    return (day - ended).days >= reentry_days


def is_held_out(*, tenant_id: int, playbook_key: str, account_key: str, holdout_pct: float) -> bool:
    """Whether this account belongs to the group for which the play does nothing: always the same answer.

    It depends on account and play alone, so a new version, a restart or a second server cannot move an account between the
    groups, and raising the share keeps everybody who was held out.
    """
    if holdout_pct <= 0:
        return False
    digest = hashlib.sha256(f"{tenant_id}\x1f{playbook_key}\x1f{account_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS < holdout_pct * BUCKETS / 100


@dataclass(frozen=True)
class Streaks:
    """Since when each exit criterion has held, on every night that was looked at; and which did not hold on some night."""

    since: Mapping[int, date] = field(default_factory=dict)
    failed: frozenset[int] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "since": {str(index): day.isoformat() for index, day in self.since.items()},
            "failed": sorted(self.failed),
        }


def read_streaks(raw: Mapping[str, Any]) -> Streaks:
    """Read what a run stores."""
    return Streaks(
        {int(index): date.fromisoformat(day) for index, day in raw.get("since", {}).items()},
        frozenset(raw.get("failed", ())),
    )


@dataclass(frozen=True)
class ExitLook:
    """What a night saw of the exit criteria: the streaks, and the criterion that is fulfilled with its evidence."""

    streaks: Streaks
    fulfilled: int | None
    verdict: Verdict | None


def look_at_exits(exits: Sequence[Exit], streaks: Streaks, facts: Facts, day: date) -> ExitLook:
    """Carry the streaks on by one night; the first criterion that has held long enough ends the run."""
    since: dict[int, date] = {}
    failed = set(streaks.failed)
    fulfilled, why = None, None
    for index, criterion in enumerate(exits):
        verdict = check(criterion.conditions, facts)
        if not verdict.holds:
            failed.add(index)
            continue
        if criterion.back and index not in failed:
            continue
        since[index] = min(streaks.since.get(index, day), day)
        if fulfilled is None and day - since[index] >= timedelta(days=criterion.days):
            fulfilled, why = index, verdict
    return ExitLook(Streaks(since, frozenset(failed)), fulfilled, why)
