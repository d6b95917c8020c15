"""Conditions of a list as SQL: a text with places for values, and the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import eq, ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

from workspace.bands import band_of

from . import columns as c
from .columns import Book, Column
from .conditions import ANY, EMPTY, FILLED, Condition, Group, Tree, check, days_of, numbers_of, words_of
from .facts import Sieve

Sql = tuple[str, list[Any]]
COMPARES: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "at_least": (">=", ge),
    "at_most": ("<=", le),
    "over": (">", gt),
    "under": ("<", lt),
    "equals": ("=", eq),
}


@dataclass(frozen=True)
class Reader:
    """Who reads the list and when: relative dates and "me" follow from it."""

    today: date
    zone: ZoneInfo
    member_id: int | None = None


def tree_sql(tree: Tree, book: Book, reader: Reader, sieve: Sieve | None = None) -> Sql:
    """The whole tree; an empty one is TRUE. With a sieve the conditions on facts are asked there."""
    groups: list[str] = []
    values: list[Any] = []
    # PostgreSQL joins in the order of the statement where nothing tells it more: what costs most is asked last.
    for group in sorted(tree.groups, key=lambda one: _fields_in(one, book)) if sieve else tree.groups:
        if group.rows:
            text, given = _group_sql(group, book, reader, sieve)
            groups.append(f"({text})")
            values += given
    return (_joined(tree.join, groups) if groups else "TRUE"), values


def _fields_in(group: Group, book: Book) -> int:
    """How many comparisons take a JSON document apart."""
    return sum(bool(check(row, book).field_key) for row in group.rows)


def _group_sql(group: Group, book: Book, reader: Reader, sieve: Sieve | None) -> Sql:
    """The conditions of one group; those on one fact are asked together, behind those on the account itself."""
    by_fact: dict[str, list[Condition]] = {}
    for row in group.rows:
        fact = next(iter(check(row, book).facts), "") if sieve else ""
        by_fact.setdefault(fact, []).append(row)
    parts: list[str] = []
    values: list[Any] = []
    for fact, rows in sorted(by_fact.items(), key=lambda one: one[0] != ""):
        texts = [row_sql(row, book, reader) for row in rows]
        given = [value for _text, each in texts for value in each]
        if sieve is None or not fact:
            parts += [text for text, _values in texts]
            values += given
        else:
            lacking = (holds_without(row, book) for row in rows)
            without = any(lacking) if group.join == ANY else all(lacking)
            joined = _joined(group.join, [text for text, _values in texts])
            parts.append(sieve.passed(fact, joined, given, without=without))
    return _joined(group.join, parts), values


def _joined(join: str, parts: Sequence[str]) -> str:
    return (" OR " if join == ANY else " AND ").join(parts)


def row_sql(row: Condition, book: Book, reader: Reader) -> Sql:
    """One comparison. What is empty fulfils nothing but "is empty" and the ones that deny."""
    column = check(row, book)
    if row.operator == EMPTY:
        return f"NOT {_filled(column)}", []
    if row.operator == FILLED:
        return _filled(column), []
    match column.kind:
        case c.NUMBER | c.MONEY:
            return _between(column.sql, row.operator, numbers_of(row, column))
        case c.DATE | c.MOMENT:
            return _days(row, column, reader)
        case c.BOOL:
            return f"({column.sql}) IS {'TRUE' if row.operator == 'yes' else 'FALSE'}", []
        case c.WORDS:
            text = f"coalesce({column.sql} && %s::text[], false)"
            return (text if row.operator == "has" else f"NOT {text}"), [words_of(row.value)]
        case c.BAND:
            codes = [band_of(key).code for key in words_of(row.value)]
            text = f"coalesce({column.sql}, 0) = ANY(%s)"
            return (text if row.operator == "is" else f"NOT {text}"), [codes]
        case c.OWNER:
            owner = reader.member_id or 0 if row.value == "me" else int(row.value)
            return (
                f"{column.sql} {'IS NOT DISTINCT FROM' if row.operator == 'is' else 'IS DISTINCT FROM'} %s",
                [owner],
            )
        case _:
            return _words(row, column)


def holds_without(row: Condition, book: Book) -> bool:
    """Whether an account fulfils a comparison on a fact that it lacks, as `row_sql` says over a row of nothing."""
    column = check(row, book)
    if row.operator in (EMPTY, FILLED):
        return (column.lacking is None) == (row.operator == EMPTY)
    match column.kind:
        case c.NUMBER:
            value = column.lacking
            if value is None:
                return False
            given = numbers_of(row, column)
            if row.operator == "between":
                return min(given) <= value <= max(given)
            return COMPARES[row.operator][1](value, given[0])
        case c.BAND:
            return (column.lacking in [band_of(key).code for key in words_of(row.value)]) == (
                row.operator == "is"
            )
        case c.MOMENT:
            return row.operator == "not_in_last"
    raise TypeError(f"{column.key}: facts are numbers, bands and moments.")


def _filled(column: Column) -> str:
    if column.kind in (c.TEXT, c.ONE, c.LINK):
        return f"(coalesce({column.sql}, '') <> '')"
    if column.kind == c.WORDS:
        return f"(coalesce(cardinality({column.sql}), 0) > 0)"
    return f"(({column.sql}) IS NOT NULL)"


def _between(sql: str, operator: str, given: Sequence[Any]) -> Sql:
    if operator == "between":
        return f"({sql} >= %s AND {sql} <= %s)", sorted(given)
    return f"(({sql} {COMPARES[operator][0]} %s) IS TRUE)", [given[0]]


def _days(row: Condition, column: Column, reader: Reader) -> Sql:
    given = days_of(row, column)
    today, sql = reader.today, column.sql
    if row.operator == "in_next":
        first, end = today, today + timedelta(days=int(given[0]) + 1)  # type: ignore[arg-type]  # a number of days
    elif row.operator in ("in_last", "not_in_last"):
        first, end = today - timedelta(days=int(given[0])), today + timedelta(days=1)  # type: ignore[arg-type]  # the same
    elif row.operator == "between":
        first, end = _ordered(given)
    elif row.operator == "before":
        return f"(({sql} < %s) IS TRUE)", [_start(column, given[0], reader)]
    else:
        return f"(({sql} >= %s) IS TRUE)", [_start(column, _day(given[0]) + timedelta(days=1), reader)]
    text = f"(({sql} >= %s AND {sql} < %s) IS TRUE)"
    values = [_start(column, first, reader), _start(column, end, reader)]
    # "Not in the last 30 days" is also true of what never happened.
    return (f"NOT {text}" if row.operator == "not_in_last" else text), values


def _day(value: date | int) -> date:
    if isinstance(value, int):
        raise TypeError("A day was expected.")
    return value


def _ordered(given: Sequence[date | int]) -> tuple[date, date]:
    first, last = sorted(_day(one) for one in given)
    return first, last + timedelta(days=1)


def _start(column: Column, day: date | int, reader: Reader) -> date | datetime:
    """The beginning of a day as the column compares it."""
    found = _day(day)
    return datetime.combine(found, time.min, reader.zone) if column.kind == c.MOMENT else found


def _words(row: Condition, column: Column) -> Sql:
    sql = f"coalesce({column.sql}, '')"
    match row.operator:
        case "is" | "is_not":
            text = f"lower({sql}) = ANY(%s)"
            words = [word.lower() for word in (words_of(row.value) or [row.value])]
            return (text if row.operator == "is" else f"NOT {text}"), [words]
        case "starts":
            return f"starts_with(lower({sql}), %s)", [row.value.strip().lower()]
        case _:
            return f"position(%s IN lower({sql})) > 0", [row.value.strip().lower()]


def facts_of(tree: Tree, book: Book) -> set[str]:
    """The facts that the tree's columns stand on."""
    return {fact for row in tree.rows if row.column in book for fact in book[row.column].facts}
