"""How a run walks through the steps of its play. Pure: steps, place and facts in; deeds, and where the run stands then, out.

The walk stands on a day. Deeds are done at once, on the day on which they are reached; a wait moves the day. A late beat
gives the same days as a punctual one, because waits count from where they began and not from when somebody looked. All days
are the tenant's calendar days, so nights in which clocks change are days like others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

from .criteria import Condition, Facts, Verdict, check

TASK, EMAIL, IN_APP, WAIT, BRANCH, WEBHOOK, SET_FIELD, START_PLAY = (
    "task",
    "email",
    "in_app",
    "wait",
    "branch",
    "webhook",
    "set_field",
    "start_play",
)


class Counts(Protocol):
    """What counts working days."""

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after a day."""


DEEDS = frozenset({TASK, EMAIL, IN_APP, WEBHOOK, SET_FIELD, START_PLAY})
END = "end"  # the label of the place behind the last step
MAX_VISITS = 10  # a loop ends here: the run says so and goes on behind it


@dataclass(frozen=True)
class Beat:
    """What the walk needs to know of a step."""

    id: int
    position: int
    kind: str
    days: int = 0
    working: bool = True  # whether a wait counts working days
    label: str = ""
    then: str = ""  # the label of the step to go on with; empty: the next one
    otherwise: str = ""  # of a branch whose condition does not hold, of a wait that waited in vain
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a run stands: the step it goes on with (None: behind the last), since which day, and its wait."""

    position: int | None
    since: date
    deadline: date | None = None  # of the wait at `position`, when the run is waiting there
    visits: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """A step that was reached: on which day, the how-manieth time, and why the walk went on the way it did."""

    step_id: int
    kind: str
    on: date
    visit: int
    left_on: date | None  # None: a wait that is not over yet
    verdict: Verdict | None = None
    waits_until: date | None = None
    note: str = ""  # "in_vain": the wait's time was up; "too_often": a loop was ended


@dataclass(frozen=True)
class Walk:
    """What happened between two halts."""

    reached: tuple[Reached, ...]
    place: Place


def advance(beats: Sequence[Beat], place: Place, facts: Facts, *, day: date, calendar: Counts) -> Walk:
    """Walk from `place` as far as `day` and the facts allow."""
    order = sorted(beats, key=lambda beat: beat.position)
    by_position = {beat.position: beat for beat in order}
    labels = {beat.label: beat.position for beat in order if beat.label}
    following = {beat.position: after.position for beat, after in pairwise(order)}
    visits, reached = dict(place.visits), list[Reached]()
    position, since, deadline = place.position, place.since, place.deadline
    while position is not None:
        beat = by_position.get(position) or next((b for b in order if b.position > (position or 0)), None)
        if beat is None:
            position = None
            break
        if deadline is not None and beat.kind != WAIT:  # held back until a day, whatever comes then
            if deadline > day:
                return Walk(tuple(reached), Place(beat.position, since, deadline, visits))
            since, deadline = deadline, None
        if deadline is None:
            visits[beat.id] = visits.get(beat.id, 0) + 1
            if visits[beat.id] > MAX_VISITS:
                reached.append(Reached(beat.id, beat.kind, since, visits[beat.id], since, note="too_often"))
                position = following.get(beat.position)
                continue
        target, verdict, note, began, until = beat.then, None, "", since, None
        if beat.kind == WAIT:
            deadline = deadline or _deadline(beat, since, calendar)
            verdict = check(beat.conditions, facts) if beat.conditions else None
            if deadline > day and not (verdict is not None and verdict.holds):
                reached.append(Reached(beat.id, beat.kind, began, visits[beat.id], None, verdict, deadline))
                return Walk(tuple(reached), Place(beat.position, since, deadline, visits))
            # Who is looked at late waited until the deadline; who is looked at in time, until today.
            came = verdict is not None and verdict.holds
            if verdict is not None and not came:
                target, note = beat.otherwise, "in_vain"
            until = deadline
            since, deadline = (max(since, min(day, deadline)) if came else deadline), None
        elif beat.kind == BRANCH:
            verdict = check(beat.conditions, facts)
            target = beat.then if verdict.holds else beat.otherwise
        elif beat.kind == TASK:  # what is asked further on about open tasks counts this one
            facts = replace(facts, tasks={**facts.tasks, "open": facts.tasks.get("open", 0.0) + 1})
        elif beat.kind not in DEEDS:
            raise ValueError(f"steps of kind {beat.kind!r} cannot be carried out")
        reached.append(Reached(beat.id, beat.kind, began, visits[beat.id], since, verdict, until, note))
        position = None if target == END else labels[target] if target else following.get(beat.position)
    return Walk(tuple(reached), Place(None, since, None, visits))


def _deadline(beat: Beat, since: date, calendar: Counts) -> date:
    return calendar.add(since, beat.days) if beat.working else since + timedelta(days=beat.days)


@dataclass(frozen=True)
class Fault:
    """Something that keeps steps from being carried out: a code, the step's position and what it is about."""

    code: str
    position: int
    value: str = ""


def faults_of(beats: Sequence[Beat]) -> list[Fault]:
    """What is wrong with the order of the steps: labels that lead nowhere, loops without a wait, steps nobody reaches."""
    order = sorted(beats, key=lambda beat: beat.position)
    labels: dict[str, int] = {}
    faults = []
    for beat in order:
        if beat.label and (beat.label in labels or beat.label == END):
            faults.append(Fault("label_twice", beat.position, beat.label))
        labels.setdefault(beat.label, beat.position)
    for beat in order:
        for target in (beat.then, beat.otherwise):
            if target and target != END and target not in labels:
                faults.append(Fault("no_such_label", beat.position, target))
        if beat.kind == BRANCH and not beat.conditions:
            faults.append(Fault("no_condition", beat.position))
    if faults:
        return faults
    ways = _ways(order, labels)
    faults += [Fault("unreachable", b.position) for b in order if b.position not in _reachable(order, ways)]
    resting = {beat.position for beat in order if beat.kind == WAIT and beat.days > 0}
    faults += [Fault("restless", b.position) for b in order if _turns_without_rest(b.position, ways, resting)]
    return faults


def _ways(order: Sequence[Beat], labels: Mapping[str, int]) -> dict[int, set[int]]:
    following = {beat.position: after.position for beat, after in pairwise(order)}
    ways: dict[int, set[int]] = {}
    for beat in order:
        both = beat.kind == BRANCH or (beat.kind == WAIT and beat.conditions)
        targets = (beat.then, beat.otherwise) if both else (beat.then,)
        ends = [None if t == END else labels[t] if t else following.get(beat.position) for t in targets]
        ways[beat.position] = {end for end in ends if end is not None}
    return ways


def _reachable(order: Sequence[Beat], ways: Mapping[int, set[int]]) -> set[int]:
    seen: set[int] = set()
    waiting = [order[0].position] if order else []
    while waiting:
        position = waiting.pop()
        if position not in seen:
            seen.add(position)
            waiting += ways[position]
    return seen


def _turns_without_rest(start: int, ways: Mapping[int, set[int]], resting: set[int]) -> bool:
    """Whether a way leads from a step back to it without a wait in between."""
    if start in resting:
        return False
    seen: set[int] = set()
    waiting = [end for end in ways[start] if end not in resting]
    while waiting:
        position = waiting.pop()
        if position == start:
            return True
        if position not in seen:
            seen.add(position)
            waiting += [end for end in ways[position] if end not in resting]
    return False
