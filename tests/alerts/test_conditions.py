"""When rules fire, at the exact edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.conditions import (
    health_dropped,
    health_recovered,
    rate_falling,
    ratio,
    too_little,
    usage_under_target,
    waits_too_long,
)

NAN = float("nan")


def usage(weeks: list[float], recent: float, target: float) -> tuple[bool, bool]:
    """One account with one metric."""
    outcome, low = usage_under_target(
        np.array([[weeks]]), np.array([[recent]]), np.array([[target]]), below=0.5, resolve_at=0.6
    )
    assert bool(low[0, 0]) == bool(outcome.fires[0])
    return bool(outcome.fires[0]), bool(outcome.clears[0])


@pytest.mark.parametrize(
    ("weeks", "recent", "target", "expected"),
    [
        ([49, 49], 49, 100, (True, False)),
        ([50, 49], 49, 100, (False, False)),  # exactly 50 % is not under
        ([49, 50], 50, 100, (False, False)),
        ([49.999, 49.999], 0, 100, (True, False)),
        ([0, 0], 0, 100, (True, False)),  # silence is usage of 0
        ([0, 0], 59.9, 100, (True, False)),
        (
            [0, 0],
            60,
            100,
            (False, True),
        ),  # back at 60 % in the last 7 days: resolves, and does not fire again
        ([100, 100], 100, 100, (False, True)),
        (
            [0.3 * 3, 0.3 * 3],
            0,
            1.8,
            (False, False),
        ),  # 0.3 × 3 falls a hair under 0.9 and still counts as 50 %
        ([0, 0], 0, 0, (False, True)),  # no target: skipped, and an open alert has nothing to wait for
        ([0, 0], 0, NAN, (False, True)),
        ([NAN, 0], 0, 100, (False, False)),  # a week that is not known never fires
        ([NAN, NAN], NAN, 100, (False, False)),
        ([10, 10], NAN, 100, (True, False)),
    ],
)
def test_usage_under_target(
    weeks: list[float], recent: float, target: float, expected: tuple[bool, bool]
) -> None:
    assert usage(weeks, recent, target) == expected


def test_one_metric_under_its_target_is_enough_and_all_must_be_back() -> None:
    weeks = np.array([[[10.0, 10.0], [90.0, 90.0]], [[10.0, 10.0], [90.0, 90.0]]])
    recent = np.array([[10.0, 90.0], [70.0, 90.0]])
    targets = np.full((2, 2), 100.0)
    outcome, low = usage_under_target(weeks, recent, targets, below=0.5, resolve_at=0.6)
    assert outcome.fires.tolist() == [True, False]
    assert outcome.clears.tolist() == [False, True]
    assert low.tolist() == [[True, False], [False, False]]


def test_a_target_for_a_metric_nobody_knows_holds_nothing_up() -> None:
    weeks = np.array([[[10.0, 10.0], [NAN, NAN]]])
    outcome, low = usage_under_target(
        weeks, np.array([[70.0, NAN]]), np.full((1, 2), 100.0), below=0.5, resolve_at=0.6
    )
    assert (outcome.fires[0], outcome.clears[0], low.tolist()) == (False, True, [[False, False]])


def rate(week: tuple[float, float], past: tuple[float, float]) -> tuple[bool, bool]:
    """One account; pairs of replies and sends."""
    outcome, _rate, _before = rate_falling(
        (np.array([week[0]]), np.array([week[1]])),
        (np.array([past[0]]), np.array([past[1]])),
        below=0.7,
        min_volume=20,
        resolve_at=0.8,
    )
    return bool(outcome.fires[0]), bool(outcome.clears[0])


@pytest.mark.parametrize(
    ("week", "past", "expected"),
    [
        ((13, 100), (80, 400), (True, False)),  # 13 % of 20 %
        ((14, 100), (80, 400), (False, False)),  # exactly 70 % of it is not falling
        ((16, 100), (80, 400), (False, True)),  # 80 % of it resolves
        ((0, 20), (80, 400), (True, False)),  # exactly 20 sends are enough
        ((0, 19), (80, 400), (False, False)),  # 19 are not
        ((0, 100), (0, 0), (False, False)),  # nothing to compare with
        ((5, 100), (0, 400), (False, True)),  # was 0, is more
        ((NAN, NAN), (80, 400), (False, False)),
        ((0, 100), (NAN, NAN), (False, False)),
    ],
)
def test_rate_falling(
    week: tuple[float, float], past: tuple[float, float], expected: tuple[bool, bool]
) -> None:
    assert rate(week, past) == expected


def test_rates_are_pooled_and_unknown_without_a_denominator() -> None:
    pooled = ratio(np.array([30.0, 1.0, NAN]), np.array([120.0, 0.0, NAN]))
    assert pooled[0] == 0.25
    assert np.isnan(pooled[1:]).all()


@pytest.mark.parametrize(
    ("value", "in_grace", "expected"),
    [
        (0, False, (True, False)),
        (1, False, (False, True)),
        (0, True, (False, False)),
        (1, True, (False, True)),
        (NAN, False, (False, False)),  # never reported, or no longer: skipped
    ],
)
def test_too_little(value: float, in_grace: bool, expected: tuple[bool, bool]) -> None:
    outcome = too_little(np.array([value]), np.array([in_grace]), minimum=1)
    assert (bool(outcome.fires[0]), bool(outcome.clears[0])) == expected


@pytest.mark.parametrize(("hours", "late"), [(71.99, False), (72, False), (72 + 1 / 3600, True), (500, True)])
def test_a_ticket_waits_too_long_after_more_than_the_limit(hours: float, late: bool) -> None:
    assert waits_too_long(np.array([hours]), limit=72).tolist() == [late]


@pytest.mark.parametrize(
    ("score", "before", "band", "band_before", "fires"),
    [
        (70, 85, 2, 3, True),  # exactly 15 points
        (65.0, 80.0, 2, 2, True),
        (65.1, 80.0, 2, 2, False),
        (79.9 - 15, 79.9, 2, 2, True),  # 15 points, whatever binary makes of them
        (65.000001, 80, 2, 2, False),
        (79.9, 80.1, 2, 3, True),  # a worse band by a hair
        (59.9, 60, 1, 2, True),
        (80.1, 79.9, 3, 2, False),
        (70, 90, 0, 3, False),  # a band that is not known compares with nothing
        (70, 90, 2, 0, False),
        (NAN, 90, 0, 3, False),
        (70, NAN, 2, NAN, False),
    ],
)
def test_health_dropped(score: float, before: float, band: float, band_before: float, fires: bool) -> None:
    columns = [np.array([float(value)]) for value in (score, before, band, band_before)]
    assert health_dropped(*columns, points=15, worse_band=True).tolist() == [fires]


def test_a_worse_band_can_be_left_out() -> None:
    columns = [np.array([value]) for value in (79.9, 80.1, 2.0, 3.0)]
    assert health_dropped(*columns, points=15, worse_band=False).tolist() == [False]


@pytest.mark.parametrize(
    ("score", "before", "band", "band_before", "comparable", "back"),
    [
        (80, 85, 2, 2, True, True),  # within 5 points
        (79.9, 85, 2, 2, True, False),
        (85, 85, 2, 3, True, False),  # the band is still worse
        (60, 85, 3, 3, False, True),  # another version: only bands compare
        (NAN, 85, 0, 2, True, False),
    ],
)
def test_health_recovered(
    score: float, before: float, band: float, band_before: float, comparable: bool, back: bool
) -> None:
    columns = [np.array([float(value)]) for value in (score, before, band, band_before)]
    assert health_recovered(*columns, np.array([comparable]), within=5).tolist() == [back]


# A busy machine is no fault of the conditions.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
figures = st.integers(min_value=0, max_value=10**12).map(lambda millionths: millionths / 1e6)


@patient
@given(st.lists(st.tuples(figures, figures, figures, figures), min_size=1, max_size=20))
def test_no_account_both_fires_and_clears(rows: list[tuple[float, float, float, float]]) -> None:
    table = np.array(rows)
    outcome, low = usage_under_target(
        table[:, None, :2], table[:, 2:3], table[:, 3:4], below=0.5, resolve_at=0.6
    )
    assert not (outcome.fires & outcome.clears).any()
    assert (low.any(axis=1) == outcome.fires).all()
    falling, _rate, _before = rate_falling(
        (table[:, 0], table[:, 1]), (table[:, 2], table[:, 3]), below=0.7, min_volume=20, resolve_at=0.8
    )
    assert not (falling.fires & falling.clears).any()


@patient
@given(st.lists(st.tuples(figures, figures, figures, figures), min_size=1, max_size=10))
def test_the_array_pass_agrees_with_one_account_at_a_time(
    rows: list[tuple[float, float, float, float]],
) -> None:
    table = np.array(rows)
    outcome, _low = usage_under_target(
        table[:, None, :2], table[:, 2:3], table[:, 3:4], below=0.5, resolve_at=0.6
    )
    assert [usage([row[0], row[1]], row[2], row[3]) for row in rows] == list(
        zip(outcome.fires.tolist(), outcome.clears.tolist(), strict=True)
    )
