"""What is on a list, in which order: the pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from alerts.ranking import factors, priority
from workspace.agenda import (
    HEAVY,
    LIGHT,
    MEDIUM,
    NO_ACCOUNT,
    RENEWAL_MARKS,
    Kind,
    Part,
    Standing,
    coming,
    fell_further,
    items,
    next_mark,
    on_day,
)

TODAY = date(2026, 11, 20)
SOON = TODAY + timedelta(days=1)


def part(kind: Kind, pk: int = 1, account_id: int = 7, **more: object) -> Part:
    given: dict[str, object] = {"title": "x", "why": "", "weight": MEDIUM, "shown_from": TODAY}
    return Part(kind=kind, pk=pk, account_id=account_id, **(given | more))  # type: ignore[arg-type]


def standing(pk: int = 7, **more: object) -> Standing:
    given: dict[str, object] = {
        "name": "A", "mrr_cents": 100_000, "currency": "USD", "renewal_on": None, "owner_id": 1,
        "score": 50.0, "band": 1,
    }  # fmt: skip
    return Standing(pk=pk, **(given | more))  # type: ignore[arg-type]


def test_what_belongs_to_an_account_is_one_item_and_the_heaviest_part_leads() -> None:
    parts = [part(Kind.QBR, weight=LIGHT), part(Kind.DROP, weight=HEAVY), part(Kind.TASK, weight=MEDIUM)]
    (item,) = items(parts, {7: standing()}, TODAY)
    assert [each.kind for each in item.parts] == [Kind.DROP, Kind.TASK, Kind.QBR]
    assert (item.lead.kind, item.key) == (Kind.DROP, "account-7")


def test_the_task_of_a_play_comes_before_the_alert_that_it_answers() -> None:
    parts = [
        part(Kind.ALERT, weight=HEAVY, run_id=3),
        part(Kind.TASK, run_id=3),
        part(Kind.TASK, 2, run_id=4),
    ]
    (item,) = items(parts, {7: standing()}, TODAY)
    assert [(each.kind, each.pk) for each in item.parts] == [(Kind.TASK, 1), (Kind.ALERT, 1), (Kind.TASK, 2)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"mrr_cents": 200_000}, {}),
        ({"score": 20.0}, {"score": 90.0}),
        ({"renewal_on": TODAY + timedelta(days=10)}, {"renewal_on": TODAY + timedelta(days=170)}),
        ({"renewal_on": TODAY - timedelta(days=3)}, {}),
    ],
)
def test_mrr_risk_and_a_near_renewal_each_move_an_account_up(
    better: dict[str, object], worse: dict[str, object]
) -> None:
    parts = [part(Kind.TASK, account_id=1), part(Kind.TASK, account_id=2)]
    ordered = items(parts, {1: standing(1, **worse), 2: standing(2, **better)}, TODAY)
    assert [item.account.pk for item in ordered if item.account] == [2, 1]


def test_a_rank_is_the_product_of_its_parts_and_that_of_alerts() -> None:
    found = factors(mrr_cents=99_900, weight=2.0, score=50.0, days_to_renewal=90)
    assert (found.value, found.risk, found.urgency) == (1000.0, pytest.approx(1.1), 2.5)
    assert found.priority == priority(mrr_cents=99_900, severity="high", score=50.0, days_to_renewal=90)


def test_an_account_that_cannot_be_seen_has_no_item_and_plumbing_needs_no_account() -> None:
    parts = [part(Kind.TASK, account_id=9), part(Kind.ALERT, account_id=NO_ACCOUNT)]
    (item,) = items(parts, {}, TODAY)
    assert (item.account, item.key) == (None, "account-0")


def test_now_and_next_share_nothing() -> None:
    later = part(Kind.TASK, 2, shown_from=SOON)
    far = replace(later, pk=3, shown_from=SOON + timedelta(days=1))
    parts = [part(Kind.TASK), later, far]
    assert on_day(parts, TODAY) == [parts[0]]
    assert coming(parts, TODAY, SOON) == [later]


@pytest.mark.parametrize(
    ("left", "days"),
    [(91, 1), (90, 30), (61, 1), (60, 30), (31, 1), (14, 7), (2, 1), (1, 1), (0, 7), (-3, 7)],
)
def test_a_renewal_comes_back_at_the_next_mark(left: int, days: int) -> None:
    assert next_mark(TODAY + timedelta(days=left), TODAY, RENEWAL_MARKS) == TODAY + timedelta(days=days)


def test_a_fall_that_was_seen_to_is_back_when_it_goes_on() -> None:
    assert fell_further(60.0, 50.0)
    assert not fell_further(60.0, 50.1)
    assert not fell_further(None, 10.0)
    assert not fell_further(60.0, None)
