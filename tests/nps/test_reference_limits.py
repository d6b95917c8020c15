"""How often a customer may be asked and used, against a slow look at every day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from nps.references.limits import (
    Ask,
    AskLimits,
    UseLimits,
    may_ask_on,
    may_use_on,
    next_quarter,
    quarter_start,
)

DAY = date(2026, 3, 10)
LIMITS = AskLimits(account_days=180, contact_days=90, declined_days=365)
days = st.integers(-400, 400).map(lambda n: DAY + timedelta(days=n))


def test_an_account_and_a_person_have_days_of_their_own() -> None:
    assert may_ask_on([], LIMITS) is None
    assert may_ask_on([Ask(DAY, True, False)], LIMITS) == DAY + timedelta(days=180)
    assert may_ask_on([Ask(DAY, False, True)], LIMITS) == DAY + timedelta(days=90)
    assert may_ask_on([Ask(DAY, True, False, declined=True)], LIMITS) == DAY + timedelta(days=365)
    # somebody else at an account that was asked waits for the account's days
    assert may_ask_on([Ask(DAY, True, True), Ask(DAY + timedelta(days=150), False, True)], LIMITS) == (
        DAY + timedelta(days=240)
    )


def test_quarters() -> None:
    assert quarter_start(date(2026, 12, 31)) == date(2026, 10, 1)
    assert next_quarter(date(2026, 12, 31)) == date(2027, 1, 1)
    assert next_quarter(date(2026, 1, 1)) == date(2026, 4, 1)


def slowly(uses: list[date], day: date, limits: UseLimits) -> date:
    """The first day that breaks no rule, one by one."""
    while True:
        inside = [use for use in uses if quarter_start(use) == quarter_start(day)]
        near = [use for use in uses if abs((use - day).days) < limits.use_days]
        if len(inside) < limits.per_quarter and not near:
            return day
        day += timedelta(days=1)


@settings(deadline=None)
@given(st.lists(days, max_size=12), days, st.integers(0, 60), st.integers(1, 4))
def test_the_first_free_day_is_the_first(uses: list[date], day: date, rest: int, most: int) -> None:
    limits = UseLimits(rest, most)
    assert may_use_on(uses, day, limits) == slowly(uses, day, limits)
