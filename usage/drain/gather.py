"""The facts of a turn's batches, each with its key, without repeats inside the turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from usage.rollup import read_properties
from usage.wire.segment import ACCOUNT_PROPERTIES
from usage.wire.shapes import Alias, Group, Person, Rejection, Usage

from .batches import Claimed, Fact, Keys

F = TypeVar("F", bound=Fact)
Entry = tuple[Claimed, F, str]  # batch, fact, key in hexadecimal
_ACCOUNT_MARKS = tuple(f'"{name}"'.encode() for name in ACCOUNT_PROPERTIES)
_FEATURE_MARK = b'"feature"'


@dataclass
class Gathered:
    """What the batches of a turn say."""

    usages: list[Entry[Usage]] = field(default_factory=list)
    people: list[Entry[Person]] = field(default_factory=list)
    groups: list[Entry[Group]] = field(default_factory=list)
    aliases: list[Entry[Alias]] = field(default_factory=list)

    def account_ids(self) -> set[str]:
        """External ids of all accounts that are named."""
        named = {usage.account for _, usage, _ in self.usages if usage.account is not None}
        return named | {group.account for _, group, _ in self.groups}

    def entries(self) -> Iterable[tuple[Claimed, Fact, str]]:
        """Everything, of whatever kind."""
        yield from self.usages
        yield from self.people
        yield from self.groups
        yield from self.aliases

    def keep(self, wanted: Callable[[tuple[Claimed, Any, str]], bool]) -> None:
        """Drop the entries that are not wanted."""
        self.usages = [e for e in self.usages if wanted(e)]
        self.people = [e for e in self.people if wanted(e)]
        self.groups = [e for e in self.groups if wanted(e)]
        self.aliases = [e for e in self.aliases if wanted(e)]


def gather(batches: list[Claimed], only: set[int] | None = None) -> Gathered:
    """Decode the batches (or only these positions of them); of two facts with one key the first counts."""
    found = Gathered()
    seen: set[str] = set()
    for batch in batches:
        facts = batch.facts()
        keys = Keys(batch)
        _take(batch, keys, facts.usages, found.usages, seen, only)
        _take(batch, keys, facts.people, found.people, seen, only)
        _take(batch, keys, facts.groups, found.groups, seen, only)
        _take(batch, keys, facts.aliases, found.aliases, seen, only)
    for _, usage, _ in found.usages:
        if usage.properties:
            _read_marks(usage)
    return found


def _take(
    batch: Claimed, keys: Keys, facts: list[F], place: list[Entry[F]], seen: set[str], only: set[int] | None
) -> None:
    """Add the facts of one kind, each with its key."""
    named = keys.named
    for fact in facts:
        if only is not None and fact.position not in only:
            continue
        if fact.identity is not None:
            hashed = named.copy()
            hashed.update(fact.identity.encode())
            key = hashed.hexdigest()
        else:
            key = keys.of_place(fact.position)
        if key in seen:
            batch.duplicates += 1
        else:
            seen.add(key)
            place.append((batch, fact, key))


def _read_marks(usage: Usage) -> None:
    """Account and feature may be said among the properties; most events need not be opened to know that they are not."""
    properties = usage.properties
    if usage.account is None and any(mark in properties for mark in _ACCOUNT_MARKS):
        opened = read_properties(properties)
        usage.account = next((a for name in ACCOUNT_PROPERTIES if (a := _one(opened.get(name)))), None)
    if usage.feature is None and _FEATURE_MARK in properties:
        usage.feature = _one(read_properties(properties).get("feature"))


def _one(value: object) -> str | None:
    """A name or id that may be wrapped in a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if 0 < len(text) <= 200 else None


def refuse_unknown_accounts(found: Gathered, known: dict[str, int]) -> None:
    """Where the tenant wants no accounts made, facts about unknown ones go to the quarantine, and stay unknown by key."""

    def is_known(entry: tuple[Claimed, Any, str]) -> bool:
        batch, fact, _ = entry
        account = getattr(fact, "account", None)
        if account is None or account in known:
            return True
        message = f"No account has the external id {account}."
        batch.refused.append(Rejection(fact.position, "unknown_account", message))
        return False

    found.keep(is_known)
