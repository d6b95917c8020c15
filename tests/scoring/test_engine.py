"""The engine against worked examples, policies, and the slow oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scoring import scales
from scoring.bands import Bands
from scoring.engine import (
    ComponentSpec,
    MeasureSpec,
    ModelSpec,
    SpecError,
    combine,
    score,
)

NAN = math.nan


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
