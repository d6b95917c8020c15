"""Due dates in working days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.workdays import add_working_days, is_working_day, working_days_between

FRIDAY, SATURDAY, SUNDAY, MONDAY = date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (MONDAY, 0, MONDAY),
        (SATURDAY, 0, MONDAY),
        (MONDAY, 1, date(2026, 3, 3)),
        (FRIDAY, 1, MONDAY),
        (SATURDAY, 1, MONDAY),
        (SUNDAY, 1, MONDAY),
        (FRIDAY, 5, date(2026, 3, 6)),
        (MONDAY, 15, date(2026, 3, 23)),
        (date(2028, 2, 28), 1, date(2028, 2, 29)),  # a leap day is a Tuesday like any other
        (date(2027, 12, 31), 1, date(2028, 1, 3)),
    ],
)
def test_due_dates_skip_the_weekend(start: date, count: int, due: date) -> None:
    assert add_working_days(start, count) == due


def test_holidays_and_other_working_weeks_are_respected() -> None:
    assert add_working_days(FRIDAY, 1, holidays={MONDAY}) == date(2026, 3, 3)
    sunday_to_thursday = {6, 0, 1, 2, 3}
    assert add_working_days(date(2026, 2, 26), 1, working_week=sunday_to_thursday) == SUNDAY


@pytest.mark.parametrize("count", [-1, 366])
def test_a_count_out_of_bounds_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="count must be 0 to 365"):
        add_working_days(MONDAY, count)


def test_a_week_without_working_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        add_working_days(MONDAY, 1, working_week=set())


@settings(deadline=None)
@given(days, st.integers(min_value=1, max_value=60))
def test_adding_agrees_with_counting_day_by_day(start: date, count: int) -> None:
    due = add_working_days(start, count)
    span = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]
    assert is_working_day(due)
    assert sum(day.weekday() < 5 for day in span) == count
    assert working_days_between(start, due) == count
    assert working_days_between(due, start) == -count
