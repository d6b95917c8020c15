"""In which order alerts are worked: MRR × risk × days to renewal. Pure; `selectors` says the same in SQL.

priority = value × risk × urgency
value    = MRR in whole money + 1 (an account without MRR still counts)
risk     = weight of the severity (low 0.5, medium 1, high 2) × (0.1 + 0.9 × (100 − score) ÷ 100); no score counts as 50
urgency  = 1 without a renewal date or more than 180 days before it, rising evenly to 4 on the day and after it
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2

SEVERITY_WEIGHT = {"low": 0.5, "medium": 1.0, "high": 2.0}
UNKNOWN_SCORE = 50.0
LEAST_RISK = 0.1
HORIZON_DAYS = 180
EXTRA_URGENCY = 3.0
# Of ranks, by which long lists are sorted: eight to a doubling of the priority, so a ninth more is one rank more.
RANK_STEPS = 8


@dataclass(frozen=True)
class Factors:
    """The three parts of a rank, so that a page can say why something comes first."""

    value: float
    risk: float
    urgency: float

    @property
    def priority(self) -> float:
        """How much it deserves the next hour; larger is sooner."""
        return self.value * self.risk * self.urgency


def factors(*, mrr_cents: int, weight: float, score: float | None, days_to_renewal: int | None) -> Factors:
    """The parts of the rank of something of this weight at an account."""
    value = max(mrr_cents, 0) / 100 + 1
    lost = (100 - (UNKNOWN_SCORE if score is None else score)) / 100
    risk = weight * (LEAST_RISK + (1 - LEAST_RISK) * lost)
    if days_to_renewal is None:
        return Factors(value, risk, 1.0)
    left = min(max(days_to_renewal, 0), HORIZON_DAYS)
    return Factors(value, risk, 1 + EXTRA_URGENCY * (1 - left / HORIZON_DAYS))


def priority(*, mrr_cents: int, severity: str, score: float | None, days_to_renewal: int | None) -> float:
    """How much an alert deserves the next hour; larger is sooner."""
    weight = SEVERITY_WEIGHT[severity]
    return factors(mrr_cents=mrr_cents, weight=weight, score=score, days_to_renewal=days_to_renewal).priority


def rank(priority: float) -> int:
    """The priority in steps of a ninth: it moves seldom, so that a night writes few of them again."""
    return floor(RANK_STEPS * log2(priority))
