"""When a rule fires and when its alert may resolve, for all accounts at once.

Pure: arrays in (one row per account, NaN = not known), two masks out. Between firing and clearing lies a stretch in which an
open alert stays open and none is opened; what is not known never fires and never clears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
TOLERANCE = 1e-9  # of the bound: 0.6 × 100 must count as 60


@dataclass(frozen=True)
class Outcome:
    """Where the rule fires and where its alert may resolve; never both."""

    fires: Mask
    clears: Mask


def under(value: Array, bound: Array) -> Mask:
    """Strictly under the bound; exactly on it is not. False where either is not known."""
    return value < bound - TOLERANCE * np.maximum(1.0, np.abs(bound))


def reaches(value: Array, bound: Array) -> Mask:
    """On the bound or over it. False where either is not known."""
    return value >= bound - TOLERANCE * np.maximum(1.0, np.abs(bound))


def usage_under_target(
    weeks: Array, recent: Array, targets: Array, *, below: float, resolve_at: float
) -> tuple[Outcome, Mask]:
    """Every one of the weeks under `below` × target, for any metric that has one.

    `weeks` is accounts × metrics × weeks, `recent` (the last seven days) and `targets` accounts × metrics. Clears when every
    metric with a target is back at `resolve_at` × target, or none has one any more. The second answer says which metrics
    fire.
    """
    known = ~np.isnan(recent) | ~np.isnan(weeks).all(axis=2)
    applies = (np.nan_to_num(targets) > 0) & known
    low = applies & under(weeks, (below * targets)[:, :, None]).all(axis=2)
    back = reaches(recent, resolve_at * targets)
    has_target = np.asarray((np.nan_to_num(targets) > 0).any(axis=1))
    all_back = np.asarray((back | ~applies).all(axis=1)) & np.asarray(applies.any(axis=1))
    clears = ~has_target | all_back
    low &= ~clears[:, None]
    return Outcome(np.asarray(low.any(axis=1)), clears), low


def rate_falling(
    week: tuple[Array, Array],
    baseline: tuple[Array, Array],
    *,
    below: float,
    min_volume: float,
    resolve_at: float,
) -> tuple[Outcome, Array, Array]:
    """The week's ratio under `below` × the pooled ratio of the baseline, with at least `min_volume` in the week.

    Each pair is (numerator, denominator) over its whole window. Also answers the two ratios.
    """
    rate, before = ratio(*week), ratio(*baseline)
    enough = reaches(week[1], np.full(week[1].shape, min_volume))
    fires = enough & under(rate, below * before)
    clears = enough & reaches(rate, resolve_at * before)
    return Outcome(fires, clears), rate, before


def ratio(numerator: Array, denominator: Array) -> Array:
    """Sum ÷ sum, not known without a denominator."""
    known = np.nan_to_num(denominator) > 0
    shares: Array = np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=known)
    return shares


def too_little(value: Array, in_grace: Mask, *, minimum: float) -> Outcome:
    """Under the minimum and out of the grace that starts with go-live."""
    bound = np.full(value.shape, minimum)
    return Outcome(under(value, bound) & ~in_grace, reaches(value, bound))


def waits_too_long(hours: Array, *, limit: float) -> Mask:
    """Open for more than the limit; exactly the limit is not too long."""
    return hours > limit + TOLERANCE


def health_dropped(
    score: Array, before: Array, band: Array, band_before: Array, *, points: float, worse_band: bool
) -> Mask:
    """A fall of at least `points`, or a worse band; bands 0 (unknown) are compared with nothing."""
    known = (np.nan_to_num(band) > 0) & (np.nan_to_num(band_before) > 0)
    fell = np.round(before - score, 6) >= points  # scores are rounded to 1e-6; their difference must be, too
    return known & (fell | (worse_band & (band < band_before)))


def health_recovered(
    score: Array, before: Array, band: Array, band_before: Array, comparable: Mask, *, within: float
) -> Mask:
    """No worse band than before the drop and, where both scores are of one version, within some points of it."""
    near = np.round(before - score, 6) <= within
    return (np.nan_to_num(band) >= band_before) & (near | ~comparable) & (np.nan_to_num(band) > 0)
