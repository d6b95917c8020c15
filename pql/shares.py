"""A share with its interval. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """So many of so many, 0-100, with the Wilson interval; nothing of nothing has no share."""

    count: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total:
            raise ValueError(f"{self.count} of {self.total} is no share.")

    @property
    def pct(self) -> float | None:
        """The share in percent."""
        return 100 * self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies with 95 % confidence (Wilson: holds at 0, at 100 % and for few)."""
        if not self.total:
            return None
        z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
        n, p = self.total, self.count / self.total
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        # nothing seen at all reaches down to nothing, everything up to everything; rounding must not say otherwise
        low = min(p, middle - reach) if self.count else 0.0
        high = max(p, middle + reach) if self.count < n else 1.0
        return 100 * low, 100 * high
