"""Scales proposed from what a tenant's own accounts do. Pure.

The curve is drawn through quantiles of the accounts that have anything of the measure: silence scores 0 (or 100 where less
is better) and the tenant's own middle lies between the thresholds. What is proposed is frozen with the version it is
published in, so a score can be computed again later.
"""

from __future__ import annotations

import numpy as np

from .scales import Array, Percentile, Piecewise, Segments
from .scales.percentile import SEGMENT, TENANT

MIN_ACCOUNTS = 30  # fewer peers make no distribution
MIN_HISTORY_DAYS = 28
MAX_PEERS_KEPT = 201  # every half percent of a distribution
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


def thinned(values: Array) -> Array:
    """The known values, rising; of very many evenly spaced ones, the smallest and the largest among them."""
    known = np.sort(_known(values))
    if known.size > MAX_PEERS_KEPT:
        known = known[np.linspace(0, known.size - 1, MAX_PEERS_KEPT).round().astype(int)]
    return known


def propose_reference(
    values: Array, *, segments: Segments | None = None, higher_is_better: bool = True
) -> Percentile | None:
    """A percentile scale with these peers, also by segment if asked; None with fewer than 30 of them.

    A segment with fewer than 30 peers gets no distribution of its own: its accounts are ranked among all.
    """
    everybody = _known(values)
    if everybody.size < MIN_ACCOUNTS:
        return None
    own: list[tuple[str, tuple[float, ...]]] = []
    for code, name in enumerate(segments.names if segments else ()):
        assert segments is not None
        known = _known(values[segments.codes == code])
        if name and known.size >= MIN_ACCOUNTS:
            own.append((name, tuple(thinned(known).tolist())))
    return Percentile(
        higher_is_better=higher_is_better,
        peers=SEGMENT if segments else TENANT,
        reference=tuple(thinned(everybody).tolist()),
        segment_references=tuple(own),
    )
