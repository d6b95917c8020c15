"""The figures of surveys: NPS and CSAT with n, response rate and interval. Pure.

**NPS** = 100 × (promoters − detractors) ÷ answered. Its interval is the adjusted Wald interval that Rocks found to cover
best at small n ("Interval Estimation for the Net Promoter Score", The American Statistician 70, 2016): add 3 answers, ¾
promoter, ¾ detractor and 1½ passive, then

    p = (promoters + ¾) ÷ (n + 3)      d = (detractors + ¾) ÷ (n + 3)
    p − d ± z × √((p + d − (p − d)²) ÷ (n + 3))

cut to −100…100. With one answer it is almost the whole scale, which is the truth. **CSAT** is the mean of 1 to 5 beside the
share of 4 and 5, whose interval is Wilson's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from alerts.precision import Z95
from alerts.precision import wilson as share_interval

from .scales import CATEGORIES, CSAT, DETRACTOR, NPS, PASSIVE, PROMOTER, category_of

ADDED = 3.0  # answers that are added for the interval, a quarter of them at each end
FEW = 10  # below so many answers a figure is said to rest on few


@dataclass(frozen=True)
class Interval:
    """From and to, on the scale of its figure."""

    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """How a group answered; `value` is NPS (−100 to 100) or the share of satisfied (0 to 100), None without answers."""

    kind: str
    detractors: int
    passives: int
    promoters: int
    total: float = 0.0  # sum of the scores

    @property
    def n(self) -> int:
        """How many answered: the denominator of everything."""
        return self.detractors + self.passives + self.promoters

    @property
    def value(self) -> float | None:
        """The figure."""
        if not self.n:
            return None
        if self.kind == CSAT:
            return 100 * self.promoters / self.n
        return 100 * (self.promoters - self.detractors) / self.n

    @property
    def mean(self) -> float | None:
        """The mean answer."""
        return self.total / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Where the figure of everybody who could have answered lies with 95 %."""
        if not self.n:
            return None
        if self.kind == CSAT:
            low, high = share_interval(self.promoters, self.n)
            return Interval(100 * low, 100 * high)
        return adjusted_wald(self.promoters, self.detractors, self.n)

    @property
    def is_few(self) -> bool:
        """Whether it rests on few answers."""
        return self.n < FEW

    def share(self, category: str) -> float | None:
        """Percent of the answers in a category."""
        if not self.n:
            return None
        found = {DETRACTOR: self.detractors, PASSIVE: self.passives, PROMOTER: self.promoters}
        return 100 * found[category] / self.n


def score_of(scores: Iterable[int], kind: str = NPS) -> Score:
    """The figure of single answers."""
    counts = dict.fromkeys(CATEGORIES, 0)
    total = 0
    for one in scores:
        counts[category_of(kind, one)] += 1
        total += one
    return Score(kind, counts[DETRACTOR], counts[PASSIVE], counts[PROMOTER], float(total))


def adjusted_wald(promoters: int, detractors: int, n: int, z: float = Z95) -> Interval:
    """The interval of an NPS; see the module."""
    size = n + ADDED
    up, down = (promoters + ADDED / 4) / size, (detractors + ADDED / 4) / size
    middle = up - down
    reach = z * sqrt(max(0.0, up + down - middle**2) / size)
    return Interval(100 * max(-1.0, middle - reach), 100 * min(1.0, middle + reach))


def response_rate(answered: int, delivered: int) -> float | None:
    """Percent of the invitations that arrived which were answered."""
    return 100 * answered / delivered if delivered else None


def median_days(hours: Sequence[float]) -> float | None:
    """The median of some times to close, in days."""
    return median(hours) / 24 if hours else None
