"""Rows of the benchmark table and how they are printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured figure beside its floor.

    `ratio` is value ÷ floor. `target` says what it should be, e.g. `>= 1.5` or `<= 6`; `met` compares.
    """

    name: str
    size: str
    value: str
    floor: str
    ratio: float
    target: str

    @property
    def met(self) -> bool | None:
        """Whether the ratio meets the target; None for a figure without one."""
        if not self.target:
            return None
        sign, bound = self.target.split()
        return self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)


def markdown(rows: Iterable[Row]) -> str:
    """The table as it stands in the README."""
    lines = [
        "| measure | size | value | floor of the same run | ratio | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        verdict = {True: "met", False: "missed", None: ""}[row.met]
        lines.append(
            f"| {row.name} | {row.size} | {row.value} | {row.floor} | {row.ratio:.2f} | {row.target} | {verdict} |"
        )
    return "\n".join(lines)
