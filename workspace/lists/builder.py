"""Building the conditions of a list by form: rows in groups, with scripts and without.

The whole form is sent for every step (another column, one more row); what was typed is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext

from accounts.models import Membership

from . import columns as c
from .columns import Book, Column
from .conditions import (
    ALL,
    ANY,
    MOST_GROUPS,
    MOST_ROWS,
    OPERATORS,
    RELATIVE,
    UNARY,
    BadCondition,
    Condition,
    Group,
    Tree,
    check,
)
from .words import OPERATOR_WORDS, fault_words

Choices = list[tuple[str, str | Promise]]


@dataclass
class RowField:
    """One comparison as the form shows it."""

    prefix: str
    column: Column | None
    key: str
    operator: str
    value: str
    operators: Choices
    options: Choices
    many: bool  # several words may be given
    problem: str = ""

    @property
    def place(self) -> str:
        """Group and row, as the buttons say them."""
        return self.prefix.removeprefix("g").replace("c", ":")

    @property
    def needs_value(self) -> bool:
        """Whether it is compared with something."""
        return self.operator not in UNARY

    @property
    def is_days(self) -> bool:
        """Whether it is compared with a number of days."""
        return self.operator in RELATIVE

    @property
    def is_date(self) -> bool:
        """Whether it is compared with one date."""
        return (
            self.column is not None
            and self.column.kind in (c.DATE, c.MOMENT)
            and self.operator in ("before", "after")
        )

    @property
    def chosen(self) -> list[str]:
        """The options that are meant."""
        return [word.strip() for word in self.value.split(",")]


@dataclass
class GroupFields:
    """One group as the form shows it."""

    number: int
    join: str
    rows: list[RowField] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of its choice of AND or OR."""
        return f"g{self.number}-join"

    @property
    def may_add(self) -> bool:
        """Whether one more row fits."""
        return len(self.rows) < MOST_ROWS


@dataclass
class Builder:
    """The form: groups of rows."""

    groups: list[GroupFields]
    join: str = ALL

    @property
    def may_add_group(self) -> bool:
        """Whether one more group fits."""
        return len(self.groups) < MOST_GROUPS

    @property
    def wrong(self) -> bool:
        """Whether a row cannot be used as it stands."""
        return any(row.problem for group in self.groups for row in group.rows)

    def tree(self) -> Tree:
        """What the rows say; those without a column are left out."""
        groups = []
        for group in self.groups:
            rows = [Condition(row.key, row.operator, row.value) for row in group.rows if row.key]
            if rows:
                groups.append(Group(tuple(rows), group.join))
        return Tree(tuple(groups), self.join)


def builder_of(tree: Tree, book: Book, members: list[Membership]) -> Builder:
    """The form of a stored tree; an empty one has one empty row."""
    groups = [
        GroupFields(
            g,
            group.join,
            [
                _row(f"g{g}c{r}", row.column, row.operator, row.value, book, members)
                for r, row in enumerate(group.rows)
            ],
        )
        for g, group in enumerate(tree.groups)
    ]
    if not groups:
        groups = [GroupFields(0, ALL, [_row("g0c0", "", "", "", book, members)])]
    return Builder(groups, tree.join)


def read_builder(
    data: Mapping[str, list[str]], book: Book, members: list[Membership], *, judge: bool
) -> Builder:
    """The form as it was sent; with `judge` each row that cannot be used says why."""
    groups = []
    for g in range(MOST_GROUPS):
        rows = []
        for r in range(MOST_ROWS):
            prefix = f"g{g}c{r}"
            if f"{prefix}-column" not in data:
                continue
            said = data.get(f"{prefix}-value", [])
            value = ", ".join(one.strip() for one in said if one.strip())[:500].replace("\0", "")
            row = _row(
                prefix, _one(data, f"{prefix}-column"), _one(data, f"{prefix}-operator"), value, book, members
            )
            if judge and row.key:
                _judge(row, book)
            rows.append(row)
        if rows:
            groups.append(GroupFields(g, _join(data, f"g{g}-join"), rows))
    return _numbered(
        Builder(
            groups or [GroupFields(0, ALL, [_row("g0c0", "", "", "", book, members)])], _join(data, "join")
        )
    )


def _judge(row: RowField, book: Book) -> None:
    try:
        check(Condition(row.key, row.operator, row.value), book)
    except BadCondition as error:
        row.problem = fault_words(error)


def stepped(builder: Builder, deed: str, book: Book, members: list[Membership]) -> Builder:
    """The form after a button: `add:GROUP`, `group`, `remove:GROUP:ROW`; any other just shows it again."""
    what, _colon, place = deed.partition(":")
    if what == "add":
        for group in builder.groups:
            if str(group.number) == place and group.may_add:
                group.rows.append(_row("", "", "", "", book, members))
    elif what == "group" and builder.may_add_group:
        builder.groups.append(GroupFields(len(builder.groups), ANY, [_row("", "", "", "", book, members)]))
    elif what == "remove":
        for group in builder.groups:
            group.rows = [row for row in group.rows if row.place != place]
        builder.groups = [group for group in builder.groups if group.rows] or [
            GroupFields(0, ALL, [_row("", "", "", "", book, members)])
        ]
    return _numbered(builder)


def _numbered(builder: Builder) -> Builder:
    """Rows and groups get the numbers of where they stand."""
    for g, group in enumerate(builder.groups):
        group.number = g
        for r, row in enumerate(group.rows):
            row.prefix = f"g{g}c{r}"
    return builder


def _one(data: Mapping[str, list[str]], name: str) -> str:
    return (data.get(name) or [""])[0][:300]


def _join(data: Mapping[str, list[str]], name: str) -> str:
    return ANY if _one(data, name) == ANY else ALL


def _row(prefix: str, key: str, operator: str, value: str, book: Book, members: list[Membership]) -> RowField:
    column = book.get(key)
    allowed = OPERATORS[column.kind] if column is not None else ()
    if operator not in allowed:
        operator, value = (allowed[0] if allowed else ""), ("" if column is not None else value)
    options: Choices = list(column.options) if column is not None else []
    if column is not None and column.kind == c.OWNER:
        options = [("me", gettext("me")), *((str(member.pk), str(member)) for member in members)]
    return RowField(
        prefix,
        column,
        key if column is not None else "",
        operator,
        value,
        [(one, OPERATOR_WORDS[one]) for one in allowed],
        options,
        many=column is not None and column.kind in (c.ONE, c.WORDS, c.BAND),
    )
