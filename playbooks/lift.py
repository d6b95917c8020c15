"""Whether a play works: how much more often the good outcome came with it than without. Pure.

Intervals: Wilson's for a share, Newcombe's hybrid (method 10 of Newcombe 1998) for the difference of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

MIN_ARM = 20  # under this many in either group nothing is said
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Arm:
    """One group: how many, and at how many of them the good outcome came."""

    n: int
    good: int

    @property
    def share(self) -> float | None:
        """The share of good outcomes; None of nobody."""
        return self.good / self.n if self.n else None


@dataclass(frozen=True)
class Lift:
    """The two groups and, when both are large enough, the difference of their shares with its 95 % interval."""

    played: Arm
    held_out: Arm
    open: int  # runs whose outcome cannot be known yet
    difference: float | None
    low: float | None
    high: float | None

    @property
    def enough(self) -> bool:
        """Whether something can be said."""
        return self.difference is not None

    @property
    def missing(self) -> int:
        """How many more measured runs the smaller group needs."""
        return max(0, MIN_ARM - min(self.played.n, self.held_out.n))


def wilson(good: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """The interval of a share; the whole range of nobody."""
    if n == 0:
        return 0.0, 1.0
    share, square = good / n, z * z
    middle = share + square / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (middle - reach) / (1 + square / n), (middle + reach) / (1 + square / n)
    return max(0.0, low), min(1.0, high)


def newcombe(first: Arm, second: Arm, z: float = Z_95) -> tuple[float, float]:
    """The interval of `first`'s share minus `second`'s."""
    one, two = first.good / first.n, second.good / second.n
    low_one, high_one = wilson(first.good, first.n, z)
    low_two, high_two = wilson(second.good, second.n, z)
    difference = one - two
    low = difference - sqrt((one - low_one) ** 2 + (high_two - two) ** 2)
    high = difference + sqrt((high_one - one) ** 2 + (two - low_two) ** 2)
    return max(-1.0, low), min(1.0, high)


def lift(played: Arm, held_out: Arm, open_runs: int = 0) -> Lift:
    """Compare the groups."""
    if min(played.n, held_out.n) < MIN_ARM:
        return Lift(played, held_out, open_runs, None, None, None)
    low, high = newcombe(played, held_out)
    difference = played.good / played.n - held_out.good / held_out.n
    return Lift(played, held_out, open_runs, difference, low, high)
