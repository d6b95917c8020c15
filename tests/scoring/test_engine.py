"""The engine against worked examples, policies, and the slow oracle."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import scales
from scoring.bands import Bands
from scoring.engine import (
    Circumstances,
    ComponentSpec,
    MeasureSpec,
    ModelSpec,
    SpecError,
    combine,
    score,
)
from tests.scoring.oracle import score_account

NAN = math.nan
MODELS = 10_000 if os.environ.get("CS_FULL") else 150


def part(
    key: str, weight: float, missing: str = "exclude", measures: int = 1, combined: str = "mean"
) -> ComponentSpec:
    """A component whose measures are scores already."""
    hold = 7 if missing == "hold" else 0
    columns = tuple(MeasureSpec(f"{key}{n}", scales.Identity()) for n in range(measures))
    return ComponentSpec(key, key, weight, columns, missing, hold, combined)


def plg(**policies: str) -> ModelSpec:
    weights = {"usage": 30, "engagement": 25, "adoption": 20, "support": 15, "payment": 10}
    return ModelSpec(
        tuple(part(key, weight, policies.get(key, "exclude")) for key, weight in weights.items())
    )


def pql() -> ModelSpec:
    weights = {"days_active": 20, "feature_usage": 25, "team_size": 20, "engagement": 15, "signals": 20}
    return ModelSpec(tuple(part(key, weight) for key, weight in weights.items()), Bands("pql", 70, 50))


WORKED = [
    (plg(), [90, 80, 70, 60, 100], 80.0, "at_risk", 1.0),
    (plg(), [90, 80, NAN, 60, 100], 82.5, "healthy", 0.8),
    (plg(), [100, 100, 0, 0, 50], 60.0, "at_risk", 1.0),
    (plg(), [100, 100, 0, 0, 49.9], 59.99, "critical", 1.0),
    (pql(), [80, 60, 75, 50, 90], 71.5, "high", 1.0),
    (pql(), [70, 70, 70, 70, 70], 70.0, "medium", 1.0),
    (pql(), [50, 50, 50, 50, 50], 50.0, "medium", 1.0),
    (pql(), [49, 50, 50, 50, 50], 49.8, "none", 1.0),
]


@pytest.mark.parametrize(("spec", "values", "expected", "band", "coverage"), WORKED)
def test_the_worked_examples_are_exact(
    spec: ModelSpec, values: list[float], expected: float, band: str, coverage: float
) -> None:
    for out in (combine(spec, np.array([values])), score(spec, np.array([values]))):
        assert out.score[0] == expected
        assert spec.bands.name(int(out.band[0])) == band
        assert out.coverage[0] == coverage
        assert math.isclose(float(np.nansum(out.points[0])), expected, abs_tol=1e-6)


def test_the_points_of_the_pql_example_are_those_of_the_specification() -> None:
    out = combine(pql(), np.array([[80.0, 60, 75, 50, 90]]))
    np.testing.assert_array_equal(out.points[0], [16, 15, 15, 7.5, 18])
    np.testing.assert_array_equal(out.effective[0], [20, 25, 20, 15, 20])


def test_a_missing_component_leaves_its_weight_to_the_others() -> None:
    out = combine(plg(), np.array([[90.0, 80, NAN, 60, 100]]))
    np.testing.assert_array_equal(out.missing[0], [False, False, True, False, False])
    np.testing.assert_allclose(out.effective[0], [37.5, 31.25, 0, 18.75, 12.5])
    assert math.isnan(out.points[0][2])


POLICIES = [
    # policy, held value, expected score, coverage
    ("exclude", 90.0, 82.5, 0.8),
    ("zero", 90.0, 66.0, 0.8),
    ("neutral", 90.0, 76.0, 0.8),
    ("hold", 90.0, 84.0, 0.8),
    ("hold", NAN, 82.5, 0.8),
]


@pytest.mark.parametrize(("policy", "held", "expected", "coverage"), POLICIES)
def test_each_policy_says_what_a_missing_component_counts(
    policy: str, held: float, expected: float, coverage: float
) -> None:
    raw = np.array([[90.0, 80, NAN, 60, 100]])
    last = np.array([[1.0, 1, held, 1, 1]])
    out = score(plg(adoption=policy), raw, held=last)
    assert (out.score[0], out.coverage[0]) == (expected, coverage)
    assert bool(out.missing[0][2])


@pytest.mark.parametrize("policy", ["exclude", "zero", "neutral", "hold"])
def test_with_nothing_present_there_is_no_score_whatever_the_policy(policy: str) -> None:
    spec = plg(**dict.fromkeys(("usage", "engagement", "adoption", "support", "payment"), policy))
    out = score(spec, np.full((1, 5), NAN), held=np.full((1, 5), 70.0))
    assert math.isnan(out.score[0])
    assert (out.band[0], out.coverage[0]) == (0, 0.0)
    assert np.isnan(out.points).all()


def test_low_coverage_has_a_score_but_no_colour() -> None:
    out = combine(plg(), np.array([[NAN, 100, 100, NAN, NAN], [NAN, 100, 100, NAN, 100]]))
    np.testing.assert_array_equal(out.coverage, [0.45, 0.55])
    np.testing.assert_array_equal(out.score, [100, 100])
    np.testing.assert_array_equal(out.band, [0, 3])


def test_coverage_exactly_at_the_minimum_has_a_band() -> None:
    spec = ModelSpec((part("a", 50), part("b", 50)))
    out = combine(spec, np.array([[90.0, NAN]]))
    assert (out.coverage[0], out.band[0]) == (0.5, 3)


def test_half_a_component_covers_half_its_weight() -> None:
    spec = ModelSpec((part("a", 60, measures=2), part("b", 40)))
    out = score(spec, np.array([[80.0, NAN, 50.0]]))
    assert out.coverage[0] == pytest.approx(0.7)
    np.testing.assert_array_equal(out.values[0], [80, 50])
    assert out.score[0] == 68.0
    assert not out.missing[0][0]


@pytest.mark.parametrize(("combined", "expected"), [("mean", 60.0), ("min", 20.0), ("max", 90.0)])
def test_measures_combine_as_the_component_says(combined: str, expected: float) -> None:
    spec = ModelSpec((part("a", 100, measures=3, combined=combined),))
    assert score(spec, np.array([[20.0, 70, 90]])).score[0] == expected


@pytest.mark.parametrize(("combined", "expected"), [("min", 70.0), ("max", 90.0)])
def test_a_missing_measure_is_no_minimum(combined: str, expected: float) -> None:
    spec = ModelSpec((part("a", 100, measures=3, combined=combined),))
    assert score(spec, np.array([[NAN, 70, 90]])).score[0] == expected


def test_a_weight_of_nothing_counts_nothing() -> None:
    spec = ModelSpec((part("a", 100), part("b", 0)))
    out = combine(spec, np.array([[80.0, 0.0], [NAN, 50.0]]))
    assert out.score[0] == 80.0
    assert math.isnan(out.score[1])


def test_every_fault_of_a_model_is_reported_at_once() -> None:
    broken = (
        ComponentSpec("a", "A", -1, (MeasureSpec("m", scales.Identity(), 0),), "guess", 0, "median"),
        ComponentSpec("a", "A", 0, (), "hold", 0),
    )
    with pytest.raises(SpecError) as caught:
        ModelSpec(broken, Bands("health", 60, 80), 1.5)
    assert [path for path, _ in caught.value.problems] == [
        "components",
        "components",
        "a.weight",
        "a.missing",
        "a.combine",
        "a.m.weight",
        "a.hold_days",
        "bands",
        "coverage_min",
    ]


def test_a_matrix_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected 5 measures"):
        score(plg(), np.zeros((2, 4)))


values_or_nothing = st.one_of(st.none(), st.floats(-50, 300, width=32), st.integers(0, 200).map(float))


@st.composite
def some_scale(draw: st.DrawFn) -> scales.Scale:
    number = st.integers(0, 200).map(float)
    grade = st.integers(0, 100).map(float)
    xs = sorted(draw(st.sets(number, min_size=2, max_size=5)))
    curve = tuple((x, draw(grade)) for x in xs)
    return draw(
        st.sampled_from(
            [
                scales.Identity(),
                scales.PercentOfTarget(target=draw(st.one_of(st.none(), st.integers(1, 100).map(float)))),
                scales.Linear(worst=xs[0], best=xs[-1]),
                scales.Linear(worst=xs[-1], best=xs[0]),
                scales.Inverse(full_until=xs[0], zero_at=xs[-1]),
                scales.Piecewise(points=curve),
                scales.Steps(steps=curve, below=draw(grade)),
                scales.Percentile(reference=(*xs, xs[-1]), higher_is_better=draw(st.booleans())),
                scales.Change(worst=0.5, best=2.0, same=draw(grade)),
            ]
        )
    )


@st.composite
def some_model(draw: st.DrawFn) -> ModelSpec:
    components = []
    for number in range(draw(st.integers(1, 5))):
        missing = draw(st.sampled_from(["exclude", "zero", "neutral", "hold"]))
        measures = tuple(
            MeasureSpec(f"m{number}_{n}", draw(some_scale()), draw(st.sampled_from([0.5, 1.0, 3.0])))
            for n in range(draw(st.integers(1, 3)))
        )
        weight = float(draw(st.integers(0 if number else 1, 60)))
        how = draw(st.sampled_from(["mean", "min", "max"]))
        components.append(
            ComponentSpec(f"c{number}", "C", weight, measures, missing, 7 * (missing == "hold"), how)
        )
    thresholds = sorted(draw(st.tuples(st.integers(0, 100), st.integers(0, 100))))
    minimum = draw(st.sampled_from([0.0, 0.5, 0.9]))
    return ModelSpec(tuple(components), Bands("health", float(thresholds[1]), float(thresholds[0])), minimum)


def as_array(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[NAN if value is None else value for value in row] for row in rows], dtype=float)


@given(st.data(), some_model())
@settings(max_examples=MODELS, deadline=None)
def test_the_engine_agrees_with_the_slow_oracle(data: st.DataObject, spec: ModelSpec) -> None:
    width = len(spec.measures)
    row = st.lists(values_or_nothing, min_size=width, max_size=width)
    grades = st.lists(st.one_of(st.none(), st.integers(0, 100).map(float)), min_size=width, max_size=width)
    raw = data.draw(st.lists(row, min_size=1, max_size=3))
    targets, held = [data.draw(row) for _ in raw], [data.draw(grades) for _ in raw]
    out = score(spec, as_array(raw), about=Circumstances(as_array(targets)), held=as_array(held))
    for n, account in enumerate(raw):
        slow = score_account(spec, account, targets[n], held[n])
        assert math.isclose(out.coverage[n], slow.coverage, abs_tol=1e-12)
        assert list(out.missing[n]) == slow.missing
        if slow.score is None:
            assert math.isnan(out.score[n])
            assert out.band[n] == 0
            continue
        assert math.isclose(out.score[n], slow.score, abs_tol=1.1e-6)
        assert math.isclose(float(np.nansum(out.points[n])), out.score[n], abs_tol=1e-6)
        np.testing.assert_allclose(out.values[n], as_array([slow.values])[0], atol=1e-9)
        np.testing.assert_allclose(out.points[n], as_array([slow.points])[0], atol=1e-9)
        near = min(abs(slow.score - edge) for edge in (spec.bands.above, spec.bands.below))
        if near > 2e-6 and abs(slow.coverage - spec.coverage_min) > 1e-9:
            assert out.band[n] == slow.band


@given(st.data(), some_model())
@settings(max_examples=MODELS // 5, deadline=None)
def test_the_order_of_accounts_changes_nothing_not_even_a_bit(data: st.DataObject, spec: ModelSpec) -> None:
    width = len(spec.measures)
    rows = as_array(
        data.draw(
            st.lists(st.lists(values_or_nothing, min_size=width, max_size=width), min_size=2, max_size=9)
        )
    )
    order = np.array(data.draw(st.permutations(range(len(rows)))))
    straight, shuffled = score(spec, rows), score(spec, rows[order])
    np.testing.assert_array_equal(straight.score[order], shuffled.score)
    np.testing.assert_array_equal(straight.points[order], shuffled.points)
    alone = score(spec, rows[:1])
    np.testing.assert_array_equal(alone.score, straight.score[:1])


@given(st.lists(st.floats(0, 200), min_size=3, max_size=3), st.integers(0, 2), st.floats(0, 50))
@settings(max_examples=MODELS, deadline=None)
def test_more_of_a_higher_is_better_metric_never_lowers_the_score(
    row: list[float], which: int, more: float
) -> None:
    rising = (
        scales.Linear(0, 150),
        scales.PercentOfTarget(90),
        scales.Piecewise(((0, 0), (20, 70), (80, 100))),
    )
    spec = ModelSpec(
        (
            ComponentSpec("a", "A", 55, (MeasureSpec("m0", rising[0]), MeasureSpec("m1", rising[1], 2.0))),
            ComponentSpec("b", "B", 45, (MeasureSpec("m2", rising[2]),)),
        )
    )
    better = list(row)
    better[which] += more
    assert score(spec, np.array([better])).score[0] >= score(spec, np.array([row])).score[0]
