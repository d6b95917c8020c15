"""How a run walks through the steps of its play. Pure: steps and dates in, tasks to make and the next halt out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .workdays import add_working_days

# Kinds that this release carries out; a version with any other cannot be published.
EXECUTABLE_KINDS = frozenset({"task", "wait"})


@dataclass(frozen=True)
class Beat:
    """What the walk needs to know of a step."""

    id: int
    position: int
    kind: str
    due_in_days: int


@dataclass(frozen=True)
class Stretch:
    """What a run does between two halts: tasks to make with their due dates, and where it stands then."""

    tasks: tuple[tuple[int, date], ...]
    next_position: int | None
    wait_until: date | None


def walk(beats: Sequence[Beat], *, position: int, start: date, day: date) -> Stretch:
    """Walk from the step at `position`, which was reached on `start`, as far as `day` allows.

    Task steps are made at once, due so many working days after the point where the walk stood; a wait moves that point.
    A late beat gives the same due dates as a punctual one, because waits count from where they began.
    """
    tasks: list[tuple[int, date]] = []
    ahead = sorted((beat for beat in beats if beat.position >= position), key=lambda beat: beat.position)
    for index, beat in enumerate(ahead):
        if beat.kind == "task":
            tasks.append((beat.id, add_working_days(start, beat.due_in_days)))
        elif beat.kind == "wait":
            start = add_working_days(start, beat.due_in_days)
            if start > day:
                following = ahead[index + 1].position if index + 1 < len(ahead) else beat.position + 1
                return Stretch(tuple(tasks), following, start)
        else:
            raise ValueError(f"steps of kind {beat.kind!r} cannot be carried out")
    return Stretch(tuple(tasks), None, None)
