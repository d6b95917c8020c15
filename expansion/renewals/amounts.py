"""Target, forecast and final of renewals, and what they come to together. Pure.

Target is what the term is worth at today's MRR. The forecast is what the CSM expects of it and never more: growth is an
opportunity of its own and does not hide a loss elsewhere. Final is what it came to, and counts up to the target in the
renewal forecast for the same reason (research: renewal forecast = won at final + open at forecast, capped at target).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

COMMIT, BEST_CASE, AT_RISK, LOST = "commit", "best_case", "at_risk", "lost"
CATEGORIES = (COMMIT, BEST_CASE, AT_RISK, LOST)
OPEN, RENEWED, GONE = "open", "renewed", "lost"
FLAT, MORE, LESS = "flat", "more", "less"
DEFAULT_PROBABILITIES = {COMMIT: 95, BEST_CASE: 70, AT_RISK: 30, LOST: 0}


def target_of(mrr_cents: int, months: int) -> int:
    """What a term is worth."""
    return max(mrr_cents, 0) * max(months, 0)


def capped(forecast_cents: int, target_cents: int) -> int:
    """A forecast as it may stand: from nothing up to the target."""
    return max(0, min(forecast_cents, target_cents))


def forecast_of(said_cents: int | None, target_cents: int, category: str) -> int:
    """The forecast: what somebody said, else the whole target; nothing of what is given up."""
    if category == LOST:
        return 0
    return target_cents if said_cents is None else capped(said_cents, target_cents)


def outcome_of(final_cents: int, target_cents: int) -> str:
    """Whether a renewal came in as it was, with more or with less."""
    if final_cents == target_cents:
        return FLAT
    return MORE if final_cents > target_cents else LESS


@dataclass(frozen=True)
class Amounts:
    """One renewal, or many of the same kind and currency together."""

    currency: str
    state: str
    category: str
    target_cents: int
    forecast_cents: int
    final_cents: int = 0
    kept_cents: int = 0  # of the final amounts, each capped at its own target
    count: int = 1
    at_risk: bool = False


@dataclass(frozen=True)
class Forecast:
    """What the renewals of a period come to in one currency."""

    currency: str
    count: int = 0
    target_cents: int = 0
    forecast_cents: int = 0  # closed at their final amount, open at their forecast, never above the target
    final_cents: int = 0
    weighted_cents: int = 0  # open ones by the probability of their category
    low_cents: int = 0  # closed and committed ones
    high_cents: int = 0  # everything that is not given up
    at_risk_cents: int = 0  # targets of open ones at risk
    at_risk_count: int = 0
    lost_cents: int = 0  # targets of closed ones that were not kept
    open_count: int = 0


def converted(rows: Iterable[Amounts], rates: Mapping[str, Decimal], into: str) -> list[Amounts]:
    """The amounts in one currency where a rate is known; the others stay as they are."""
    found = []
    for row in rows:
        rate = rates.get(row.currency)
        if rate is None:
            found.append(row)
            continue
        target = _times(row.target_cents, rate)
        found.append(
            replace(
                row,
                currency=into,
                target_cents=target,
                forecast_cents=capped(_times(row.forecast_cents, rate), target),
                final_cents=_times(row.final_cents, rate),
                kept_cents=capped(_times(row.kept_cents, rate), target),
            )
        )
    return found


def _times(cents: int, rate: Decimal) -> int:
    return int((cents * rate).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def forecasts(rows: Iterable[Amounts], probabilities: Mapping[str, int]) -> list[Forecast]:
    """The sums of each currency, the largest target first."""
    sums: dict[str, dict[str, int]] = {}
    for row in rows:
        into = sums.setdefault(
            row.currency, dict.fromkeys(Forecast.__dataclass_fields__.keys() - {"currency"}, 0)
        )
        into["count"] += row.count
        into["target_cents"] += row.target_cents
        if row.state != OPEN:
            for name in ("forecast_cents", "weighted_cents", "low_cents", "high_cents"):
                into[name] += row.kept_cents
            into["final_cents"] += row.final_cents
            into["lost_cents"] += row.target_cents - row.kept_cents
            continue
        into["open_count"] += row.count
        into["forecast_cents"] += row.forecast_cents
        into["weighted_cents"] += row.forecast_cents * probabilities[row.category] // 100
        into["low_cents"] += row.forecast_cents if row.category == COMMIT else 0
        into["high_cents"] += row.target_cents if row.category != LOST else 0
        if row.at_risk:
            into["at_risk_cents"] += row.target_cents
            into["at_risk_count"] += row.count
    found = [Forecast(currency=currency, **values) for currency, values in sums.items()]
    return sorted(found, key=lambda one: (-one.target_cents, one.currency))
