"""The cadence: three monthly reviews, then quarterly ones, over month ends, clock changes, skips and late starts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbr.cadence import Due, add_months, due, next_due, schedule, to_draft

DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def simulate(go_live: date, first: date, days: int, *, moved: dict[date, date] | None = None) -> list[date]:
    """The review dates that are drafted on these days."""
    drafted: list[date] = []
    looked: date | None = None
    for n in range(days):
        day = first + timedelta(days=n)
        go_live = (moved or {}).get(day, go_live)
        if day < go_live:
            continue
        found = to_draft(
            go_live, day, draft_days=10, last_on=drafted[-1] if drafted else None, looked_on=looked
        )
        if found is not None:
            drafted.append(found.on)
        looked = day
    return drafted


@pytest.mark.parametrize(
    ("go_live", "expected"),
    [
        (  # month ends, a leap day between, and both changes of the clock
            date(2027, 10, 31),
            ["2027-11-30", "2027-12-31", "2028-01-31", "2028-04-30", "2028-07-31", "2028-10-31", "2029-01-31", "2029-04-30"],
        ),
        (
            date(2026, 1, 15),
            ["2026-02-15", "2026-03-15", "2026-04-15", "2026-07-15", "2026-10-15", "2027-01-15", "2027-04-15", "2027-07-15"],
        ),
        (
            date(2026, 11, 30),
            ["2026-12-30", "2027-01-30", "2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30", "2028-02-29", "2028-05-30"],
        ),
    ],
)  # fmt: skip
def test_eighteen_months_give_three_monthly_and_then_quarterly_reviews(
    go_live: date, expected: list[str]
) -> None:
    days = (add_months(go_live, 18) - go_live).days + 1
    assert [day.isoformat() for day in simulate(go_live, go_live, days)] == expected


def test_a_late_start_gets_the_next_review_and_no_backlog() -> None:
    assert simulate(date(2023, 5, 20), date(2026, 3, 1), 100) == [date(2026, 5, 20)]
    # What was due the day before anybody looked is gone; the next one is not.
    assert simulate(date(2023, 5, 20), date(2026, 5, 21), 100) == [date(2026, 8, 20)]


def test_nights_that_did_not_run_are_made_up_for() -> None:
    go_live = date(2026, 1, 15)
    # The last night that looked was before the draft was due; the next one comes three days after the review.
    found = to_draft(go_live, date(2026, 2, 18), draft_days=10, looked_on=date(2026, 2, 1))
    assert found == Due(1, date(2026, 2, 15), go_live)
    # Had a night looked in time, the pack is there.
    assert to_draft(go_live, date(2026, 2, 18), draft_days=10, looked_on=date(2026, 2, 6)) is None


def test_a_go_live_that_moves_by_days_moves_no_review_twice() -> None:
    go_live = date(2026, 1, 15)
    drafted = simulate(go_live, go_live, 120, moved={date(2026, 2, 10): date(2026, 1, 20)})
    assert drafted == [date(2026, 2, 15), date(2026, 3, 20), date(2026, 4, 20)]


def test_a_go_live_that_moves_by_months_begins_anew() -> None:
    go_live = date(2026, 1, 15)
    drafted = simulate(go_live, go_live, 150, moved={date(2026, 3, 1): date(2026, 3, 10)})
    assert drafted == [date(2026, 2, 15), date(2026, 4, 10), date(2026, 5, 10), date(2026, 6, 10)]


def test_the_period_of_a_review_is_what_lies_behind_the_one_before() -> None:
    assert due(date(2026, 1, 31), 1).begins == date(2026, 1, 31)
    assert due(date(2026, 1, 31), 2) == Due(2, date(2026, 3, 31), date(2026, 2, 28))
    assert due(date(2026, 1, 31), 4) == Due(4, date(2026, 7, 31), date(2026, 4, 30))
    assert [due(date(2026, 1, 31), n).is_monthly for n in (3, 4)] == [True, False]


@given(DAYS, st.integers(0, 4000))
def test_the_next_review_is_the_first_one_of_the_schedule(go_live: date, after: int) -> None:
    day = go_live + timedelta(days=after)
    expected = next(one for one in schedule(go_live) if one.on >= day)
    assert next_due(go_live, day) == expected


@given(DAYS, st.integers(1, 60))
def test_reviews_come_in_order_and_are_drafted_once(go_live: date, draft_days: int) -> None:
    drafted: list[date] = []
    for n in range(400):
        found = to_draft(
            go_live,
            go_live + timedelta(days=n),
            draft_days=draft_days,
            last_on=drafted[-1] if drafted else None,
        )
        if found is not None:
            drafted.append(found.on)
    assert drafted == sorted(set(drafted))
    assert drafted[:4] == [due(go_live, number).on for number in (1, 2, 3, 4)]
