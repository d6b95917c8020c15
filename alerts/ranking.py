"""In which order alerts are worked: MRR × risk × days to renewal. Pure; `selectors` says the same in SQL.

priority = value × risk × urgency
value    = MRR in whole money + 1 (an account without MRR still counts)
risk     = weight of the severity (low 0.5, medium 1, high 2) × (0.1 + 0.9 × (100 − score) ÷ 100); no score counts as 50
urgency  = 1 without a renewal date or more than 180 days before it, rising evenly to 4 on the day and after it
"""

from __future__ import annotations

SEVERITY_WEIGHT = {"low": 0.5, "medium": 1.0, "high": 2.0}
UNKNOWN_SCORE = 50.0
LEAST_RISK = 0.1
HORIZON_DAYS = 180
EXTRA_URGENCY = 3.0


def priority(*, mrr_cents: int, severity: str, score: float | None, days_to_renewal: int | None) -> float:
    """How much an alert deserves the next hour; larger is sooner."""
    value = max(mrr_cents, 0) / 100 + 1
    lost = (100 - (UNKNOWN_SCORE if score is None else score)) / 100
    risk = SEVERITY_WEIGHT[severity] * (LEAST_RISK + (1 - LEAST_RISK) * lost)
    if days_to_renewal is None:
        return value * risk
    left = min(max(days_to_renewal, 0), HORIZON_DAYS)
    return value * risk * (1 + EXTRA_URGENCY * (1 - left / HORIZON_DAYS))
