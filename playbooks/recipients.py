"""Whom a step writes to, of the people at an account. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """A contact, as far as the choice depends on it."""

    id: int
    roles: tuple[str, ...]
    last_seen_at: datetime | None


def plain_role(role: str) -> str:
    """Roles come from many systems: `Decision maker`, `decision_maker` and `decision-maker` are one."""
    return " ".join(role.lower().replace("_", " ").replace("-", " ").split())


def is_wanted(person: Person, role: str) -> bool:
    """Whether the person has the role; no role asked for, everybody has it."""
    return not role or plain_role(role) in {plain_role(each) for each in person.roles}


def choose(people: Sequence[Person]) -> int | None:
    """Who was there last; of those who never were, the first."""
    if not people:
        return None
    return max(people, key=lambda person: (person.last_seen_at or NEVER, -person.id)).id
