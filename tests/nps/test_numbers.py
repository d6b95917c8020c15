"""The figures by hand: NPS of known tables, its interval, CSAT, response rate."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.surveys.numbers import adjusted_wald, median_days, response_rate, score_of
from nps.surveys.scales import CSAT, category_of


@pytest.mark.parametrize(
    ("scores", "value", "counts"),
    [
        ([10, 9, 9, 8, 7, 6, 0, 10, 3, 9], 20.0, (3, 2, 5)),
        ([0, 6], -100.0, (2, 0, 0)),
        ([9, 10], 100.0, (0, 0, 2)),
        ([7, 8], 0.0, (0, 2, 0)),
        ([10] * 70 + [8] * 20 + [5] * 10, 60.0, (10, 20, 70)),
    ],
)
def test_the_nps_of_a_known_table_is_exact(scores: list[int], value: float, counts: tuple[int, ...]) -> None:
    found = score_of(scores)
    assert found.value == value
    assert (found.detractors, found.passives, found.promoters) == counts
    assert found.n == len(scores)


def test_nothing_answered_has_no_figure() -> None:
    found = score_of([])
    assert (found.value, found.interval, found.mean, found.n) == (None, None, None, 0)
    assert response_rate(0, 0) is None
    assert median_days([]) is None


def test_the_interval_is_the_adjusted_wald_interval() -> None:
    """70 promoters, 20 passives, 10 detractors: by hand with 70.75, 21.5, 10.75 of 103."""
    found = score_of([10] * 70 + [8] * 20 + [5] * 10).interval
    assert found is not None
    up, down = 70.75 / 103, 10.75 / 103
    middle, reach = up - down, 1.959963984540054 * sqrt((up + down - (up - down) ** 2) / 103)
    assert found.low == pytest.approx(100 * (middle - reach))
    assert found.high == pytest.approx(100 * (middle + reach))
    assert (round(found.low, 1), round(found.high, 1)) == (45.3, 71.2)


def test_one_answer_says_nearly_nothing() -> None:
    found = score_of([10])
    assert found.is_few
    assert found.interval is not None
    assert found.interval.low < -30 and found.interval.high > 90


def test_csat_is_the_share_of_satisfied_beside_the_mean() -> None:
    found = score_of([5, 4, 3, 1], CSAT)
    assert (found.value, found.mean, found.n) == (50.0, 3.25, 4)
    assert [category_of(CSAT, n) for n in range(1, 6)] == [
        "detractor",
        "detractor",
        "passive",
        "promoter",
        "promoter",
    ]


def test_response_rate_and_time_to_close() -> None:
    assert response_rate(3, 12) == 25.0
    assert median_days([24, 72, 48]) == 2.0


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_figure_lies_on_its_scale_and_the_interval_around_what_is_shrunk(
    promoters: int, passives: int, detractors: int
) -> None:
    found = score_of([9] * promoters + [7] * passives + [2] * detractors)
    if found.value is None or found.interval is None:
        assert found.n == 0
        return
    assert -100 <= found.interval.low < found.interval.high <= 100
    shrunk = found.value * found.n / (found.n + 3)
    assert found.interval.low <= shrunk <= found.interval.high
    assert sum(found.share(key) or 0 for key in ("detractor", "passive", "promoter")) == pytest.approx(100)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_more_answers_of_the_same_kind_say_more(promoters: int, passives: int, detractors: int) -> None:
    n = promoters + passives + detractors
    few = adjusted_wald(promoters, detractors, n)
    many = adjusted_wald(10 * promoters, 10 * detractors, 10 * n)
    if n >= 10 and promoters > 0 and detractors > 0:
        assert many.high - many.low < few.high - few.low
