"""Working hours, shares with their interval, signals that fade: tables of cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pql.clock import WorkingTime, due_at, working_hours
from pql.decay import Faded, SignalRule, faded, total_points
from pql.shares import Share

MADRID = WorkingTime(ZoneInfo("Europe/Madrid"))
FRIDAY = date(2026, 3, 27)  # the clocks change in the night to Sunday


def at(day: date, hour: float, tz: ZoneInfo | None = None) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=tz or ZoneInfo("Europe/Madrid"))
    return start + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (at(FRIDAY, 9), 8, at(FRIDAY, 17)),
        (at(FRIDAY, 9), 9, at(FRIDAY, 18)),
        (at(FRIDAY, 3), 1, at(FRIDAY, 10)),
        (at(FRIDAY, 17), 2, at(FRIDAY + timedelta(days=3), 10)),
        (at(FRIDAY, 20), 1, at(FRIDAY + timedelta(days=3), 10)),
        (at(FRIDAY + timedelta(days=1), 12), 9, at(FRIDAY + timedelta(days=3), 18)),
        (at(FRIDAY, 9), 45, at(FRIDAY + timedelta(days=6), 18)),
    ],
)
def test_due(start: datetime, hours: float, due: datetime) -> None:
    assert due_at(start, hours, MADRID) == due


def test_weekends_may_be_working_days() -> None:
    every_day = WorkingTime(ZoneInfo("Europe/Madrid"), weekends=True)
    assert due_at(at(FRIDAY, 17), 2, every_day) == at(FRIDAY + timedelta(days=1), 10)


def test_a_day_of_24_hours_crosses_midnight_and_the_change_of_clocks() -> None:
    always = WorkingTime(ZoneInfo("Europe/Madrid"), 0, 24, weekends=True)
    saturday = at(FRIDAY + timedelta(days=1), 0)
    assert due_at(saturday, 48, always) == (saturday.astimezone(UTC) + timedelta(hours=48))


@given(st.integers(0, 24 * 14 * 60), st.floats(0.5, 60))
def test_hours_to_the_due_moment_are_the_hours_asked_for(minutes: int, hours: float) -> None:
    start = at(FRIDAY, 0) + timedelta(minutes=minutes)
    due = due_at(start, hours, MADRID)
    assert working_hours(start, due, MADRID) == pytest.approx(hours, abs=1e-6)
    assert working_hours(due, start, MADRID) == pytest.approx(-hours, abs=1e-6)


def test_a_working_day_must_have_hours() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        WorkingTime(ZoneInfo("UTC"), 9, 9)


def test_share() -> None:
    assert (Share(0, 0).pct, Share(0, 0).interval) == (None, None)
    assert Share(8, 10).pct == 80
    low, high = Share(8, 10).interval or (0, 0)
    assert (round(low, 2), round(high, 2)) == (49.02, 94.33)  # Wilson, as statistics texts give it
    low, high = Share(0, 10).interval or (0, 0)
    assert low == 0 and round(high, 2) == 27.75
    with pytest.raises(ValueError, match="no share"):
        Share(3, 2)


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_interval_holds_its_share(count: int, more: int) -> None:
    share = Share(count, count + more)
    low, high = share.interval or (0, 0)
    assert share.pct is not None
    assert 0 <= low <= share.pct <= high <= 100


RULES = [SignalRule("limit", 50, 14), SignalRule("billing", 30, 7)]
DAY = date(2026, 3, 27)


def test_a_signal_halves_with_its_half_life_and_is_forgotten_after_four() -> None:
    assert faded(RULES, {"limit": DAY}, DAY) == [Faded("limit", DAY, 50.0)]
    assert faded(RULES, {"limit": DAY}, DAY + timedelta(days=14))[0].points == 25.0
    assert faded(RULES, {"limit": DAY}, DAY + timedelta(days=55))[0].points == 3.28
    assert faded(RULES, {"limit": DAY}, DAY + timedelta(days=56)) == []
    assert faded(RULES, {"limit": DAY}, DAY - timedelta(days=1)) == []


def test_signals_add_up_the_strongest_first() -> None:
    found = faded(RULES, {"billing": DAY, "limit": DAY - timedelta(days=28)}, DAY)
    assert [signal.key for signal in found] == ["billing", "limit"]
    assert total_points(found) == 42.5
    assert total_points([]) == 0.0


@given(st.integers(0, 27), st.floats(1, 200))
def test_a_signal_never_grows_with_time(ago: int, points: float) -> None:
    rule = [SignalRule("s", points, 7)]
    now = faded(rule, {"s": DAY - timedelta(days=ago)}, DAY)
    later = faded(rule, {"s": DAY - timedelta(days=ago)}, DAY + timedelta(days=1))
    assert total_points(later) <= total_points(now)
