"""What is learnt from the cases is judged on later dates and other accounts. Pure.

A date may be learnt from only if all that follows it was known before the first date that is judged: its days after must
have ended by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scoring.scales import Array

from .cases import Cases, Flags
from .intervals import SEED

FOLDS = 5
LATER_SHARE = 3  # the last third of the dates is judged
MIN_OF_EACH = 50  # cases with and without the outcome that a fit needs
ENOUGH_FOR_ISOTONIC = 200

Rows: TypeAlias = NDArray[np.intp]


def classes(outcome: Flags) -> tuple[int, int]:
    """How many cases have the outcome, and how many have not."""
    positive = int(outcome.sum())
    return positive, len(outcome) - positive


def enough(outcome: Flags) -> bool:
    """Whether there are enough cases of both kinds to fit anything."""
    return min(classes(outcome)) >= MIN_OF_EACH


def forward_folds(cases: Cases, horizon_days: int) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of rows: to learn from (earlier dates, other accounts) and to judge (later dates, these accounts)."""
    dates = cases.dates
    if len(dates) < 2:
        return
    first_judged = dates[-max(1, len(dates) // LATER_SHARE)]
    earlier, later = cases.on + horizon_days <= first_judged, cases.on >= first_judged
    known, place = np.unique(cases.account, return_inverse=True)
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(known))[place]
    for number in range(FOLDS):
        learn = np.flatnonzero(earlier & (fold != number))
        judge = np.flatnonzero(later & (fold == number))
        if len(judge):
            yield learn, judge


def held_out(
    cases: Cases, horizon_days: int, predict: Callable[[Cases, Cases], Array | None]
) -> tuple[Rows, Array] | None:
    """Predictions for the later cases, each by what was learnt from earlier dates of other accounts.

    None where some fold had too little to learn from.
    """
    rows: list[Rows] = []
    predictions: list[Array] = []
    for learn, judge in forward_folds(cases, horizon_days):
        earlier = cases.pick(learn)
        made = predict(earlier, cases.pick(judge)) if enough(earlier.outcome) else None
        if made is None:
            return None
        rows.append(judge)
        predictions.append(made)
    if not rows:
        return None
    return np.concatenate(rows), np.concatenate(predictions)
