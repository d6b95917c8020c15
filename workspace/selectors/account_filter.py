"""What a list of accounts can be narrowed to and sorted by: the parameters of the address and the SQL they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from math import isfinite
from typing import Any

from accounts.fence.planning import reading_everything
from accounts.models import Tenant
from accounts.visibility import visible_owners
from workspace.bands import HEALTH_BANDS, band_of
from workspace.lists.account_columns import DEFAULT_COLUMNS, STATIC
from workspace.lists.columns import Book, Column
from workspace.lists.conditions import LONGEST, Tree, read_tree
from workspace.lists.facts import FACTS, Sieve, joins
from workspace.lists.sql import Reader, facts_of, tree_sql

NOBODY = "none"
CHURNED = "churned"
YES = "yes"
HAIR = 1e-9  # a coverage is a sum of weights: whole may be a hair below 1


DEFAULT_SORT = "name"
INDEXED = (
    "name",
    "score",
    "mrr",
    "renewal",
)  # orders with an index of their own; the others read the tenant's accounts
GROUPS = ("owner", "segment", "stage", "band", "renewal_month")
MOST_COLUMNS = 120


@dataclass(frozen=True)
class AccountFilter:
    """What a list of accounts is narrowed to; each field is a parameter of the address."""

    q: str = ""
    owner: str = ""
    segment: str = ""
    stage: str = ""
    plan: str = ""
    band: str = ""
    tag: str = ""
    score_from: str = ""
    score_to: str = ""
    coverage_from: str = ""  # percent
    coverage_to: str = ""
    version: str = ""  # id of a version of a score model
    override: str = ""
    new: str = ""
    where: str = ""  # conditions joined by AND and OR, as `workspace.lists.conditions` writes them
    columns: str = ""  # keys separated by commas; empty for the usual ones
    group: str = ""
    sort: str = DEFAULT_SORT
    dir: str = ""
    book: Book = field(default=STATIC, compare=False, repr=False)
    member_id: int | None = field(default=None, compare=False, repr=False)  # who "me" is

    @cached_property
    def read(self) -> tuple[Tree, int]:
        """The conditions, and how many of them are not understood (any more)."""
        return read_tree(self.where, self.book)

    @property
    def tree(self) -> Tree:
        """The conditions."""
        return self.read[0]

    @property
    def order(self) -> Column:
        """The column that the list is sorted by."""
        return self.book[self.sort]

    @property
    def shown(self) -> list[str]:
        """The keys of the columns beside the name, in their order."""
        said = [key for key in self.columns.split(",") if key in self.book or key == SPARK]
        return said[:MOST_COLUMNS] or [key for key in DEFAULT_COLUMNS if key in self.book or key == SPARK]

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.dir == "desc"

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the order was chosen."""
        return any(getattr(self, name) for name in FILTERS)

    @property
    def reads_score(self) -> bool:
        """Whether a filter looks at the score."""
        return any(getattr(self, name) for name in ON_SCORE)

    def parameters(self) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {name: getattr(self, name) for name in (*FILTERS, *SHAPES)}
        said |= {"sort": "" if self.sort == DEFAULT_SORT else self.sort, "dir": self.dir}
        return {name: value for name, value in said.items() if value}


ON_SCORE = ("band", "score_from", "score_to", "coverage_from", "coverage_to", "version", "new")
FILTERS = ("q", "owner", "segment", "stage", "plan", "tag", "override", "where", *ON_SCORE)
SHAPES = ("columns", "group")
SPARK = "spark"  # twelve weeks drawn; a column that is no value
PARAMETERS = (*FILTERS, *SHAPES, "sort", "dir")
LENGTHS = {"where": LONGEST, "columns": 3000}


def read_filter(
    parameters: Mapping[str, str], book: Book = STATIC, member_id: int | None = None
) -> AccountFilter:
    """The filter of an address; what cannot be understood is left out."""
    said = {
        name: parameters.get(name, "").replace("\0", "").strip()[: LENGTHS.get(name, 200)]
        for name in PARAMETERS
    }
    sort = book.get(said["sort"])
    if sort is None or not sort.sorts:
        said["sort"] = DEFAULT_SORT
    if said["group"] not in GROUPS:
        said["group"] = ""
    if said["dir"] not in ("", "desc"):
        said["dir"] = ""
    if said["band"] not in {band.key for band in HEALTH_BANDS}:
        said["band"] = ""
    if said["owner"] != NOBODY:
        said["owner"] = _id_text(said["owner"])
    said["version"] = _id_text(said["version"])
    for name in ("override", "new"):
        said[name] = YES if said[name] == YES else ""
    for name in ("score_from", "score_to", "coverage_from", "coverage_to"):
        said[name] = _score_text(said[name])
    return AccountFilter(**said, book=book, member_id=member_id)


def _id_text(text: str) -> str:
    """The id of a row; empty for what is none."""
    return text if text.isascii() and text.isdigit() and len(text) < 19 else ""


def _score_text(text: str) -> str:
    """A score between 0 and 100 as the address writes it; empty for what is none."""
    try:
        value = float(text)
    except ValueError:
        return ""
    return f"{min(100.0, max(0.0, value)):g}" if isfinite(value) else ""


def prefix_end(prefix: str) -> str:
    """The first text behind everything that starts with the prefix, in code point order."""
    trimmed = prefix.rstrip("\U0010ffff")
    last = ord(trimmed[-1]) + 1 if trimmed else 0
    if 0xD800 <= last <= 0xDFFF:
        last = 0xE000
    return trimmed[:-1] + chr(last) if trimmed else "\U0010ffff"


@dataclass(frozen=True)
class Wanted:
    """What a list is read from and what a row must fulfil, over accounts `a`; the values of both, in their order."""

    source: str
    where: tuple[str, ...]
    values: tuple[Any, ...]

    def text(self, *more: str) -> str:
        """`FROM … WHERE …`, with some more conditions."""
        return f"{self.source} WHERE {' AND '.join((*self.where, *more))}"


def is_everywhere(wanted: AccountFilter) -> bool:
    """Whether the list stands on facts of other tables and nothing narrows it to some accounts before."""
    narrowed = wanted.q or wanted.owner or visible_owners() is not None
    return not narrowed and bool(_facts_read(wanted))


def _facts_read(wanted: AccountFilter) -> set[str]:
    """The facts that the list is found by, or sorted by without an index."""
    return facts_of(wanted.tree, wanted.book) | set(() if wanted.sort in INDEXED else wanted.order.facts)


@contextmanager
def planned(wanted: AccountFilter, *, everywhere: bool = True) -> Iterator[None]:
    """A block for statements over the list: where every account is read, no account after account."""
    alone = any(FACTS[fact].is_grouped for fact in _facts_read(wanted))
    with reading_everything(everywhere and is_everywhere(wanted), alone=alone):
        yield


def read_wanted(
    tenant: Tenant, wanted: AccountFilter, today: date, more: frozenset[str] = frozenset()
) -> Wanted:
    """The list as a statement reads it; the facts `more` are joined as rows under their names."""
    where, values = ["a.tenant_id = %s"], [tenant.pk]

    def add(condition: str, *given: Any) -> None:
        where.append(condition)
        values.extend(given)

    if wanted.stage == CHURNED:
        add("a.churned_on <= %s", today)
    else:
        add("(a.churned_on IS NULL OR a.churned_on > %s)", today)
        if wanted.stage:
            add("a.stage = %s", wanted.stage)
    if wanted.q:
        prefix = wanted.q.lower()
        add("a.name_search >= %s AND a.name_search < %s", prefix, prefix_end(prefix))
    if wanted.owner == NOBODY:
        add("a.owner_id IS NULL")
    elif wanted.owner:
        add("a.owner_id = %s", int(wanted.owner))
    for column in ("segment", "plan"):
        if getattr(wanted, column):
            add(f"a.{column} = %s", getattr(wanted, column))
    if wanted.tag:
        add("%s = ANY(a.tags)", wanted.tag)
    if wanted.band:
        code = band_of(wanted.band).code
        add("coalesce(s.band, 0) = %s" if code == 0 else "s.band = %s", code)
    if wanted.score_from:
        add("s.score >= %s", float(wanted.score_from))
    if wanted.score_to:  # the last bin holds 100 itself
        add("s.score <= %s" if float(wanted.score_to) >= 100 else "s.score < %s", float(wanted.score_to))
    if wanted.coverage_from:
        add("s.coverage >= %s", float(wanted.coverage_from) / 100 - HAIR)
    if wanted.coverage_to:
        whole = float(wanted.coverage_to) >= 100
        add("s.coverage < %s", float(wanted.coverage_to) / 100 + (HAIR if whole else -HAIR))
    if wanted.version:
        add("s.version_id = %s", int(wanted.version))
    if wanted.new:
        add("s.is_new")
    if wanted.override:
        add(
            "EXISTS (SELECT 1 FROM scoring_override o WHERE o.tenant_id = a.tenant_id AND o.account_id = a.id "
            "AND o.ended_on IS NULL AND o.until > %s)",
            today,
        )
    sieve = Sieve(tenant) if is_everywhere(wanted) else None
    if wanted.tree:
        reader = Reader(today, tenant.tz, wanted.member_id)
        text, given = tree_sql(wanted.tree, wanted.book, reader, sieve)
        add(f"({text})", *given)
    facts = more | ({"s"} if wanted.reads_score else set())
    if sieve is None:
        facts |= facts_of(wanted.tree, wanted.book)
    tables = ["FROM accounts_account a", joins(tenant, facts)]
    if sieve is not None:
        tables += sieve.joins
        values = [*sieve.values, *values]
    return Wanted(" ".join(part for part in tables if part), tuple(where), tuple(values))


def needs_score(wanted: AccountFilter) -> bool:
    """Whether the list cannot be found without the scores."""
    return wanted.reads_score or "s" in facts_of(wanted.tree, wanted.book) or "s" in wanted.order.facts
