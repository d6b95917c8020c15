"""Conditions, entry and exit criteria, the hold-out group and the lift."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from playbooks.criteria import Facts, InvalidCondition, check, parse
from playbooks.lift import Arm, lift, newcombe, wilson
from playbooks.terms import (
    Reentry,
    Streaks,
    enters,
    is_held_out,
    look_at_exits,
    may_enter_again,
    read_entry,
    read_exits,
    read_streaks,
)

MONDAY = date(2026, 3, 2)
FACTS = Facts(
    metrics={("sends", 7): 12.0, ("replies", 7): None},
    scores={"health": 71.5},
    bands={"health": "at_risk"},
    fields={"segment": "smb", "mrr": 500.0, "tags": ("vip", "beta"), "seats": None},
    tickets={"open": 2.0, "oldest_hours": 80.0, "open_urgent": 0.0},
    tasks={"open": 0.0},
)


def one(subject: str, name: str, compare: str, value: object, **more: object) -> dict[str, object]:
    return {"subject": subject, "name": name, "compare": compare, "value": value, **more}


@pytest.mark.parametrize(
    ("raw", "holds"),
    [
        (one("metric", "sends", "at_least", 12, window_days=7), True),
        (one("metric", "sends", "above", 12, window_days=7), False),
        (one("metric", "sends", "at_least", 1, window_days=28), False),  # not read: unknown
        (one("metric", "replies", "below", 5, window_days=7), False),  # unknown fulfils nothing
        (one("metric", "replies", "at_least", 0, window_days=7), False),
        (one("score", "health", "below", "71.6"), True),
        (one("score", "pql", "below", 100), False),
        (one("band", "health", "is", "at_risk"), True),
        (one("band", "health", "is_not", "critical"), True),
        (one("band", "pql", "is_not", "high"), False),
        (one("field", "segment", "is", "smb"), True),
        (one("field", "mrr", "at_most", 500), True),
        (one("field", "seats", "at_most", 5), False),
        (one("field", "tags", "is", "vip"), True),
        (one("field", "tags", "is_not", "vip"), False),
        (one("field", "tags", "is_not", "churny"), True),
        (one("tickets", "oldest_hours", "above", 72), True),
        (one("tasks", "open", "is", 0), True),
    ],
)
def test_a_condition_holds_or_not(raw: dict[str, object], holds: bool) -> None:
    assert check(parse([raw]), FACTS).holds is holds


def test_conditions_hold_together_and_none_at_all_hold() -> None:
    good, bad = one("band", "health", "is", "at_risk"), one("field", "segment", "is", "enterprise")
    assert check(parse([good, good]), FACTS).holds
    verdict = check(parse([good, bad]), FACTS)
    assert not verdict.holds
    assert [(each["holds"], each["observed"]) for each in verdict.to_list()] == [
        (True, "at_risk"),
        (False, "smb"),
    ]
    assert check((), FACTS).holds


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("x", "not_a_list"),
        ([1], "not_an_object"),
        ([one("weather", "x", "is", 1)], "subject"),
        ([one("score", "churn", "is", 1)], "name"),
        ([one("metric", "", "is", 1)], "name"),
        ([one("band", "health", "above", "healthy")], "compare"),
        ([one("band", "health", "is", "green")], "value"),
        ([one("score", "health", "above", "many")], "number"),
        ([one("score", "health", "above", float("nan"))], "number"),
        ([one("score", "health", "above", True)], "number"),
        ([one("metric", "sends", "above", 1, window_days=0)], "window"),
        ([one("metric", "sends", "above", 1, window_days=366)], "window"),
        ([one("score", "health", "above", 1, colour="red")], "unknown_key"),
        ([one("score", "health", "above", 1)] * 9, "too_many"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(raw: object, code: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        parse(raw)
    assert refused.value.code == code


def test_what_is_stored_reads_as_the_same() -> None:
    found = parse(
        [one("metric", "sends", "above", 3, window_days=14), one("band", "health", "is", "healthy")]
    )
    assert parse([condition.to_dict() for condition in found]) == found


def test_entry_lists_are_any_of_and_hold_together_with_conditions() -> None:
    entry = read_entry({"segments": ["enterprise", "smb"], "bands": ["at_risk"]})
    assert enters(entry, FACTS).holds
    refused = enters(read_entry({"segments": ["enterprise"], "bands": ["at_risk"]}), FACTS)
    assert [(s.condition.name, s.holds) for s in refused.seen] == [("segment", False), ("health", True)]
    assert read_entry({}).everybody and enters(read_entry({}), Facts()).holds
    assert not enters(read_entry({"conditions": [one("score", "health", "above", 80)]}), FACTS).holds


@pytest.mark.parametrize(
    ("days", "last", "may"),
    [
        (0, Reentry(MONDAY, MONDAY), True),
        (None, None, True),
        (None, Reentry(MONDAY, MONDAY), False),
        (7, Reentry(MONDAY, MONDAY + timedelta(days=4)), False),
        (7, Reentry(MONDAY, MONDAY + timedelta(days=3)), True),
    ],
)
def test_a_play_comes_back_when_it_may(days: int | None, last: Reentry | None, may: bool) -> None:
    assert may_enter_again(days, last, MONDAY + timedelta(days=10)) is may


def test_an_exit_needs_its_days_in_a_row() -> None:
    exits = read_exits(
        [{"outcome": "recovered", "days": 2, "conditions": [one("band", "health", "is", "at_risk")]}]
    )
    away, streaks = Facts(bands={"health": "critical"}), Streaks()
    outcomes = []
    for offset, facts in enumerate([FACTS, FACTS, away, FACTS, FACTS, FACTS]):
        look = look_at_exits(exits, streaks, facts, MONDAY + timedelta(days=offset))
        streaks = read_streaks(look.streaks.to_dict())
        outcomes.append(look.fulfilled)
    assert outcomes == [None, None, None, None, None, 0]
    assert look.verdict is not None and look.verdict.holds


@pytest.mark.parametrize(("back", "expected"), [(True, [None, None, None, 0]), (False, [0, 0, None, 0])])
def test_what_must_come_back_does_not_count_while_it_was_never_gone(
    back: bool, expected: list[int | None]
) -> None:
    exits = read_exits(
        [
            {
                "outcome": "recovered",
                "days": 0,
                "back": back,
                "conditions": [one("band", "health", "is", "at_risk")],
            }
        ]
    )
    streaks, found = Streaks(), []
    for offset, facts in enumerate([FACTS, FACTS, Facts(bands={"health": "critical"}), FACTS]):
        look = look_at_exits(exits, streaks, facts, MONDAY + timedelta(days=offset))
        streaks = read_streaks(look.streaks.to_dict())
        found.append(look.fulfilled)
    assert found == expected


def test_the_first_of_several_criteria_decides() -> None:
    exits = read_exits(
        [
            {"outcome": "no_effect", "days": 0, "conditions": [one("score", "health", "above", 90)]},
            {"outcome": "expanded", "days": 0, "conditions": [one("field", "mrr", "above", 400)]},
            {"outcome": "recovered", "days": 0, "conditions": [one("band", "health", "is", "at_risk")]},
        ]
    )
    assert look_at_exits(exits, Streaks(), FACTS, MONDAY).fulfilled == 1


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ([{"outcome": "fine", "conditions": [one("score", "health", "above", 1)]}], "outcome"),
        ([{"outcome": "recovered", "conditions": []}], "no_condition"),
        ([{"outcome": "recovered", "days": -1, "conditions": []}], "days"),
        ([{"outcome": "recovered"}] * 5, "too_many"),
    ],
)
def test_exits_that_make_no_sense_are_refused(raw: object, code: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        read_exits(raw)
    assert refused.value.code == code


def held(count: int, pct: float, play: str = "save") -> set[int]:
    return {
        n
        for n in range(count)
        if is_held_out(tenant_id=1, playbook_key=play, account_key=f"a{n}", holdout_pct=pct)
    }


def test_the_hold_out_group_is_the_same_every_time_and_about_as_large_as_asked() -> None:
    assert held(2000, 0) == set()
    ten, twenty = held(2000, 10), held(2000, 20)
    assert ten == held(2000, 10)
    assert ten < twenty  # raising the share keeps who was held out
    assert 150 < len(ten) < 250 and 340 < len(twenty) < 460
    assert held(2000, 10, "other") != ten


def test_wilson_and_newcombe_agree_with_the_published_examples() -> None:
    # Newcombe 1998, table II, method 10: 56/70 against 48/80 and 9/10 against 3/10
    low, high = newcombe(Arm(70, 56), Arm(80, 48))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    low, high = newcombe(Arm(10, 9), Arm(10, 3))
    assert (round(low, 4), round(high, 4)) == (0.1705, 0.8090)
    assert [round(x, 4) for x in wilson(81, 263)] == [0.2553, 0.3662]  # Newcombe 1998, one proportion
    assert wilson(0, 0) == (0.0, 1.0)


def test_lift_is_silent_until_both_groups_are_large_enough() -> None:
    few = lift(Arm(200, 100), Arm(19, 2))
    assert (few.enough, few.difference, few.missing) == (False, None, 1)
    found = lift(Arm(200, 100), Arm(20, 5), 7)
    assert found.enough and found.difference == 0.25
    assert found.low is not None and found.high is not None and found.low < 0.25 < found.high
    assert found.open == 7
