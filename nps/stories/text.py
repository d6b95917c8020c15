"""What a case study says, and the hash that an approval is bound to; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMAT = 1  # of what is hashed; a new one voids every approval, as it must


@dataclass(frozen=True)
class Result:
    """One auditable result: its number as it is printed, what it is, and the record that proves it."""

    label: str
    value: str
    detail: str
    figure: str  # the hash of the figure's record
    source: str  # where the number comes from, in words


@dataclass(frozen=True)
class StoryText:
    """Everything that the two pages show about the customer."""

    language: str
    title: str
    standfirst: str
    customer: str
    industry: str
    challenge: str
    solution: str
    results_intro: str
    results: tuple[Result, ...]
    quote: str
    person: str
    role: str
    picture: str  # SHA-256 of the picture of the person, empty without one
    logo: str  # SHA-256 of the customer's logo, empty without one

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def text_of_dict(stored: dict[str, Any]) -> StoryText:
    """The text that `as_dict` wrote."""
    plain = {field.name: stored[field.name] for field in fields(StoryText) if field.name != "results"}
    return StoryText(**plain, results=tuple(Result(**one) for one in stored["results"]))


def text_hash(text: StoryText) -> str:
    """SHA-256 over the canonical form: every field by name, results in their order, nothing trimmed or normalised."""
    canonical = json.dumps(
        {"format": FORMAT, "story": text.as_dict()}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


SHOWN = (
    "title",
    "standfirst",
    "challenge",
    "solution",
    "results_intro",
    "quote",
    "person",
    "role",
    "customer",
)


def missing(text: StoryText) -> tuple[str, ...]:
    """The fields without which nobody should be asked to approve, in the order of the pages."""
    needed = ("title", "challenge", "solution", "quote", "person")
    found = [name for name in needed if not getattr(text, name).strip()]
    return (*found, *(() if text.results else ("results",)))


def changed_fields(before: StoryText, after: StoryText) -> tuple[str, ...]:
    """Names of the fields that differ, for the history."""
    return tuple(
        field.name for field in fields(StoryText) if getattr(before, field.name) != getattr(after, field.name)
    )
