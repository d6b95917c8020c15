"""Weights fitted to what happened: L2 logistic regression on the components, none of them negative. Pure.

A component whose fitted sign is wrong is left out and the rest fitted again, until all point the right way. What cannot be
judged (a component that is missing in most cases) keeps its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scoring.engine import ModelSpec, combine
from scoring.scales import Array

from .cases import Cases, Flags
from .intervals import Ranking, bootstrap, figure
from .learning import classes, enough, held_out

MOSTLY_PRESENT = 0.5
FLAT = 1e-9


def usable(values: Array) -> list[int]:
    """Components that most cases have and that differ between them."""
    found = []
    for column in range(values.shape[1]):
        there = values[~np.isnan(values[:, column]), column]
        if len(there) >= MOSTLY_PRESENT * len(values) and len(there) and float(there.std()) > FLAT:
            found.append(column)
    return found


def fit_shares(values: Array, outcome: Flags, *, good: bool) -> dict[int, float] | None:
    """What part of the weight each usable component should have; None where none points the right way."""
    from sklearn.linear_model import LogisticRegression

    kept = usable(values)
    if not kept or not enough(outcome):
        return None
    scaled = values[:, kept]  # a copy, the only one: there may be a million rows
    means, spreads = np.nanmean(scaled, axis=0), np.nanstd(scaled, axis=0)
    np.copyto(scaled, means, where=np.isnan(scaled))
    scaled -= means
    scaled /= spreads
    left = list(range(len(kept)))
    while left:
        fitted = LogisticRegression().fit(scaled[:, left], outcome)
        helps = fitted.coef_[0] / spreads[left] * (1.0 if good else -1.0)
        if (helps >= 0).all():
            break
        left = [column for column, help_ in zip(left, helps, strict=True) if help_ >= 0]
    if not left or not helps.sum() > 0:
        return None
    found = dict.fromkeys(kept, 0.0)
    found |= {kept[column]: float(help_ / helps.sum()) for column, help_ in zip(left, helps, strict=True)}
    return found


def whole_weights(spec: ModelSpec, shares: dict[int, float]) -> list[float]:
    """Whole numbers that add up to what they did before; components that were not fitted keep theirs."""
    weights = [component.weight for component in spec.components]
    total = sum(weights[column] for column in shares)
    wanted = {column: share * total for column, share in shares.items()}
    given = {column: float(int(weight)) for column, weight in wanted.items()}
    rest = round(total - sum(given.values()), 6)
    for column in sorted(wanted, key=lambda column: (given[column] - wanted[column], column)):
        if rest <= 0:
            break
        given[column] += min(1.0, rest)
        rest = round(rest - 1.0, 6)
    return [given.get(column, weight) for column, weight in enumerate(weights)]


def with_weights(spec: ModelSpec, weights: Sequence[float]) -> ModelSpec:
    """The same model with other weights."""
    parts = zip(spec.components, weights, strict=True)
    return replace(spec, components=tuple(replace(part, weight=weight) for part, weight in parts))


def suggestion(cases: Cases, spec: ModelSpec, horizon_days: int, *, good: bool) -> dict[str, Any]:
    """Fitted weights with their gain on later dates of other accounts, or the reason why there are none."""
    positive, negative = classes(cases.outcome)
    if not enough(cases.outcome):
        return {"state": "few", "outcomes": positive, "others": negative}
    shares = fit_shares(cases.values, cases.outcome, good=good)
    if shares is None:
        return {"state": "no_direction"}
    if len(shares) < 2:
        return {"state": "one_component"}

    def learnt(earlier: Cases, later: Cases) -> Array | None:
        found = fit_shares(earlier.values, earlier.outcome, good=good)
        if found is None:
            return None
        return combine(with_weights(spec, whole_weights(spec, found)), later.values).score

    judged = held_out(cases, horizon_days, learnt)
    if judged is None:
        return {"state": "no_later_dates"}
    rows, scores = judged
    later = cases.pick(rows)
    sign = 1.0 if good else -1.0
    # By the same arithmetic as the new ones: exceptions and policies of single measures are not what is compared.
    old = Ranking(later.on, sign * combine(spec, later.values).score, later.outcome)
    new = Ranking(later.on, sign * scores, later.outcome)
    point, samples = bootstrap(
        later.account,
        {"old": old.auc, "new": new.auc, "gain": lambda weights: new.auc(weights) - old.auc(weights)},
    )
    weights = whole_weights(spec, shares)
    made = {name: figure(float(point[name][0]), samples[name][:, 0], len(later)) for name in point}
    return {
        "state": "worse" if (made["gain"]["high"] or 0.0) < 0 else "suggested",
        "weights": [
            {
                "key": part.key,
                "name": part.name,
                "now": part.weight,
                "suggested": weight,
                "fitted": column in shares,
            }
            for column, (part, weight) in enumerate(zip(spec.components, weights, strict=True))
        ],
        **made,
    }
