"""What a chart of a document says; how it looks is the document's matter. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ChartKind = Literal["line", "bar", "stacked", "donut"]
CHART_KINDS: tuple[ChartKind, ...] = ("line", "bar", "stacked", "donut")
MAX_SERIES = 5  # more cannot be told apart


@dataclass(frozen=True)
class ChartSpec:
    """Numbers by category; a gap is None. A donut has one series, its categories are the slices."""

    kind: ChartKind
    title: str
    unit: str
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    target: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no page could draw."""
        if self.kind not in CHART_KINDS:
            raise ValueError(f"A chart is one of {', '.join(CHART_KINDS)}.")
        if not 1 <= len(self.series) <= MAX_SERIES:
            raise ValueError(f"A chart has 1 to {MAX_SERIES} series.")
        if any(len(values) != len(self.categories) for _, values in self.series):
            raise ValueError("Every series of a chart has one value, or a gap, for each category.")
        if self.kind == "donut" and len(self.series) != 1:
            raise ValueError("A donut has one series.")
