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
    """How wide each column should be, by the longest text in it."""
    columns = [[header, *(row[at] for row in table.rows)] for at, header in enumerate(table.headers)]
    return [
        float(min(WIDEST, max(NARROWEST, *(len(cell) for cell in cells)))) for cells in columns
    ]  # a long sentence takes no more than a wide column, a number no less than its head needs


def numeric_columns(table: Table) -> list[bool]:
    """Which columns hold numbers only; they stand at the right."""
    return [
        bool(table.rows) and all(not cell.strip(" –-") or NUMBER.match(cell.strip()) for cell in cells)
        and any(cell.strip(" –-") for cell in cells)
        for cells in zip(*table.rows, strict=True)
    ] or [False] * len(table.headers)  # fmt: skip
