"""Conditions of a list in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from workspace.formatting import number, short_date

from . import columns as c
from .columns import Book, Column
from .conditions import ALL, RELATIVE, BadCondition, Condition, Tree, check, days_of, numbers_of, words_of

OPERATOR_WORDS = {
    "is": pgettext_lazy("condition", "is"),
    "is_not": pgettext_lazy("condition", "is not"),
    "starts": gettext_lazy("starts with"),
    "contains": gettext_lazy("contains"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is filled in"),
    "has": gettext_lazy("has one of"),
    "has_not": gettext_lazy("has none of"),
    "at_least": gettext_lazy("is at least"),
    "at_most": gettext_lazy("is at most"),
    "over": pgettext_lazy("condition", "is over"),
    "under": pgettext_lazy("condition", "is under"),
    "equals": gettext_lazy("equals"),
    "between": gettext_lazy("is between"),
    "in_next": gettext_lazy("is in the next days"),
    "in_last": gettext_lazy("is in the last days"),
    "not_in_last": gettext_lazy("is not in the last days"),
    "before": gettext_lazy("is before"),
    "after": gettext_lazy("is after"),
    "yes": gettext_lazy("is yes"),
    "no": gettext_lazy("is no"),
}


def fault_words(error: BadCondition) -> str:
    """What is wrong with a comparison, and how to mend it."""
    name = str(error.column.label) if error.column else ""
    words = {
        "column": _("Choose what is looked at: this is not offered (any more)."),
        "operator": _("%(name)s cannot be compared this way; choose again how.") % {"name": name},
        "value": _("Say with what %(name)s is compared.") % {"name": name},
        "long": _("This is too long for %(name)s.") % {"name": name},
        "number": _("%(name)s is compared with a number, such as 1500.") % {"name": name},
        "between": _("Write two values with two points between them: 10..20"),
        "days": _("Write how many days, from 0 to 3650."),
        "day": _("Write a date like 2026-01-31."),
        "nested": _("Nothing can be added to groups of which any may hold."),
    }
    return words[error.code]


@dataclass(frozen=True)
class Chip:
    """A comparison as a list shows it: in words, and the address of the list without it."""

    text: str
    place: tuple[int, int]
    url: str = ""


def row_words(row: Condition, book: Book, people: Mapping[str, str]) -> str:
    """One comparison, such as "MRR is over 5,000"."""
    column = check(row, book)
    operator = str(OPERATOR_WORDS[row.operator])
    if row.operator in ("empty", "filled", "yes", "no"):
        return f"{column.label} {operator}"
    if row.operator in RELATIVE:
        days = int(row.value)
        words = {
            "in_next": ngettext(
                "%(name)s in the next %(days)s day", "%(name)s in the next %(days)s days", days
            ),
            "in_last": ngettext(
                "%(name)s in the last %(days)s day", "%(name)s in the last %(days)s days", days
            ),
            "not_in_last": ngettext(
                "%(name)s not in the last %(days)s day", "%(name)s not in the last %(days)s days", days
            ),
        }
        return words[row.operator] % {"name": column.label, "days": number(days)}
    return f"{column.label} {operator} {_value_words(row, column, people)}"


def _value_words(row: Condition, column: Column, people: Mapping[str, str]) -> str:
    if column.kind in (c.NUMBER, c.MONEY):
        scale = 100 if column.kind == c.MONEY else 1
        return _(" and ").join(number(value / scale) for value in numbers_of(row, column))
    if column.kind in (c.DATE, c.MOMENT):
        return _(" and ").join(short_date(day) for day in days_of(row, column) if not isinstance(day, int))
    if column.kind == c.OWNER:
        return _("me") if row.value == "me" else people.get(row.value, row.value)
    names = {key: str(word) for key, word in column.options}
    return _(" or ").join(names.get(word, word) for word in words_of(row.value)) or row.value


def tree_words(tree: Tree, book: Book, people: Mapping[str, str]) -> str:
    """The whole tree as one sentence part."""
    groups = []
    for group in tree.groups:
        parts = [row_words(row, book, people) for row in group.rows]
        text = (_(" and ") if group.join == ALL else _(" or ")).join(parts)
        groups.append(f"({text})" if len(parts) > 1 and len(tree.groups) > 1 else text)
    return (_(" and ") if tree.join == ALL else _(" or ")).join(groups)


def chips(tree: Tree, book: Book, people: Mapping[str, str]) -> list[Chip]:
    """Each comparison in words with its place."""
    return [
        Chip(row_words(row, book, people), (g, r))
        for g, group in enumerate(tree.groups)
        for r, row in enumerate(group.rows)
    ]
