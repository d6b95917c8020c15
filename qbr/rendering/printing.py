"""What page, PDF and deck share: the content with its figures numbered, in the words of the account's language. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.documents.brand import Brand
from outreach.documents.spec import ChartSpec
from qbr.content import Kpi, PackContent, Section, Table

NUMBER = re.compile(r"[\s\d.,:+\-−–%€$£¥()/]*\d[\s\d.,:+\-−–%€$£¥()/]*[a-zA-Z%€]{0,3}\Z")
WIDEST, NARROWEST = 42, 7  # letters that a column's weight is counted by
ALL_LETTERS = 92  # so many letters of a table's text stand beside each other on a page, heads in bold
ROOM = 2  # letters' width that a cell's edges take
LONGEST_WORD = 18


@dataclass(frozen=True)
class Fact:
    """Where a figure comes from, in words, for the list behind a pack."""

    title: str
    query: str
    period: str
    as_of: str
    value: str
    rows: int
    hash: str


@dataclass(frozen=True)
class Print:
    """A pack that is about to be shown."""

    content: PackContent
    facts: Mapping[int, Fact]  # by the figure's id
    words: Mapping[str, str]  # what the house says itself, translated
    brand: Brand

    @property
    def numbers(self) -> dict[int, int]:
        """The mark of each figure that is shown, in the order in which they appear."""
        shown = dict.fromkeys(pk for section in self.content.shown for pk in section.figure_ids)
        return {pk: place for place, pk in enumerate((pk for pk in shown if pk in self.facts), 1)}

    @property
    def sources(self) -> list[tuple[int, Fact]]:
        """Mark and fact of every figure that is shown."""
        return [(number, self.facts[pk]) for pk, number in self.numbers.items()]

    def marks(self, figure_ids: Sequence[int]) -> list[int]:
        """The marks of some figures."""
        numbers = self.numbers
        return [numbers[pk] for pk in dict.fromkeys(figure_ids) if pk in numbers]

    def mark(self, item: Kpi) -> int | None:
        """The mark of a tile's figure."""
        return self.numbers.get(item.figure_id) if item.figure_id is not None else None


def is_drawable(chart: ChartSpec) -> bool:
    """Whether there is anything to draw."""
    return any(value is not None for _name, values in chart.series for value in values)


def reason_of(section: Section, words: Mapping[str, str]) -> str:
    """Why a section is empty; never nothing."""
    return section.empty_reason or words["nothing"]


def weights_of(table: Table) -> list[float]:
    """How wide each column should be, by the longest text in it; no column is narrower than its longest word."""
    columns = [[header, *(row[at] for row in table.rows)] for at, header in enumerate(table.headers)]
    # A long sentence takes no more than a wide column, a number no less than its head needs.
    wanted = [float(min(WIDEST, max(NARROWEST, *(len(cell) for cell in cells)))) for cells in columns]
    least = [
        float(max(wide_word(word) for cell in cells for word in (cell.split() or [""])) + ROOM)
        for cells in columns
    ]
    narrow = sum(least)
    if narrow >= ALL_LETTERS:  # words that do not fit whatever is done; they are broken
        return wanted
    # What is left beside the longest words is shared by how much more each column wants.
    more = [max(0.0, want - need) for want, need in zip(wanted, least, strict=True)]
    left, whole = ALL_LETTERS - narrow, sum(more) or 1.0
    return (
        [need + left * extra / whole for need, extra in zip(least, more, strict=True)] if any(more) else least
    )


def wide_word(word: str) -> int:
    """How many letters a word takes; one without end, such as an address, is broken rather than given a line."""
    return min(len(word), LONGEST_WORD)


def numeric_columns(table: Table) -> list[bool]:
    """Which columns hold numbers only; they stand at the right."""
    return [
        bool(table.rows) and all(not cell.strip(" –-") or NUMBER.match(cell.strip()) for cell in cells)
        and any(cell.strip(" –-") for cell in cells)
        for cells in zip(*table.rows, strict=True)
    ] or [False] * len(table.headers)  # fmt: skip
