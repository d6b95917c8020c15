"""The engine against the slow oracle on random models and accounts, and what must hold for every model."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring import scales
from scoring.bands import Bands
from scoring.engine import Circumstances, ComponentSpec, ExceptionSpec, MeasureSpec, ModelSpec, score
from tests.scoring.oracle import Beside, score_account

NAN = math.nan
MODELS = 10_000 if os.environ.get("CS_FULL") else 300
SLOW = [HealthCheck.too_slow]  # a busy machine draws models slowly
pytestmark = pytest.mark.timeout(3600)  # the long form: 10,000 models

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
@settings(max_examples=MODELS, deadline=None, suppress_health_check=SLOW)
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
@settings(max_examples=MODELS // 5, deadline=None, suppress_health_check=SLOW)
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
@settings(max_examples=MODELS, deadline=None, suppress_health_check=SLOW)
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
