"""Scales proposed from a tenant's own values, and the arithmetic of windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import windows
from scoring.proposal import propose_piecewise, propose_reference


def test_the_curve_runs_through_the_quantiles_of_those_who_have_any() -> None:
    values = np.concatenate([np.zeros(50), np.arange(1, 102), [math.nan] * 9])
    curve = propose_piecewise(values)
    assert curve is not None
    assert curve.points == ((0, 0), (11, 35), (26, 55), (51, 75), (76, 90), (91, 100))
    assert curve.apply(np.array([0.0]))[0] == 0


def test_where_less_is_better_the_curve_falls() -> None:
    curve = propose_piecewise(np.arange(1.0, 102), higher_is_better=False)
    assert curve is not None
    assert curve.points == ((0, 100), (11, 65), (26, 45), (51, 25), (76, 10), (91, 0))


def test_ties_become_one_point_with_the_best_score() -> None:
    curve = propose_piecewise(np.concatenate([np.ones(60), np.full(40, 5.0)]))
    assert curve is not None
    assert curve.points == ((0, 0), (1, 75), (5, 100))


@pytest.mark.parametrize(
    "values", [np.arange(29.0), np.zeros(100), np.full(100, 4.0), np.full(200, math.nan)]
)
def test_too_few_or_all_alike_propose_nothing(values: np.ndarray) -> None:
    assert propose_piecewise(values) is None


@given(st.lists(st.floats(0, 1e6), min_size=30, max_size=80), st.booleans())
def test_a_proposed_curve_never_turns_round(values: list[float], higher: bool) -> None:
    curve = propose_piecewise(np.array(values), higher_is_better=higher)
    if curve is not None:
        scores = np.diff([score for _, score in curve.points])
        assert (scores >= 0).all() if higher else (scores <= 0).all()


def test_a_reference_is_sorted_and_bounded() -> None:
    assert propose_reference(np.arange(29.0)) is None
    small = propose_reference(np.arange(40.0)[::-1])
    assert small is not None
    assert small.reference == tuple(float(n) for n in range(40))
    large = propose_reference(np.arange(50_000.0))
    assert large is not None
    assert (len(large.reference), large.reference[0], large.reference[-1]) == (201, 0.0, 49_999.0)


def test_a_day_counts_half_after_its_half_life() -> None:
    assert [windows.decay_weight(days, 90) for days in (0, 90, 180)] == [1.0, 0.5, 0.25]
    assert windows.decay_window(90) == 360
    assert windows.per_week(40, 28) == 10
    assert windows.full_decay(7) == pytest.approx(sum(0.5 ** (n / 7) for n in range(28)))
