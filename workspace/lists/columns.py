"""Columns of a list: what they are called, what kind of value they hold, where it is stored. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from accounts.models import CustomField

TEXT, WORDS, NUMBER, MONEY, DATE, MOMENT = "text", "words", "number", "money", "date", "moment"
BOOL, ONE, BAND, OWNER, LINK = "bool", "one", "band", "owner", "link"
SORTABLE = (TEXT, NUMBER, MONEY, DATE, MOMENT, ONE, LINK)
CASTS = {
    TEXT: 'text COLLATE "C"',
    ONE: 'text COLLATE "C"',
    LINK: 'text COLLATE "C"',
    NUMBER: "double precision",
    MONEY: "bigint",
    DATE: "date",
    MOMENT: "timestamptz",
}
Choices = tuple[tuple[str, str | Promise], ...]


@dataclass(frozen=True)
class Column:
    """One column. `sql` is over accounts `a` and the facts it names, and has no value of a person's in it."""

    key: str
    label: str | Promise
    kind: str
    sql: str
    facts: tuple[str, ...] = ()
    nullable: bool = True
    options: Choices = ()
    group: str | Promise = ""  # under which heading it is offered
    sortable: bool = True
    secret: bool = False  # money: hidden from roles that may not see it
    unit: str = ""
    field_key: str = ""  # of a declared field
    lacking: int | None = None  # what `sql` says of an account that lacks the fact

    @property
    def sorts(self) -> bool:
        """Whether a list can be sorted by it."""
        return self.sortable and self.kind in SORTABLE

    @property
    def cast(self) -> str:
        """The type its values are compared as."""
        return CASTS[self.kind]


@dataclass(frozen=True)
class Book:
    """The columns that a list offers, by key."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()  # the declared ones, of which there may be columns

    def __contains__(self, key: object) -> bool:
        return key in self.columns

    def __getitem__(self, key: str) -> Column:
        return self.columns[key]

    def get(self, key: str) -> Column | None:
        """The column, if the list has it."""
        return self.columns.get(key)

    def chosen(self, keys: Iterable[str]) -> list[Column]:
        """The columns of these keys, in their order, each once; what is not offered is left out."""
        return [self.columns[key] for key in dict.fromkeys(keys) if key in self.columns]

    @cached_property
    def grouped(self) -> list[tuple[str, list[Column]]]:
        """The columns under their headings."""
        found: dict[str, list[Column]] = {}
        for column in self.columns.values():
            found.setdefault(str(column.group), []).append(column)
        return list(found.items())


def sql_text(text: str) -> str:
    """A text as a literal of SQL that also passes through parameters; for keys that are part of a column's place."""
    return "'" + text.replace("\0", "").replace("'", "''").replace("%", "%%") + "'"
