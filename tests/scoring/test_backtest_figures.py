"""The figures of a backtest on cases whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from scoring.backtest.calibration import fit_curve
from scoring.backtest.evaluation import evaluate
from scoring.backtest.intervals import Ranking, resamples, wilson
from scoring.backtest.learning import forward_folds
from scoring.backtest.parameters import Refusal
from scoring.backtest.weights import fit_shares, whole_weights
from tests.scoring.made_cases import cases, model, settled

SPEC = model(40, 35, 25)
PLAN = settled()


def test_the_auc_is_the_one_of_scikit_learn_weighted_and_tied() -> None:
    rng = np.random.default_rng(3)
    risk, outcome = rng.integers(0, 12, 500).astype(float), rng.uniform(size=500) < 0.3
    weights = rng.integers(0, 4, 500).astype(float)
    one_day = Ranking(np.zeros(500, dtype=np.int64), risk, outcome)
    assert one_day.auc(weights)[0] == pytest.approx(roc_auc_score(outcome, risk, sample_weight=weights))
    on = rng.integers(0, 4, 500)
    total = pairs = 0.0
    for day in range(4):
        own = on == day
        n = outcome[own].sum() * (~outcome[own]).sum()
        total, pairs = total + n * roc_auc_score(outcome[own], risk[own]), pairs + n
    assert Ranking(on, risk, outcome).auc(np.ones(500))[0] == pytest.approx(total / pairs)


def test_a_trend_over_time_earns_nothing() -> None:
    on = np.repeat([1, 2], 100)
    outcome = np.tile(np.arange(100) % 2 == 0, 2)
    outcome[100:] |= np.arange(100) % 4 == 1  # more of them leave later
    assert Ranking(on, on.astype(float), outcome).auc(np.ones(200))[0] == 0.5
    assert roc_auc_score(outcome, on) > 0.6


def test_whole_accounts_are_drawn() -> None:
    accounts = np.array([7, 7, 9, 9, 9, 4])
    for weights in resamples(accounts, 20):
        assert weights[0] == weights[1]
        assert weights[2] == weights[3] == weights[4]
    assert len({tuple(weights) for weights in resamples(accounts, 20)}) > 3
    assert [tuple(w) for w in resamples(accounts, 3)] == [tuple(w) for w in resamples(accounts, 3)]


def test_wilson_of_nothing_and_of_all() -> None:
    low, high = wilson(0, 20)
    assert low == pytest.approx(0) and high == pytest.approx(0.161, abs=0.001)
    assert wilson(0, 0) == (None, None)


def test_a_score_that_knows_something_is_said_to() -> None:
    found = evaluate(cases(PLAN, SPEC, (3.0, 2.0, 0.0)), SPEC, PLAN)
    assert found["verdict"] == "skill"
    assert found["auc"]["low"] > 0.6
    assert {row["name"]: row["verdict"] for row in found["baselines"]} == {
        "recency": "better",
        "events": "better",
    }
    assert [row["verdict"] for row in found["components"]] == ["skill", "skill", "none"]
    rates = [row["precision"]["value"] for row in found["bands"]]
    assert rates == sorted(rates, reverse=True)
    assert sum(row["n"] for row in found["bands"]) == found["cases"] == 1200
    assert sum(row["recall"]["value"] for row in found["bands"]) == pytest.approx(1.0, abs=1e-5)
    assert found["found"]["score"][0] == 0.0 and found["found"]["score"][-1] == 1.0
    assert all(a <= b for a, b in zip(found["found"]["score"], found["found"]["score"][1:], strict=False))
    assert found["calibration"]["curve"]["method"] == "isotonic"
    assert (
        found["calibration"]["later"]["calibrated"]["value"] < found["calibration"]["later"]["raw"]["value"]
    )
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("seed", range(8))
def test_labels_shuffled_at_random_show_no_evidence_and_suggest_nothing(seed: int) -> None:
    true = cases(PLAN, SPEC, (3.0, 2.0, 1.0))
    assert evaluate(true, SPEC, PLAN)["verdict"] == "skill"
    shuffled = replace(true, outcome=np.random.default_rng(seed).permutation(true.outcome))
    found = evaluate(shuffled, SPEC, PLAN)
    assert found["verdict"] == "none"
    assert found["weights"] == {"state": "no_skill"}
    assert found["calibration"]["curve"] is None
    assert found["auc"]["sure_low"] < 0.5 < found["auc"]["sure_high"]


def test_a_component_with_the_wrong_sign_is_flagged() -> None:
    found = evaluate(cases(PLAN, SPEC, (-3.0, 4.0, 0.0)), SPEC, PLAN)
    assert [row["verdict"] for row in found["components"]] == ["wrong", "skill", "none"]
    if found["weights"]["state"] == "suggested":
        assert found["weights"]["weights"][0]["suggested"] == 0


def test_a_score_that_points_the_wrong_way_is_said_to() -> None:
    found = evaluate(cases(PLAN, SPEC, (-3.0, -2.0, 0.0)), SPEC, PLAN)
    assert (found["verdict"], found["weights"]["state"]) == ("wrong", "no_skill")


def test_before_a_good_outcome_a_high_score_is_right() -> None:
    plan = settled(outcome="conversion")
    found = evaluate(cases(plan, SPEC, (-3.0, -2.0, 0.0)), SPEC, plan)
    assert (found["verdict"], found["lead_time"]) == ("skill", None)
    points = found["calibration"]["curve"]["points"]
    assert points[0][1] < points[-1][1]


def test_suggested_weights_help_where_the_model_is_wrong_and_are_never_negative() -> None:
    spec = model(10, 80, 10)
    found = evaluate(cases(PLAN, spec, (4.0, 0.4, -2.0), accounts=300), spec, PLAN)["weights"]
    assert found["state"] == "suggested"
    suggested = {row["key"]: row["suggested"] for row in found["weights"]}
    assert suggested["a"] > 70 and suggested["c"] == 0
    assert sum(suggested.values()) == 100
    assert found["gain"]["low"] > 0.05


def test_few_outcomes_suggest_nothing_and_use_platt() -> None:
    rare = cases(PLAN, SPEC, (4.0, 3.0, 2.0), accounts=120, base=-3.5)
    assert 50 <= rare.outcome.sum() < 200
    found = evaluate(rare, SPEC, PLAN)
    assert found["calibration"]["curve"]["method"] == "platt"
    rarer = cases(PLAN, SPEC, (4.0, 3.0, 2.0), accounts=60, base=-4.0)
    assert 10 <= rarer.outcome.sum() < 50
    found = evaluate(rarer, SPEC, PLAN)
    assert found["calibration"]["curve"] is None
    assert found["weights"]["state"] == "few"


def test_what_is_missing_in_most_cases_keeps_its_weight() -> None:
    made = cases(PLAN, SPEC, (3.0, 2.0, 0.5))
    values = made.values.copy()
    values[:, 2] = np.nan
    shares = fit_shares(values, made.outcome, good=False)
    assert shares is not None and set(shares) == {0, 1}
    weights = whole_weights(SPEC, shares)
    assert weights[2] == 25
    assert weights[0] + weights[1] == 75 and min(weights) >= 0


def test_learning_looks_neither_ahead_nor_at_the_accounts_it_is_judged_by() -> None:
    plan = settled(8, step=30)
    made = cases(plan, SPEC, (1.0, 1.0, 1.0), accounts=50)
    seen = []
    for learn, judge in forward_folds(made, plan.horizon_days):
        assert made.on[learn].max() + plan.horizon_days <= made.on[judge].min()
        assert not set(made.account[learn]) & set(made.account[judge])
        seen += judge.tolist()
    assert len(seen) == len(set(seen)) == 50 * 2


def test_a_probability_never_rises_with_the_score() -> None:
    made = cases(PLAN, SPEC, (2.0, 2.0, 2.0))
    curve = fit_curve(made.score, made.outcome, good=False)
    assert curve is not None
    chances = curve.probability(np.linspace(0, 100, 200))
    assert (np.diff(chances) <= 1e-12).all()
    assert chances[0] > 0.7 > 0.3 > chances[-1]


def test_lead_time_counts_from_the_first_date_of_an_unbroken_run() -> None:
    plan = settled(3)
    made = cases(plan, SPEC, (1.0, 1.0, 1.0), accounts=30)
    band, outcome = np.full(90, 3), np.zeros(90, dtype=bool)
    band[[0, 30, 60]] = 1, 1, 1  # account 0: in the worst band on all dates
    band[[1, 61]] = 1, 1  # account 1: out of it on the second date
    outcome[60:75] = True
    found = evaluate(replace(made, band=band, outcome=outcome), SPEC, plan)["lead_time"]
    assert (found["n"], found["of"]) == (2, 15)
    assert found["value"] == (90 + 90 + 182) / 2


@pytest.mark.parametrize(
    ("share", "code"), [(0.0, "no_outcomes"), (1.0, "all_outcomes"), (0.004, "few"), (None, "no_scores")]
)
def test_too_little_is_refused(share: float | None, code: str) -> None:
    made = cases(PLAN, SPEC, (1.0, 1.0, 1.0))
    outcome = np.arange(len(made)) < (share or 0) * len(made)
    made = replace(made, outcome=outcome)
    if share is None:
        made = replace(made, score=np.full(len(made), np.nan))
    with pytest.raises(Refusal) as caught:
        evaluate(made, SPEC, PLAN)
    assert caught.value.code == code


def test_no_cases_are_refused() -> None:
    made = cases(PLAN, SPEC, (1.0, 1.0, 1.0))
    with pytest.raises(Refusal) as caught:
        evaluate(made.pick(np.zeros(len(made), dtype=bool)), SPEC, PLAN)
    assert caught.value.code == "no_accounts"
