"""From a score to a probability: isotonic regression, or Platt's curve where outcomes are few. Pure.

The curve is kept as points, so that pages read a probability without scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.scales import Array

from .cases import Cases, Flags
from .intervals import Figure, bootstrap, figure, plain, share_figure
from .learning import ENOUGH_FOR_ISOTONIC, classes, enough, held_out

BINS = 10
ISOTONIC, PLATT = "isotonic", "platt"
CURVE_STEP = 2  # points of Platt's curve, in points of the score


@dataclass(frozen=True)
class Curve:
    """Points (score, probability), scores rising."""

    method: str
    points: tuple[tuple[float, float], ...]

    def probability(self, scores: Array) -> Array:
        """The probability of the outcome for these scores; NaN stays NaN."""
        return np.interp(scores, [x for x, _ in self.points], [y for _, y in self.points])


def fit_curve(scores: Array, outcome: Flags, *, good: bool) -> Curve | None:
    """The curve through these cases, never rising with the score (falling, for a good outcome); None with too few."""
    if not enough(outcome):
        return None
    if classes(outcome)[0] >= ENOUGH_FOR_ISOTONIC:
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(increasing=good, y_min=0.0, y_max=1.0, out_of_bounds="clip")
        fitted.fit(scores, outcome.astype(np.float64))
        pairs = zip(fitted.X_thresholds_, fitted.y_thresholds_, strict=True)
        return Curve(ISOTONIC, tuple((round(float(x), 6), round(float(y), 6)) for x, y in pairs))
    from sklearn.linear_model import LogisticRegression

    platt = LogisticRegression().fit(scores.reshape(-1, 1) / 100.0, outcome)
    slope = float(platt.coef_[0, 0])
    if (slope > 0) != good:
        return None  # the score points the other way: no curve that people would believe
    grid = np.arange(0, 101, CURVE_STEP, dtype=np.float64)
    chance = platt.predict_proba(grid.reshape(-1, 1) / 100.0)[:, 1]
    pairs = zip(grid, chance, strict=True)
    return Curve(PLATT, tuple((float(x), round(float(y), 6)) for x, y in pairs))


def naive_probability(scores: Array, *, good: bool) -> Array:
    """The score taken at its word: 80 of 100 is 20 % likely to leave."""
    return scores / 100.0 if good else 1.0 - scores / 100.0


def calibration_error(cases: Cases, probability: Array) -> tuple[Figure, list[dict[str, Any]]]:
    """The expected calibration error over bins of equal size, and what each bin promised and kept."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="right")
    count = len(edges) + 1
    outcome = cases.outcome.astype(np.float64)

    def gaps(weights: Array) -> Array:
        size = np.bincount(place, weights, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = np.bincount(place, weights * outcome, count) / size
            promised = np.bincount(place, weights * probability, count) / size
        gap = np.where(size > 0, np.abs(kept - promised), 0.0)
        return np.array([(gap * size).sum() / size.sum()])

    def rates(weights: Array) -> Array:
        size = np.bincount(place, weights, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.bincount(place, weights * outcome, count) / size, dtype=np.float64)

    point, samples = bootstrap(cases.account, {"gap": gaps, "rates": rates})
    bins = []
    for number in range(count):
        inside = place == number
        if not inside.any():
            continue
        n, accounts = int(inside.sum()), len(np.unique(cases.account[inside]))
        bins.append(
            {
                "predicted": plain(float(probability[inside].mean())),
                "observed": share_figure(
                    float(point["rates"][number]), samples["rates"][:, number], n, accounts
                ),
            }
        )
    return figure(float(point["gap"][0]), samples["gap"][:, 0], len(cases)), bins


def levels(cases: Cases, curve: Curve) -> list[dict[str, Any]]:
    """Tenths of the cases by score: how often the outcome came, how sure that is, and what the curve says."""
    scores = cases.published
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, scores, side="right")
    count = len(edges) + 1
    outcome = cases.outcome.astype(np.float64)

    def rates(weights: Array) -> Array:
        size = np.bincount(place, weights, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.bincount(place, weights * outcome, count) / size, dtype=np.float64)

    point, samples = bootstrap(cases.account, {"rates": rates})
    chance = curve.probability(scores)
    found = []
    for number in range(count):
        inside = place == number
        if not inside.any():
            continue
        n, accounts = int(inside.sum()), len(np.unique(cases.account[inside]))
        found.append(
            {
                "from": plain(float(scores[inside].min())),
                "to": plain(float(scores[inside].max())),
                "outcomes": int(cases.outcome[inside].sum()),
                "rate": share_figure(float(point["rates"][number]), samples["rates"][:, number], n, accounts),
                "probability": plain(float(chance[inside].mean())),
            }
        )
    return found


def calibration(cases: Cases, horizon_days: int, *, good: bool) -> dict[str, Any]:
    """Raw and calibrated error on later dates of other accounts, and the curve for use from now on."""
    raw, _ = calibration_error(cases, naive_probability(cases.score, good=good))
    found: dict[str, Any] = {"raw": raw, "curve": None, "later": None, "outcomes": classes(cases.outcome)[0]}
    curve = fit_curve(cases.published, cases.outcome, good=good)
    if curve is None:
        return found
    found["curve"] = {"method": curve.method, "points": [list(point) for point in curve.points]}
    found["levels"] = levels(cases, curve)

    def learnt(earlier: Cases, later: Cases) -> Array | None:
        fitted = fit_curve(earlier.score, earlier.outcome, good=good)
        return None if fitted is None else fitted.probability(later.score)

    judged = held_out(cases, horizon_days, learnt)
    if judged is not None:
        rows, probability = judged
        later = cases.pick(rows)
        before, _ = calibration_error(later, naive_probability(later.score, good=good))
        after, bins = calibration_error(later, probability)
        found["later"] = {"raw": before, "calibrated": after, "bins": bins}
    return found
