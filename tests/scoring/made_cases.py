"""Cases of a backtest made up with a known truth."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from scoring.backtest.cases import Cases
from scoring.backtest.parameters import Settled
from scoring.bands import Bands
from scoring.engine import ComponentSpec, ModelSpec, combine

FIRST = date(2025, 1, 31)


def settled(dates: int = 6, *, outcome: str = "inactivity", horizon: int = 90, step: int = 91) -> Settled:
    """Quarterly dates."""
    return Settled(
        dates=tuple(FIRST + timedelta(days=step * place) for place in range(dates)),
        step_days=step,
        horizon_days=horizon,
        outcome=outcome,
        everyone=False,
        arrival="received",
        scales="published",
        known_on=None,
    )


def model(*weights: float) -> ModelSpec:
    """Components a, b, c … with these weights."""
    parts = [ComponentSpec(chr(97 + n), chr(65 + n), weight) for n, weight in enumerate(weights)]
    return ModelSpec(tuple(parts), Bands("health", 80, 60))


def cases(
    plan: Settled,
    spec: ModelSpec,
    effects: tuple[float, ...],
    *,
    accounts: int = 200,
    base: float = 0.0,
    seed: int = 1,
    missing: float = 0.0,
) -> Cases:
    """Each component a random number; the odds of the outcome fall by `effects` for each 100 points of it."""
    rng = np.random.default_rng(seed)
    count = accounts * len(plan.dates)
    values = rng.uniform(0, 100, (count, len(effects)))
    odds = base - (values - 50) @ np.array(effects) / 100
    outcome = rng.uniform(size=count) < 1 / (1 + np.exp(-odds))
    values[rng.uniform(size=values.shape) < missing] = np.nan
    scores = combine(spec, values)
    on = np.repeat([day.toordinal() for day in plan.dates], accounts).astype(np.int64)
    return Cases(
        account=np.tile(np.arange(accounts, dtype=np.int64), len(plan.dates)),
        on=on,
        score=scores.score,
        published=scores.score,
        band=scores.band.astype(np.int64),
        values=scores.values,
        recency=rng.integers(0, 90, count).astype(np.float64),
        events=rng.integers(0, 50, count).astype(np.float64),
        outcome=outcome,
        outcome_on=on + plan.horizon_days,
    )
