"""The rules of the stages and the arithmetic of prices, without a database."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion.pricing import MOST_PCT, may_grant, net_cents, role_needed, share, total_discount
from expansion.stages import (
    CASE,
    CLOSED,
    CLOSING,
    LOST,
    OPEN,
    ORDER,
    PILOT,
    PROPOSAL,
    WON,
    Standing,
    next_stages,
    refusals,
)

READY = Standing(
    CASE, what=True, value=True, case=True, roi=True, proposed=True, pilot_planned=True, pilot_judged=True
)
LIMITS = {"csm": 10, "manager": 20}


@pytest.mark.parametrize(
    ("stage", "to", "missing"),
    [
        (CASE, PROPOSAL, ["no_what", "no_value", "no_case", "no_roi"]),
        (CASE, PILOT, ["proposal_first"]),
        (CASE, WON, ["proposal_first"]),
        (PROPOSAL, PILOT, ["no_what", "no_value", "no_proposal", "no_pilot_plan"]),
        (PROPOSAL, CLOSING, ["no_what", "no_value", "no_proposal"]),  # the pilot is optional
        (PROPOSAL, WON, ["closing_first"]),
        (PILOT, CLOSING, ["no_what", "no_value", "no_pilot_result"]),
        (CLOSING, WON, ["no_what", "no_value"]),
        (CLOSING, CASE, []),
        (CASE, LOST, []),
        (WON, LOST, ["not_open"]),
        (LOST, CASE, ["not_open"]),
    ],
)
def test_what_each_move_asks_for(stage: str, to: str, missing: list[str]) -> None:
    assert refusals(Standing(stage), to) == missing


def test_who_has_done_the_work_walks_through_with_and_without_a_pilot() -> None:
    for way in ((CASE, PROPOSAL, PILOT, CLOSING, WON), (CASE, PROPOSAL, CLOSING, WON)):
        for here, there in pairwise(way):
            assert refusals(replace(READY, stage=here), there) == []


def test_a_discount_that_waits_keeps_it_from_being_won_and_from_nothing_else() -> None:
    waiting = replace(READY, discount_waits=True)
    assert refusals(replace(waiting, stage=CLOSING), WON) == ["discount_waits"]
    assert refusals(replace(waiting, stage=PROPOSAL), CLOSING) == []
    assert refusals(replace(waiting, stage=CLOSING), LOST) == []


def test_the_menu_offers_what_the_rules_could_allow_and_only_that() -> None:
    for stage, to in product(ORDER, ORDER):
        allowed = stage != to and refusals(replace(READY, stage=stage), to) == []
        assert (to in next_stages(stage)) == allowed, (stage, to)
    assert all(next_stages(stage) == () for stage in CLOSED)
    assert all(LOST in next_stages(stage) for stage in OPEN)


def test_a_stage_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="'sold' is no stage"):
        refusals(READY, "sold")


@given(
    st.integers(min_value=-(10**13), max_value=10**13),
    st.integers(min_value=0, max_value=100),
)
def test_a_share_is_the_exact_one_rounded_half_away_from_zero(cents: int, pct: int) -> None:
    exact = Fraction(cents * pct, 100)
    assert abs(Fraction(share(cents, pct)) - exact) <= Fraction(1, 2)
    assert share(-cents, pct) == -share(cents, pct)


@given(
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=0, max_value=100),
    st.integers(min_value=0, max_value=100),
)
def test_a_price_never_grows_by_discounts_and_never_vanishes(cents: int, own: int, extra: int) -> None:
    assert 0 <= net_cents(cents, own, extra) <= cents
    assert net_cents(cents, own, extra) <= net_cents(cents, own)
    assert net_cents(cents, own, extra) >= share(cents, 100 - MOST_PCT)
    assert net_cents(cents) == cents


def test_prices_by_hand() -> None:
    assert net_cents(99_999, 10, 10) == 79_999  # 79,999.2
    assert net_cents(50, 1) == 50  # 49.5
    assert total_discount(85, 20) == MOST_PCT


@pytest.mark.parametrize(
    ("pct", "role"), [(0, "csm"), (10, "csm"), (11, "manager"), (20, "manager"), (21, "admin"), (90, "admin")]
)
def test_who_may_grant_a_discount(pct: int, role: str) -> None:
    assert role_needed(pct, LIMITS) == role
    rank = ["viewer", "csm", "manager", "admin"]
    assert [may_grant(who, pct, LIMITS) for who in rank] == [
        who != "viewer" and rank.index(who) >= rank.index(role) for who in rank
    ]
