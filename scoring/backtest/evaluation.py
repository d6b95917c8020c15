"""The figures of a backtest from its cases. Pure; scikit-learn and pandas are imported where they are used."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoring.bands import HIGH, LOW, MIDDLE, UNKNOWN
from scoring.engine import ModelSpec
from scoring.scales import Array

from .calibration import calibration
from .cases import LONG_SILENT, Cases
from .intervals import (
    SEED,
    Figure,
    Ranking,
    Statistic,
    bootstrap,
    figure,
    plain,
    resamples,
    rounds_for,
    share_figure,
    span,
)
from .learning import classes
from .parameters import Refusal, Settled
from .weights import suggestion

MIN_OUTCOMES = 10  # fewer cases with or without the outcome say nothing
SKILL, NO_EVIDENCE, WRONG_WAY = "skill", "none", "wrong"
BETTER, SAME, WORSE = "better", "same", "worse"
GAIN_STEPS = 20
SURE = 0.99  # interval of the verdict


def evaluate(cases: Cases, spec: ModelSpec, settled: Settled) -> dict[str, Any]:
    """Everything that is shown; raises `Refusal` where there is too little to say anything."""
    scored = cases.scored()
    _check(cases, scored)
    unscored = _unscored(cases)
    del cases  # of hundreds of thousands of cases two copies are too many
    sign = 1.0 if settled.good else -1.0
    risks = {"score": sign * scored.score, **_baselines(scored, sign)}
    rankings = {name: Ranking(scored.on, risk, scored.outcome) for name, risk in risks.items()}
    statistics: dict[str, Statistic] = {name: ranking.auc for name, ranking in rankings.items()}
    statistics["bands"] = _band_statistic(scored)
    point, samples = bootstrap(scored.account, statistics)
    auc = figure(float(point["score"][0]), samples["score"][:, 0], len(scored))
    # Weights may follow from this verdict: chance must not earn it one time in twenty.
    low, high = span(samples["score"][:, 0], SURE)
    auc |= {"sure_low": plain(low), "sure_high": plain(high)}
    skill = verdict(low, high)
    n_outcomes, _ = classes(scored.outcome)
    found: dict[str, Any] = {
        "cases": len(scored),
        "accounts": len(np.unique(scored.account)),
        "outcomes": n_outcomes,
        "accounts_with_outcome": len(np.unique(scored.account[scored.outcome])),
        "unscored": unscored,
        "auc": auc,
        "verdict": skill,
        "baselines": [
            {
                "name": name,
                "auc": figure(float(point[name][0]), samples[name][:, 0], len(scored)),
                **_difference(point, samples, name, len(scored)),
            }
            for name in risks
            if name != "score"
        ],
        "dates": _dates(scored, settled, risks["score"], rankings["score"]),
        "bands": _bands(scored, point["bands"], samples["bands"]),
        "base_rate": share_figure(
            float(scored.outcome.mean()), samples["bands"][:, -1], len(scored), len(np.unique(scored.account))
        ),
        "components": _components(scored, spec, sign),
        "found": {name: _found_by(scored, risk) for name, risk in risks.items()},
        "lead_time": None if settled.good else _lead_time(scored),
    }
    found["calibration"] = calibration(scored, settled.horizon_days, good=settled.good)
    if skill == SKILL:
        found["weights"] = suggestion(scored, spec, settled.horizon_days, good=settled.good)
    else:
        found["weights"] = {"state": "no_skill"}
        found["calibration"] |= {"curve": None, "later": None, "levels": []}
    return found


def _check(cases: Cases, scored: Cases) -> None:
    if not len(cases):
        raise Refusal("no_accounts")
    if not len(scored):
        raise Refusal("no_scores", cases=len(cases))
    positive, negative = classes(scored.outcome)
    if not positive:
        raise Refusal("no_outcomes", cases=len(scored))
    if not negative:
        raise Refusal("all_outcomes", cases=len(scored))
    if min(positive, negative) < MIN_OUTCOMES:
        raise Refusal("few", outcomes=positive, others=negative, least=MIN_OUTCOMES)
    if not set(scored.on[scored.outcome]) & set(scored.on[~scored.outcome]):
        raise Refusal("no_pairs")


def verdict(low: float | None, high: float | None) -> str:
    """Skill only where the whole interval lies above a half."""
    if low is not None and low > 0.5:
        return SKILL
    if high is not None and high < 0.5:
        return WRONG_WAY
    return NO_EVIDENCE


def comparison(difference: Figure) -> str:
    """Better or worse only where the whole interval of the difference says so."""
    low, high = difference["low"], difference["high"]
    if low is not None and low > 0:
        return BETTER
    if high is not None and high < 0:
        return WORSE
    return SAME


def _baselines(cases: Cases, sign: float) -> dict[str, Array]:
    """What anybody could say without a score, on the same cases."""
    found = {}
    if not np.isnan(cases.recency).all():
        silent = np.where(np.isnan(cases.recency), LONG_SILENT, cases.recency)
        found["recency"] = -sign * silent
    if not np.isnan(cases.events).all():
        found["events"] = sign * np.nan_to_num(cases.events)
    return found


def _difference(point: dict[str, Array], samples: dict[str, Array], name: str, n: int) -> dict[str, Any]:
    made = figure(float(point["score"][0] - point[name][0]), samples["score"][:, 0] - samples[name][:, 0], n)
    return {"difference": made, "verdict": comparison(made)}


def _unscored(cases: Cases) -> dict[str, int]:
    without = np.isnan(cases.score) | (cases.band == UNKNOWN)
    return {"cases": int(without.sum()), "outcomes": int(cases.outcome[without].sum())}


def _dates(cases: Cases, settled: Settled, risk: Array, ranking: Ranking) -> list[dict[str, Any]]:
    """Each date by itself: n, outcomes and AUC with its interval (accounts appear once a date)."""
    from sklearn.metrics import roc_auc_score

    drawn = []
    for weights in resamples(cases.account, rounds_for(len(cases)), SEED + 1):
        good, pairs = ranking.by_date(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn.append(np.where(pairs > 0, good / pairs, np.nan))
    samples = np.array(drawn)
    found = []
    places = {int(day): place for place, day in enumerate(ranking.dates)}
    nothing = np.full(len(samples), np.nan)
    for day in settled.dates:
        inside = cases.on == day.toordinal()
        outcome = cases.outcome[inside]
        value = float("nan")
        place = places.get(day.toordinal())
        if 0 < outcome.sum() < len(outcome):
            value = float(roc_auc_score(outcome, risk[inside]))
        found.append(
            {
                "on": day.isoformat(),
                "n": int(inside.sum()),
                "outcomes": int(outcome.sum()),
                "auc": figure(value, nothing if place is None else samples[:, place], int(inside.sum())),
            }
        )
    return found


BANDS = (LOW, MIDDLE, HIGH)


def _band_statistic(cases: Cases) -> Statistic:
    """Per band the share with the outcome, the share of all outcomes and the lift; the base rate last."""
    outcome = cases.outcome.astype(np.float64)

    def rates(weights: Array) -> Array:
        size = np.bincount(cases.band, weights, 4)[1:]
        hits = np.bincount(cases.band, weights * outcome, 4)[1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, base = hits / size, hits.sum() / size.sum()
            return np.concatenate([precision, hits / hits.sum(), precision / base, [base]])

    return rates


def _bands(cases: Cases, point: Array, samples: Array) -> list[dict[str, Any]]:
    found = []
    count, outcomes = len(BANDS), int(cases.outcome.sum())
    for place, band in enumerate(BANDS):
        inside = cases.band == band
        n, hits = int(inside.sum()), int(cases.outcome[inside].sum())
        accounts = len(np.unique(cases.account[inside]))
        with_outcome = len(np.unique(cases.account[cases.outcome]))
        found.append(
            {
                "band": band,
                "n": n,
                "outcomes": hits,
                "precision": share_figure(float(point[place]), samples[:, place], n, accounts),
                "recall": share_figure(
                    float(point[count + place]), samples[:, count + place], outcomes, with_outcome
                ),
                "lift": figure(float(point[2 * count + place]), samples[:, 2 * count + place], n),
            }
        )
    return found


def _components(cases: Cases, spec: ModelSpec, sign: float) -> list[dict[str, Any]]:
    """Each component alone, on the cases that have it; one whose interval lies below a half has the wrong sign."""
    found = []
    for column, part in enumerate(spec.components):
        there = ~np.isnan(cases.values[:, column])
        positive, negative = classes(cases.outcome[there])
        row: dict[str, Any] = {
            "key": part.key,
            "name": part.name,
            "weight": part.weight,
            "n": int(there.sum()),
            "auc": None,
            "verdict": None,
        }
        if min(positive, negative) >= MIN_OUTCOMES:
            risk = sign * cases.values[there, column]
            ranking = Ranking(cases.on[there], risk, cases.outcome[there])
            point, samples = bootstrap(cases.account[there], {"auc": ranking.auc})
            row["auc"] = figure(float(point["auc"][0]), samples["auc"][:, 0], row["n"])
            row["verdict"] = verdict(row["auc"]["low"], row["auc"]["high"])
        found.append(row)
    return found


def _found_by(cases: Cases, risk: Array) -> list[float | None]:
    """The share of all outcomes among the riskiest 5, 10, … 100 % of each date's accounts; ties share."""
    import pandas as pd

    table = pd.DataFrame({"on": cases.on, "risk": -risk, "outcome": cases.outcome})
    grouped = table.groupby("on")["risk"]
    above, upto = grouped.rank(method="min") - 1, grouped.rank(method="max")
    size = grouped.transform("size")
    total = float(cases.outcome.sum())
    found: list[float | None] = []
    for step in range(GAIN_STEPS + 1):
        depth = size * step / GAIN_STEPS
        # Of accounts with the same risk, as many are looked at as there is room for.
        part = ((depth - above) / (upto - above)).clip(0.0, 1.0)
        found.append(plain(float((part * table["outcome"]).sum()) / total))
    return found


def _lead_time(cases: Cases) -> dict[str, Any] | None:
    """Days from the first of the unbroken worst-band dates to the outcome, of the accounts that were in it by then."""
    order = np.lexsort((cases.on, cases.account))
    account, on = cases.account[order], cases.on[order]
    low, outcome, outcome_on = cases.band[order] == LOW, cases.outcome[order], cases.outcome_on[order]
    begins: dict[int, int] = {}
    leads: dict[int, int] = {}
    done: set[int] = set()
    for row in range(len(order)):
        who = int(account[row])
        if who in done:
            continue
        if low[row]:
            begins.setdefault(who, int(on[row]))
        else:
            begins.pop(who, None)
        if outcome[row]:
            done.add(who)
            if who in begins:
                leads[who] = int(outcome_on[row]) - begins[who]
    if not leads:
        return None
    days = np.array(sorted(leads.values()), dtype=np.float64)
    rng = np.random.default_rng(SEED)
    medians = np.array([np.median(rng.choice(days, len(days))) for _ in range(rounds_for(len(days)))])
    low_end, high_end = span(medians)
    return {
        "value": plain(float(np.median(days))),
        "low": plain(low_end),
        "high": plain(high_end),
        "n": len(days),
        "of": len(done),
        "quarter": plain(float(np.percentile(days, 25))),
        "three_quarters": plain(float(np.percentile(days, 75))),
    }
