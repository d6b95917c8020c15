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
    ExceptionSpec,
    MeasureSpec,
    ModelSpec,
    SpecError,
    combine,
    score,
)
from tests.scoring.oracle import Beside, score_account

NAN = math.nan
MODELS = 10_000 if os.environ.get("CS_FULL") else 300


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


SEGMENTS = ("", "enterprise", "smb")
GROWN = scales.Piecewise(points=((0.0, 0.0), (10.0, 100.0)))


KINDS = (
    "identity",
    "target",
    "linear",
    "inverse",
    "curve",
    "steps",
    "peers",
    "daily",
    "change",
    "aims",
    "ages",
)


@st.composite
def some_scale(draw: st.DrawFn) -> scales.Scale:
    kind, grade = draw(st.sampled_from(KINDS)), st.integers(0, 100).map(float)
    if kind == "identity":
        return scales.Identity()
    if kind == "daily":
        return scales.Percentile(peers="segment", reference_of="day")
    if kind == "change":
        return scales.Change(worst=0.5, best=2.0, same=draw(grade))
    if kind == "target":
        return some_targets(draw)
    if kind == "aims":
        return scales.ByTenure(
            ((0, some_targets(draw)), (30, some_targets(draw)), (90, scales.PercentOfTarget()))
        )
    xs = sorted(draw(st.sets(st.integers(0, 200).map(float), min_size=2, max_size=5)))
    if kind == "linear":
        ends = draw(st.sampled_from([(xs[0], xs[-1]), (xs[-1], xs[0])]))
        return scales.Linear(worst=ends[0], best=ends[1])
    if kind == "inverse":
        return scales.Inverse(full_until=xs[0], zero_at=xs[-1])
    if kind == "peers":
        return scales.Percentile(reference=(*xs, xs[-1]), higher_is_better=draw(st.booleans()))
    curve = tuple((x, draw(grade)) for x in xs)
    if kind == "steps":
        return scales.Steps(steps=curve, below=draw(grade))
    if kind == "ages":
        return scales.ByTenure(((0, scales.Piecewise(points=curve)), (draw(st.integers(1, 100)), GROWN)))
    return scales.Piecewise(points=curve)


def some_targets(draw: st.DrawFn) -> scales.PercentOfTarget:
    target = st.one_of(st.none(), st.integers(1, 100).map(float))
    by_segment = draw(st.dictionaries(st.sampled_from(SEGMENTS[1:]), st.integers(1, 100).map(float)))
    return scales.PercentOfTarget(target=draw(target), segment_targets=tuple(sorted(by_segment.items())))


@st.composite
def some_exception(draw: st.DrawFn, measures: int) -> ExceptionSpec:
    return ExceptionSpec(
        "E",
        draw(st.integers(0, measures - 1)),
        draw(st.sampled_from(["<", "<=", "=", ">=", ">"])),
        float(draw(st.integers(0, 120))),
        float(draw(st.integers(0, 100))),
        draw(st.sampled_from(["value", "score"])),
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
    bands = Bands("health", float(thresholds[1]), float(thresholds[0]))
    width = sum(len(component.measures) for component in components)
    exceptions = draw(st.lists(some_exception(width), max_size=3))
    return ModelSpec(tuple(components), bands, minimum, tuple(exceptions))


def as_array(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[NAN if value is None else value for value in row] for row in rows], dtype=float)


PEERS = st.lists(st.integers(0, 200).map(float), max_size=6).map(sorted)


@st.composite
def some_accounts(draw: st.DrawFn, spec: ModelSpec) -> tuple[list[list[float | None]], list[Beside]]:
    """Raw values of a few accounts and what is known beside them; the peers are those of the account's segment."""
    width = len(spec.measures)
    row = st.lists(values_or_nothing, min_size=width, max_size=width)
    raw = draw(st.lists(row, min_size=1, max_size=4))
    peers = {name: draw(PEERS) for name in SEGMENTS}
    ranked = [
        measure.scale == scales.Percentile(peers="segment", reference_of="day") for measure in spec.measures
    ]
    beside = []
    for _ in raw:
        segment = draw(st.sampled_from(SEGMENTS))
        own = [
            list(measure.scale.reference)
            if isinstance(measure.scale, scales.Percentile) and not day
            else peers[segment]
            for measure, day in zip(spec.measures, ranked, strict=True)
        ]
        beside.append(Beside(draw(row), segment, draw(st.integers(-5, 120)), own))
    return raw, beside


def circumstances(spec: ModelSpec, beside: list[Beside]) -> Circumstances:
    """What the oracle is told account by account, as the engine is told it: in columns."""
    tenure = np.array([account.tenure for account in beside], dtype=float)
    segments = scales.Segments(
        np.array([SEGMENTS.index(account.segment) for account in beside], dtype=np.intp), SEGMENTS
    )
    targets = as_array([account.targets for account in beside]).reshape(len(beside), len(spec.measures))
    groups = {}
    for column, measure in enumerate(spec.measures):
        targets[:, column] = measure.scale.targets(targets[:, column], segments, tenure)
        if isinstance(measure.scale, scales.Percentile) and measure.scale.reference_of == "day":
            lists = [(account.peers or [])[column] or [] for account in beside]
            groups[column] = scales.Peers(
                np.array([place if found else -1 for place, found in enumerate(lists)], dtype=np.intp),
                tuple(np.array(found, dtype=float) for found in lists),
            )
    return Circumstances(targets, tenure, groups)


@given(st.data(), some_model())
@settings(max_examples=MODELS, deadline=None)
def test_the_engine_agrees_with_the_slow_oracle(data: st.DataObject, spec: ModelSpec) -> None:
    width = len(spec.measures)
    grades = st.lists(st.one_of(st.none(), st.integers(0, 100).map(float)), min_size=width, max_size=width)
    raw, beside = data.draw(some_accounts(spec))
    held = [data.draw(grades) for _ in raw]
    out = score(spec, as_array(raw), about=circumstances(spec, beside), held=as_array(held))
    for n, account in enumerate(raw):
        slow = score_account(spec, account, beside[n], held[n])
        assert math.isclose(out.coverage[n], slow.coverage, abs_tol=1e-12)
        assert list(out.missing[n]) == slow.missing
        if slow.score is None:
            assert math.isnan(out.score[n])
            assert (out.band[n], out.exception[n], out.adjustment[n]) == (0, -1, 0)
            continue
        earned = slow.score - slow.adjustment
        if all(abs(earned - rule.cap) > 2e-6 for rule in spec.exceptions):
            assert out.exception[n] == slow.exception
        assert math.isclose(out.score[n], slow.score, abs_tol=1.1e-6)
        assert math.isclose(out.adjustment[n], slow.adjustment, abs_tol=1.1e-6)
        assert math.isclose(float(np.nansum(out.points[n])) + out.adjustment[n], out.score[n], abs_tol=1e-6)
        np.testing.assert_allclose(out.values[n], as_array([slow.values])[0], atol=1e-9)
        np.testing.assert_allclose(out.points[n], as_array([slow.points])[0], atol=1e-9)
        near = min(abs(slow.score - edge) for edge in (spec.bands.above, spec.bands.below))
        if (near > 2e-6 or slow.exception >= 0) and abs(slow.coverage - spec.coverage_min) > 1e-9:
            assert out.band[n] == slow.band


@given(st.data(), some_model())
@settings(max_examples=MODELS // 5, deadline=None)
def test_neither_the_order_of_accounts_nor_their_chunks_change_a_bit(
    data: st.DataObject, spec: ModelSpec
) -> None:
    raw, beside = data.draw(some_accounts(spec))
    rows, order = as_array(raw), np.array(data.draw(st.permutations(range(len(raw)))))
    straight = score(spec, rows, about=circumstances(spec, beside))
    shuffled = score(spec, rows[order], about=circumstances(spec, [beside[n] for n in order]))
    cut = data.draw(st.integers(0, len(raw)))
    halves = [
        score(spec, rows[part].reshape(-1, len(spec.measures)), about=circumstances(spec, beside[part]))
        for part in (slice(0, cut), slice(cut, None))
    ]
    for name in ("score", "band", "points", "adjustment", "exception", "coverage"):
        whole = getattr(straight, name)
        np.testing.assert_array_equal(whole[order], getattr(shuffled, name))
        np.testing.assert_array_equal(whole, np.concatenate([getattr(half, name) for half in halves]))


RISING = (
    scales.Linear(0, 150),
    scales.PercentOfTarget(90),
    scales.Piecewise(((0, 0), (20, 70), (80, 100))),
    scales.Steps(((5, 30), (60, 80)), 0),
    scales.Percentile(reference=(1.0, 5.0, 5.0, 90.0)),
    scales.ByTenure(((0, scales.Linear(0, 10)), (90, scales.Linear(0, 100)))),
)


@given(
    st.lists(st.floats(0, 200), min_size=3, max_size=3),
    st.lists(st.sampled_from(RISING), min_size=3, max_size=3),
    st.sampled_from(["mean", "min", "max"]),
    st.lists(
        st.builds(
            ExceptionSpec,
            st.just("too low"),
            st.integers(0, 2),
            st.sampled_from(["<", "<="]),
            st.integers(0, 100).map(float),
            st.integers(0, 100).map(float),
            st.sampled_from(["value", "score"]),
        ),
        max_size=3,
    ),
    st.integers(0, 2),
    st.floats(0, 50),
)
@settings(max_examples=MODELS, deadline=None)
def test_more_of_a_higher_is_better_metric_never_lowers_the_score(
    row: list[float],
    chosen: list[scales.Scale],
    combined: str,
    exceptions: list[ExceptionSpec],
    which: int,
    more: float,
) -> None:
    measures = [MeasureSpec(f"m{n}", scale, n + 1.0) for n, scale in enumerate(chosen)]
    spec = ModelSpec(
        (
            ComponentSpec("a", "A", 55, tuple(measures[:2]), combine=combined),
            ComponentSpec("b", "B", 45, (measures[2],)),
        ),
        exceptions=tuple(exceptions),
    )
    better = list(row)
    better[which] += more
    about = Circumstances(tenure=np.array([10.0]))
    now, then = (score(spec, np.array([values]), about=about).score[0] for values in (better, row))
    assert now >= then
