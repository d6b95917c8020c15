"""Conditions of a list: comparisons in groups, each group and the whole joined by AND or OR. Pure.

In an address a tree is compact JSON: `{"j": "all", "g": [{"j": "any", "r": [["mrr", "over", "5000"], …]}, …]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.field_kinds import plain_number

from . import columns as c
from .columns import Book, Column

MOST_GROUPS, MOST_ROWS, MOST_WORDS = 6, 10, 50
LONGEST, LONGEST_VALUE = 6000, 500
ALL, ANY = "all", "any"
EMPTY, FILLED = "empty", "filled"
UNARY = frozenset({EMPTY, FILLED, "yes", "no"})
NUMERIC = ("at_least", "at_most", "over", "under", "equals", "between", FILLED, EMPTY)
DAYS = ("in_next", "in_last", "not_in_last", "before", "after", "between", FILLED, EMPTY)
OPERATORS: Mapping[str, tuple[str, ...]] = {
    c.TEXT: ("is", "is_not", "starts", "contains", FILLED, EMPTY),
    c.LINK: ("is", "is_not", "starts", "contains", FILLED, EMPTY),
    c.ONE: ("is", "is_not", FILLED, EMPTY),
    c.WORDS: ("has", "has_not", FILLED, EMPTY),
    c.NUMBER: NUMERIC,
    c.MONEY: NUMERIC,
    c.DATE: DAYS,
    c.MOMENT: DAYS,
    c.BOOL: ("yes", "no", FILLED, EMPTY),
    c.BAND: ("is", "is_not"),
    c.OWNER: ("is", "is_not", FILLED, EMPTY),
}
RELATIVE = frozenset({"in_next", "in_last", "not_in_last"})
LONGEST_DAYS = 3650


@dataclass(frozen=True)
class Condition:
    """One comparison: a column's key, how, with what (as it was typed)."""

    column: str
    operator: str
    value: str = ""


@dataclass(frozen=True)
class Group:
    """Comparisons, all or any of which must hold."""

    rows: tuple[Condition, ...] = ()
    join: str = ALL


@dataclass(frozen=True)
class Tree:
    """Groups, all or any of which must hold; empty lets everything through."""

    groups: tuple[Group, ...] = ()
    join: str = ALL

    @property
    def rows(self) -> Iterator[Condition]:
        """Every comparison."""
        return (row for group in self.groups for row in group.rows)

    def __bool__(self) -> bool:
        return any(group.rows for group in self.groups)


class BadCondition(ValueError):
    """A comparison that cannot be made: a code, the column, and its place."""

    def __init__(self, code: str, column: Column | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.column = column


def read_tree(text: str, book: Book) -> tuple[Tree, int]:
    """The tree of an address, and how many of its comparisons could not be understood and were left out."""
    if not text:
        return Tree(), 0
    if len(text) > LONGEST:
        return Tree(), 1
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return Tree(), 1
    if not isinstance(raw, dict) or not isinstance(raw.get("g"), list):
        return Tree(), 1
    groups, lost = [], 0
    for each in raw["g"][:MOST_GROUPS]:
        rows = []
        if not isinstance(each, dict) or not isinstance(each.get("r"), list):
            lost += 1
            continue
        for one in each["r"][:MOST_ROWS]:
            found = _read_row(one, book)
            lost += found is None
            if found is not None:
                rows.append(found)
        if rows:
            groups.append(Group(tuple(rows), _join(each.get("j"))))
    return Tree(tuple(groups), _join(raw.get("j"))), lost


def _join(said: Any) -> str:
    return ANY if said == ANY else ALL


def _read_row(raw: Any, book: Book) -> Condition | None:
    if not isinstance(raw, list) or not 2 <= len(raw) <= 3 or not all(isinstance(one, str) for one in raw):
        return None
    row = Condition(raw[0], raw[1], raw[2] if len(raw) == 3 else "")
    try:
        check(row, book)
    except BadCondition:
        return None
    return row


def write_tree(tree: Tree) -> str:
    """The tree for an address; empty for one that lets everything through."""
    if not tree:
        return ""
    groups = [
        {"j": group.join, "r": [[r.column, r.operator, *([r.value] if r.value else [])] for r in group.rows]}
        for group in tree.groups
        if group.rows
    ]
    return json.dumps({"j": tree.join, "g": groups}, separators=(",", ":"), ensure_ascii=False)


def check(row: Condition, book: Book) -> Column:
    """The column of a comparison that can be made; raises `BadCondition`."""
    column = book.get(row.column)
    if column is None:
        raise BadCondition("column")
    if row.operator not in OPERATORS[column.kind]:
        raise BadCondition("operator", column)
    if row.operator in UNARY:
        return column
    if not row.value.strip():
        raise BadCondition("value", column)
    if len(row.value) > LONGEST_VALUE or "\0" in row.value:
        raise BadCondition("long", column)
    if column.kind in (c.NUMBER, c.MONEY):
        numbers_of(row, column)
    elif column.kind in (c.DATE, c.MOMENT):
        days_of(row, column)
    elif not _is_known(row, column):
        raise BadCondition("value", column)
    return column


def _is_known(row: Condition, column: Column) -> bool:
    """Whether a member or a band is one."""
    if column.kind == c.OWNER:
        return row.value == "me" or (row.value.isascii() and row.value.isdigit() and len(row.value) < 19)
    if column.kind == c.BAND:
        return set(words_of(row.value)) <= {key for key, _word in column.options}
    return True


def words_of(text: str) -> list[str]:
    """The words of a value: separated by commas, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))[:MOST_WORDS]


def numbers_of(row: Condition, column: Column) -> list[float | int]:
    """The number of a comparison, or its two; money is typed in whole units and compared in cents."""
    parts = row.value.split("..") if row.operator == "between" else [row.value]
    if len(parts) != (2 if row.operator == "between" else 1):
        raise BadCondition("between", column)
    found: list[float | int] = []
    for part in parts:
        try:
            value = Decimal(plain_number(part))
        except InvalidOperation:
            raise BadCondition("number", column) from None
        if not value.is_finite() or abs(value) > 10**13:
            raise BadCondition("number", column)
        found.append(int((value * 100).to_integral_value()) if column.kind == c.MONEY else float(value))
    return found


def days_of(row: Condition, column: Column) -> list[date | int]:
    """The day of a comparison, its two, or how many days from today it means."""
    if row.operator in RELATIVE:
        text = row.value.strip()
        if not (text.isascii() and text.isdigit()) or int(text) > LONGEST_DAYS:
            raise BadCondition("days", column)
        return [int(text)]
    parts = row.value.split("..") if row.operator == "between" else [row.value]
    if len(parts) != (2 if row.operator == "between" else 1):
        raise BadCondition("between", column)
    try:
        return [date.fromisoformat(part.strip()) for part in parts]
    except ValueError:
        raise BadCondition("day", column) from None


def without(tree: Tree, group_at: int, row_at: int) -> Tree:
    """The tree without one comparison."""
    groups = []
    for place, group in enumerate(tree.groups):
        rows = group.rows
        if place == group_at:
            rows = rows[:row_at] + rows[row_at + 1 :]
        if rows:
            groups.append(replace(group, rows=rows))
    return Tree(tuple(groups), tree.join)


def both(tree: Tree, row: Condition) -> Tree:
    """The tree and one more comparison that must hold beside it."""
    if tree.join == ALL or len(tree.groups) < 2:
        return Tree((*tree.groups, Group((row,))), ALL)
    raise BadCondition("nested")
