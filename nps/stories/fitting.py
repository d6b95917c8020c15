"""Whether a case study fits on its two pages, and what to shorten where it does not; pure, from what typst measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAGES = 2
# What stands on which page, in the order in which a reader meets it.
PARTS = {
    "one": ("title", "standfirst", "challenge", "solution"),
    "two": ("results_intro", "results", "quote"),
}
NEVER = frozenset({"title"})  # as advice: two lines of a title are not what makes a page too long
MOST_OF_A_PART = 0.7  # a part that lost more than this would say nothing any more


@dataclass(frozen=True)
class PageFit:
    """One page: in which size it is set, how many lines it is too long (or has room for), what to shorten."""

    page: int
    size: float
    over: int  # lines too many in the smallest size; 0: it fits
    room: int  # lines that would still fit in the smallest size
    shorten: tuple[tuple[str, int], ...] = ()  # parts, each with about how many of its characters must go


@dataclass(frozen=True)
class Fit:
    """Both pages, and how many there really are."""

    pages: int
    leaves: tuple[PageFit, ...]

    @property
    def is_exact(self) -> bool:
        """Whether it is exactly two pages and nothing is too long."""
        return self.pages == PAGES and not any(leaf.over for leaf in self.leaves)


def fit_of(measured: Sequence[Mapping[str, Any]], pages: int, lengths: Mapping[str, int]) -> Fit:
    """The fit from what each page measured; `lengths` are the characters of each part."""
    leaves = []
    for number, leaf in enumerate(measured, 1):
        spare = float(leaf["room"]) - float(leaf["needed"])
        row = float(leaf["row"])
        over = math.ceil(-spare / row) if spare < 0 else 0
        room = math.floor(spare / row) if spare > 0 else 0
        shorten = _advice(leaf["page"], leaf["parts"], over, row, lengths) if over else ()
        leaves.append(PageFit(number, float(leaf["size"]), over, room, shorten))
    return Fit(pages, tuple(leaves))


def _advice(
    page: str, heights: Mapping[str, float], over: int, row: float, lengths: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """The longest part gives first; none more than its share, and the last what is left."""
    parts = sorted((part for part in PARTS[page] if part not in NEVER), key=lambda part: -heights[part])
    advice: list[tuple[str, int]] = []
    left = float(over)
    for part in parts:
        rows = heights[part] / row
        taken = min(left, rows * MOST_OF_A_PART)
        if taken > 0 and lengths.get(part):
            advice.append((part, _characters(taken, rows, lengths[part])))
            left -= taken
        if left <= 0:
            break
    return tuple(advice)


def _characters(lines: float, rows: float, length: int) -> int:
    """About how many characters these lines are, in a part of so many rows and characters; rounded up to tens."""
    return min(length, math.ceil(lines * length / max(rows, 1.0) / 10) * 10)
