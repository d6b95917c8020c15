"""The pure rules of renewals: terms, amounts, judgement, one night's step. Properties where a rule must never break."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion.renewals import stepping
from expansion.renewals.amounts import (
    AT_RISK,
    BEST_CASE,
    CATEGORIES,
    COMMIT,
    DEFAULT_PROBABILITIES,
    LOST,
    OPEN,
    Amounts,
    capped,
    forecast_of,
    forecasts,
    outcome_of,
    target_of,
)
from expansion.renewals.judging import default_category
from expansion.renewals.stepping import Facts, Line, Standing
from expansion.renewals.terms import add_months, checkpoint_on, is_new_term, quarter_of, term_of

DUE = date(2026, 9, 30)
CENTS = st.integers(min_value=-(10**14), max_value=10**14)
AMOUNT = st.integers(min_value=0, max_value=10**14)
DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))


def standing(**fields: object) -> Standing:
    base = Standing(
        due_on=DUE,
        term_months=12,
        currency="EUR",
        mrr_cents=100_00,
        target_cents=1200_00,
        forecast_cents=1200_00,
        category=COMMIT,
        computed_category=COMMIT,
    )
    return replace(base, **fields)  # type: ignore[arg-type]  # named fields of the dataclass


def line(**fields: object) -> Line:
    base = Line(renews_on=DUE, ended_on=None, mrr_cents=100_00, currency="EUR")
    return replace(base, **fields)  # type: ignore[arg-type]  # as above


# ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 31), -6, date(2026, 2, 28)),
        (date(2026, 1, 15), -3, date(2025, 10, 15)),
        (date(2026, 12, 1), 13, date(2028, 1, 1)),
    ],
)
def test_months_are_added_to_the_end_of_short_ones(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_checkpoints_lie_six_and_three_months_before() -> None:
    assert [checkpoint_on(date(2026, 8, 31), months) for months in (6, 3)] == [
        date(2026, 2, 28),
        date(2026, 5, 31),
    ]
    assert quarter_of(date(2026, 12, 31)) == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("starts_on", "expected"),
    [
        (None, 12),
        (date(2025, 9, 30), 12),
        (date(2026, 6, 30), 3),
        (date(2026, 8, 31), 1),
        (date(2024, 9, 30), 12),  # two years, or the second of one: nobody knows
        (date(2026, 9, 30), 12),  # no time at all says nothing
    ],
)
def test_the_term_is_what_lies_between_start_and_renewal_up_to_a_year(
    starts_on: date | None, expected: int
) -> None:
    assert term_of(starts_on, DUE, 12) == expected


def test_half_a_term_later_is_a_new_term_and_less_is_a_correction() -> None:
    assert is_new_term(DUE, date(2027, 9, 30), 12)
    assert is_new_term(DUE, DUE + timedelta(days=183), 12)
    assert not is_new_term(DUE, DUE + timedelta(days=182), 12)
    assert not is_new_term(DUE, DUE - timedelta(days=300), 12)
    assert is_new_term(DUE, date(2026, 10, 30), 1)


# ── amounts ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(said=st.none() | CENTS, mrr=CENTS, months=st.integers(0, 60), category=st.sampled_from(CATEGORIES))
def test_no_forecast_is_ever_above_its_target_or_below_nothing(
    said: int | None, mrr: int, months: int, category: str
) -> None:
    target = target_of(mrr, months)
    forecast = forecast_of(said, target, category)
    assert 0 <= forecast <= target
    assert 0 <= capped(mrr, target) <= target
    if category == LOST:
        assert forecast == 0
    elif said is not None and 0 <= said <= target:
        assert forecast == said


@st.composite
def amounts(draw: st.DrawFn) -> Amounts:
    target = draw(AMOUNT)
    state = draw(st.sampled_from(["open", "renewed", "lost"]))
    category = draw(st.sampled_from(CATEGORIES))
    final = draw(AMOUNT) if state == "renewed" else 0
    return Amounts(
        currency=draw(st.sampled_from(["EUR", "USD"])),
        state=state,
        category=category,
        target_cents=target,
        forecast_cents=forecast_of(draw(st.none() | CENTS), target, category),
        final_cents=final,
        kept_cents=capped(final, target),
        at_risk=draw(st.booleans()),
    )


@given(st.lists(amounts(), max_size=12))
def test_sums_of_a_period_stay_under_their_targets_and_in_order(rows: list[Amounts]) -> None:
    for one in forecasts(rows, DEFAULT_PROBABILITIES):
        mine = [row for row in rows if row.currency == one.currency]
        assert 0 <= one.low_cents <= one.forecast_cents <= one.target_cents
        assert one.weighted_cents <= one.forecast_cents
        assert one.forecast_cents <= one.high_cents <= one.target_cents
        assert one.target_cents == sum(row.target_cents for row in mine)
        assert one.count == len(mine)
        assert one.final_cents == sum(row.final_cents for row in mine if row.state != OPEN)
        assert one.at_risk_cents <= one.target_cents


def test_what_comes_on_top_of_one_renewal_does_not_hide_what_another_lost() -> None:
    rows = [
        Amounts("EUR", "renewed", COMMIT, 100, 100, final_cents=300, kept_cents=100),
        Amounts("EUR", "lost", COMMIT, 100, 0),
        Amounts("EUR", OPEN, BEST_CASE, 100, 80),
        Amounts("EUR", OPEN, AT_RISK, 100, 50, at_risk=True),
        Amounts("USD", OPEN, COMMIT, 10, 10),
    ]
    euro, dollar = forecasts(rows, DEFAULT_PROBABILITIES)
    assert (euro.target_cents, euro.forecast_cents, euro.final_cents) == (400, 230, 300)
    assert (euro.low_cents, euro.weighted_cents, euro.high_cents) == (100, 100 + 56 + 15, 300)
    assert (euro.at_risk_cents, euro.at_risk_count, euro.lost_cents, euro.open_count) == (100, 1, 100, 2)
    assert (dollar.currency, dollar.target_cents, dollar.low_cents) == ("USD", 10, 10)
    assert forecasts([], DEFAULT_PROBABILITIES) == []


def test_an_outcome_is_flat_more_or_less() -> None:
    assert [outcome_of(final, 100) for final in (100, 101, 99)] == ["flat", "more", "less"]


# ── judgement ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("band", "engagement", "expected"),
    [
        (3, 80.0, COMMIT),
        (3, None, COMMIT),
        (3, 49.9, BEST_CASE),
        (3, 50.0, COMMIT),
        (2, 80.0, BEST_CASE),
        (2, 10.0, AT_RISK),
        (1, 100.0, AT_RISK),
        (0, None, BEST_CASE),
        (0, 20.0, AT_RISK),
    ],
)
def test_the_category_comes_from_health_and_engagement(
    band: int, engagement: float | None, expected: str
) -> None:
    assert default_category(band, engagement) == expected
    assert default_category(band, engagement, severe=True) == AT_RISK
    assert default_category(band, engagement, notice=True) == AT_RISK


def test_what_a_person_chose_stays_but_the_risk_is_seen_all_the_same() -> None:
    one = stepping.judge(standing(category_by_hand=True), Facts(band=1, engagement=90.0))
    assert (one.category, one.computed_category) == (COMMIT, AT_RISK)
    assert (one.at_risk, one.risks) == (True, ("critical",))
    calm = stepping.judge(one, Facts(band=3, engagement=90.0))
    assert (calm.at_risk, calm.risks, calm.category) == (False, (), COMMIT)
    by_itself = stepping.judge(standing(), Facts(band=1, severe=True))
    assert by_itself.risks == ("category", "critical", "severe")


# ── one night ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_date_that_is_put_right_moves_the_renewal() -> None:
    after = stepping.follow(standing(), line(renews_on=date(2026, 11, 15)), None, date(2026, 5, 1))
    assert (after.state, after.due_on) == (OPEN, date(2026, 11, 15))
    assert stepping.events(standing(), after) == [("date", {"from": "2026-09-30", "to": "2026-11-15"})]


def test_a_term_later_means_renewed_at_what_it_costs_now_and_the_target_stays_what_it_was() -> None:
    renewed = stepping.follow(
        standing(), line(renews_on=date(2027, 9, 30), mrr_cents=80_00), None, date(2026, 9, 20)
    )
    assert (renewed.state, renewed.outcome, renewed.final_cents, renewed.target_cents) == (
        "renewed",
        "less",
        960_00,
        1200_00,
    )


def test_an_end_is_a_loss_unless_another_subscription_took_over() -> None:
    ended = line(ended_on=date(2026, 9, 30))
    day = date(2026, 9, 30)
    assert stepping.follow(standing(), ended, None, day - timedelta(days=1)).state == OPEN
    lost = stepping.follow(standing(), ended, None, day)
    assert (lost.state, lost.final_cents, lost.at_risk) == ("lost", 0, False)
    taken_over = stepping.follow(standing(), ended, 120_00, day)
    assert (taken_over.state, taken_over.outcome, taken_over.final_cents) == ("renewed", "more", 1440_00)


def test_an_announced_end_before_the_renewal_is_a_risk_and_one_on_its_day_is_not() -> None:
    announced = stepping.follow(standing(), line(ended_on=date(2026, 8, 1)), None, date(2026, 5, 1))
    assert announced.ends_on == date(2026, 8, 1)
    assert stepping.judge(announced, Facts(band=3)).risks == ("category", "notice")
    fixed_term = stepping.follow(standing(), line(ended_on=DUE), None, date(2026, 5, 1))
    assert fixed_term.ends_on is None
    assert stepping.judge(fixed_term, Facts(band=3)).at_risk is False


def test_what_has_no_line_or_no_date_any_more_no_longer_applies() -> None:
    assert stepping.follow(standing(), None, None, DUE).state == "void"
    assert stepping.follow(standing(), line(renews_on=None), None, DUE).state == "void"


def test_a_cheaper_subscription_takes_the_forecast_down_with_it_and_a_dearer_one_brings_it_back() -> None:
    said = standing(said_cents=1000_00, forecast_cents=1000_00)
    cheaper = stepping.follow(said, line(mrr_cents=50_00), None, date(2026, 5, 1))
    assert (cheaper.target_cents, cheaper.forecast_cents, cheaper.said_cents) == (600_00, 600_00, 1000_00)
    dearer = stepping.follow(cheaper, line(mrr_cents=100_00), None, date(2026, 5, 1))
    assert dearer.forecast_cents == 1000_00
    other = stepping.follow(said, line(currency="USD"), None, date(2026, 5, 1))
    assert (other.currency, other.said_cents, other.forecast_cents) == ("USD", None, 1200_00)


@given(
    days=st.lists(DAYS, min_size=1, max_size=6),
    dates=st.lists(st.none() | DAYS, min_size=6, max_size=6),
    ends=st.lists(st.none() | DAYS, min_size=6, max_size=6),
    prices=st.lists(st.integers(0, 10**9), min_size=6, max_size=6),
    said=st.none() | st.integers(0, 10**12),
    bands=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_whatever_the_nights_bring_the_cap_holds_and_what_is_closed_stays(
    days: list[date],
    dates: list[date | None],
    ends: list[date | None],
    prices: list[int],
    said: int | None,
    bands: list[int],
) -> None:
    one = standing(said_cents=said, forecast_cents=forecast_of(said, 1200_00, COMMIT))
    for day, renews_on, ended_on, price, band in zip(sorted(days), dates, ends, prices, bands, strict=False):
        if one.state != OPEN:
            break
        found = line(renews_on=renews_on, ended_on=ended_on, mrr_cents=price)
        one = stepping.judge(stepping.follow(one, found, None, day), Facts(band=band))
        assert 0 <= one.forecast_cents <= one.target_cents
        assert one.at_risk == bool(one.risks)
        assert (one.final_cents is None) == (one.state in (OPEN, "void"))
        again = stepping.judge(stepping.follow(one, found, None, day), Facts(band=band))
        assert one.state != OPEN or again == one  # twice the same night changes nothing


def test_a_renewal_at_risk_needs_a_plan_before_anything_is_said_of_it() -> None:
    assert stepping.needs_plan(standing(), category=AT_RISK, has_plan=False, risks=())
    assert stepping.needs_plan(standing(), category=LOST, has_plan=False, risks=())
    assert stepping.needs_plan(standing(), category=COMMIT, has_plan=False, risks=("critical",))
    assert not stepping.needs_plan(standing(), category=COMMIT, has_plan=False, risks=("category",))
    assert not stepping.needs_plan(standing(), category=AT_RISK, has_plan=True, risks=("severe",))
    assert not stepping.needs_plan(standing(state="lost"), category=AT_RISK, has_plan=False, risks=())
