"""Scales proposed from what a tenant's own accounts do. Pure.

The curve is drawn through quantiles of the accounts that have anything of the measure: silence scores 0 (or 100 where less
is better) and the tenant's own middle lies between the thresholds. What is proposed is frozen with the version it is
published in, so a score can be computed again later.
"""

from __future__ import annotations

import numpy as np

from .scales import MAX_REFERENCE, Array, Percentile, Piecewise

MIN_ACCOUNTS = 30  # fewer peers make no distribution
MIN_HISTORY_DAYS = 28
CURVE: tuple[tuple[float, float], ...] = (
    (0.10, 35.0),
    (0.25, 55.0),
    (0.50, 75.0),
    (0.75, 90.0),
    (0.90, 100.0),
)
SIGNIFICANT_DIGITS = 3  # a proposed scale is read by people


def _readable(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _known(values: Array) -> Array:
    flat = np.asarray(values, dtype=np.float64).ravel()
    if np.isinf(flat).any():
        raise ValueError("A raw value is infinite.")
    return flat[~np.isnan(flat)]


def propose_piecewise(values: Array, *, higher_is_better: bool = True) -> Piecewise | None:
    """A curve through the quantiles of the positive values; None where there are too few or they are all alike.

    Equal quantiles become one point that has the best of their scores, so that ties never lose.
    """
    known = _known(values)
    if known.size < MIN_ACCOUNTS:
        return None
    active = known[known > 0]
    if active.size < MIN_ACCOUNTS // 3:
        return None
    best: dict[float, float] = {}
    for share, reached in CURVE:
        at = _readable(float(np.quantile(active, share)))
        grade = reached if higher_is_better else 100.0 - reached
        best[at] = max(best.get(at, 0.0), grade)
    best.pop(0.0, None)
    if len(best) < 2:
        return None
    ends = {0.0: 0.0 if higher_is_better else 100.0}
    return Piecewise(points=tuple(sorted({**ends, **best}.items())))


def propose_reference(values: Array, *, higher_is_better: bool = True) -> Percentile | None:
    """The peers of a percentile scale, thinned evenly where there are very many; None with fewer than 30."""
    known = np.sort(_known(values))
    if known.size < MIN_ACCOUNTS:
        return None
    if known.size > MAX_REFERENCE:
        known = known[np.linspace(0, known.size - 1, MAX_REFERENCE).round().astype(int)]
    return Percentile(reference=tuple(float(value) for value in known), higher_is_better=higher_is_better)
