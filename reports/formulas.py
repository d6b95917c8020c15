"""What a stored numerator and denominator come to, and whether that is what was aimed at. Pure.

Figures are kept in parts, because parts add up and figures do not: two CSMs' healthy shares are no share of both, their
counts are. Nothing ÷ nothing is no figure, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

HUNDRED = Decimal(100)


class Kind(StrEnum):
    """How a figure is made of its parts."""

    SHARE = "share"  # 100 × numerator ÷ denominator
    MEAN = "mean"  # numerator ÷ denominator
    COUNT = "count"  # the numerator
    MONEY = "money"  # the numerator, in cents of a currency
    MEDIAN = "median"  # kept beside the parts: a median of parts is no median


class Aim(StrEnum):
    """What a target asks for."""

    OVER = "over"  # more than it
    LEAST = "least"  # it or more
    BETWEEN = "between"  # from low to high, both included
    RISING = "rising"  # more than in the earlier period
    NONE = "none"


class Verdict(StrEnum):
    """What came of a target."""

    MET = "met"
    MISSED = "missed"
    BEYOND = "beyond"  # more than the upper end of a range
    UNKNOWN = ""


@dataclass(frozen=True)
class Sums:
    """The parts of a figure: what it is made of and of how many."""

    numerator: Decimal = Decimal(0)
    denominator: Decimal = Decimal(0)
    n: int = 0
    median: float | None = None

    def plus(self, other: Sums) -> Sums:
        """Both together; whoever has two groups has no median."""
        if not self.n:
            return other
        if not other.n:
            return self
        return Sums(self.numerator + other.numerator, self.denominator + other.denominator, self.n + other.n)


def value_of(kind: Kind, sums: Sums | None) -> Decimal | None:
    """The figure; None where there is nothing to make it of."""
    if sums is None:
        return None
    match kind:
        case Kind.SHARE:
            return HUNDRED * sums.numerator / sums.denominator if sums.denominator else None
        case Kind.MEAN:
            return sums.numerator / sums.denominator if sums.denominator else None
        case Kind.MEDIAN:
            return None if sums.median is None else Decimal(str(sums.median))
        case _:
            return sums.numerator


def verdict_of(
    aim: Aim,
    value: Decimal | None,
    low: Decimal | None,
    high: Decimal | None = None,
    earlier: Decimal | None = None,
) -> Verdict:
    """Whether a figure is what was aimed at; exactly on the line of "over" is not over it."""
    if value is None:
        return Verdict.UNKNOWN
    if aim == Aim.RISING:
        if earlier is None:
            return Verdict.UNKNOWN
        return Verdict.MET if value > earlier else Verdict.MISSED
    if aim == Aim.NONE or low is None:
        return Verdict.UNKNOWN
    if aim == Aim.OVER:
        return Verdict.MET if value > low else Verdict.MISSED
    if value < low:
        return Verdict.MISSED
    if aim == Aim.BETWEEN and high is not None and value > high:
        return Verdict.BEYOND
    return Verdict.MET


def change_of(value: Decimal | None, earlier: Decimal | None) -> Decimal | None:
    """By how much a figure moved, in its own unit; None where either is missing."""
    return None if value is None or earlier is None else value - earlier
