"""Complete weeks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.weeks import last_complete_week_end, week_ends

SUNDAY = date(2026, 3, 8)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (SUNDAY, SUNDAY),  # the day is over, so is its week
        (date(2026, 3, 9), SUNDAY),
        (date(2026, 3, 14), SUNDAY),
        (date(2026, 3, 15), date(2026, 3, 15)),
        (date(2028, 2, 29), date(2028, 2, 27)),
    ],
)
def test_a_week_is_complete_on_its_sunday(day: date, end: date) -> None:
    assert last_complete_week_end(day) == end


def test_the_last_weeks_come_oldest_first() -> None:
    assert week_ends(date(2026, 3, 11), 3) == [date(2026, 2, 22), date(2026, 3, 1), SUNDAY]


@settings(deadline=None)
@given(st.dates(min_value=date(2000, 1, 1)))
def test_the_end_is_a_sunday_at_most_six_days_ago(day: date) -> None:
    end = last_complete_week_end(day)
    assert end.weekday() == 6
    assert timedelta(0) <= day - end < timedelta(days=7)
