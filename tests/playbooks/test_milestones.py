"""When a milestone of onboarding is reached, with every edge of the thresholds, and what is on track."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from playbooks.onboarding.milestones import (
    Facts,
    Finding,
    Week,
    judge,
    phase_on,
    state_of,
    weeks_between,
    worst_of,
)
from playbooks.onboarding.shipped import BY_KEY, SHIPPED
from usage.starter import starter_name

MONDAY = date(2026, 3, 2)


def facts(
    *weeks: dict[str, Any], partial_first: bool = False, partial_last: bool = False, **more: Any
) -> Facts:
    """Weeks in a row from a Monday on; `by_value` among the values goes where it belongs."""
    made = []
    for place, values in enumerate(weeks):
        monday = MONDAY + timedelta(weeks=place)
        complete = not (partial_first and place == 0) and not (partial_last and place == len(weeks) - 1)
        by_value = values.pop("by_value", {})
        made.append(Week(monday, monday + timedelta(days=6), complete, values, by_value))
    return Facts(made, **more)


def shipped(key: str, given: Facts, **changes: Any) -> Finding:
    one = BY_KEY[key]
    return judge(one.kind, one.params | changes, given)


def sunday(place: int) -> date:
    return MONDAY + timedelta(weeks=place, days=6)


@pytest.mark.parametrize(
    ("days", "reached", "progress"),
    [
        ([2, 2], 1, 1.0),
        ([2, 1, 2, 2], 3, 1.0),
        ([2, 1, 2], None, 0.5),  # two weeks, but not in a row
        ([1, 7], None, 0.5),
        ([0, 0], None, 0.0),
        ([None, 2], None, 0.5),  # nobody delivered the first week
        ([2, None, 2], None, 0.5),
        ([3, 3, 0, 0], 1, 1.0),  # what was reached stays reached
        ([], None, 0.0),
    ],
)
def test_weekly_usage(days: list[float | None], reached: int | None, progress: float) -> None:
    found = shipped("weekly_usage", facts(*({"active_days": n} for n in days)))
    assert found.reached_on == (None if reached is None else sunday(reached))
    assert found.progress == progress


def test_unfinished_weeks_do_not_count() -> None:
    whole = [{"active_days": 5}, {"active_days": 5}]
    assert shipped("weekly_usage", facts(*map(dict, whole))).reached_on == sunday(1)
    assert shipped("weekly_usage", facts(*map(dict, whole), partial_last=True)).reached_on is None
    assert shipped("weekly_usage", facts(*map(dict, whole), partial_first=True)).reached_on is None


@pytest.mark.parametrize(
    ("volumes", "reached"),
    [
        ([10, 20], 1),
        ([10, 19], None),
        ([10, 19.999, 20], 2),
        ([0, 0, 5, 10], 3),  # the first week is the first in which anything was done
        ([10], None),
        ([None, 4, 8], 2),
        ([0, 0], None),
    ],
)
def test_twice_the_first_week(volumes: list[float | None], reached: int | None) -> None:
    given = facts(*({"sends": n} for n in volumes))
    found = judge("growth", {"metric": "sends", "factor": 2, "weeks": 1}, given)
    assert found.reached_on == (None if reached is None else sunday(reached))
    assert found.progress < 1 or reached is not None


def test_the_way_to_twice_the_first_week_is_progress() -> None:
    found = judge("growth", {"metric": "s", "factor": 2, "weeks": 1}, facts({"s": 10}, {"s": 15}))
    assert found.progress == pytest.approx(0.5)
    assert found.evidence["base"] == 10


@pytest.mark.parametrize(
    ("key", "metric", "counts", "reached", "progress"),
    [
        ("first_demos", "demos_booked", [1, 1], 1, 1.0),
        ("first_demos", "demos_booked", [1, 0, 0], None, 0.5),
        ("first_demos", "demos_booked", [2], 0, 1.0),
        ("first_demos", "demos_booked", [0], None, 0.0),
        ("dashboard", "dashboards_active", [0, 1], 1, 1.0),
        ("dashboard", "dashboards_active", [None], None, 0.0),
        ("email_sequence", "email_sequences", [1], 0, 1.0),
        ("email_sequence", "email_sequences", [0], None, 0.0),
    ],
)
def test_totals(
    key: str, metric: str, counts: list[float | None], reached: int | None, progress: float
) -> None:
    found = shipped(key, facts(*({metric: n} for n in counts), partial_last=True))
    assert found.reached_on == (None if reached is None else sunday(reached))
    assert found.progress == progress


@pytest.mark.parametrize(
    ("pairs", "reached", "run"),
    [
        ([(20, 100)] * 4, 3, 4),  # exactly 20 % is enough
        ([(20, 100)] * 3 + [(199, 1000)], None, 0),
        ([(3, 15)] * 4, 3, 4),
        ([(19, 100)] + [(50, 100)] * 3, None, 3),
        ([(1, 1), (0, 99)] + [(30, 100)] * 4, 5, 4),  # pooled within a week, never across weeks
        ([(5, 10), (0, 0), (5, 10), (5, 10), (5, 10)], None, 3),  # a week without messages breaks the row
        ([(5, 10), (None, None), (5, 10), (5, 10), (5, 10)], None, 3),
    ],
)
def test_reply_rate(pairs: list[tuple[Any, Any]], reached: int | None, run: int) -> None:
    found = shipped("reply_rate", facts(*({"replies": top, "sends": bottom} for top, bottom in pairs)))
    assert found.reached_on == (None if reached is None else sunday(reached))
    assert found.evidence["run"] == run


def test_who_sends_direct_messages_only_is_measured_on_them() -> None:
    weeks = [{"replies": 2, "sends": 0, "dms": 10}] * 4
    found = shipped("reply_rate", facts(*map(dict, weeks)))
    assert found.reached_on == sunday(3)
    assert found.evidence["denominator"] == "dms"
    mixed = [{"replies": 2, "sends": 100, "dms": 10}] * 4
    assert shipped("reply_rate", facts(*map(dict, mixed))).reached_on is None


@pytest.mark.parametrize(
    ("pairs", "reached"),
    [
        ([(1, 5)] * 4, 3),
        ([(1, 5), (0, 0), (1, 5), (1, 4), (1, 1)], 4),  # a week without a demo says nothing
        ([(1, 5), (0, 3), (1, 5), (1, 4), (1, 1)], None),
        ([(19, 100)] * 4, None),
    ],
)
def test_close_rate(pairs: list[tuple[int, int]], reached: int | None) -> None:
    found = shipped("close_rate", facts(*({"closes": top, "demos_held": bottom} for top, bottom in pairs)))
    assert found.reached_on == (None if reached is None else sunday(reached))


@pytest.mark.parametrize(
    ("weeks", "reached", "progress"),
    [
        ([{"a": 2, "b": 2}], 0, 1.0),
        ([{"a": 5, "b": 1}], None, 0.75),  # two for each product, not four in all
        ([{"a": 1}, {"a": 1, "b": 1}, {"b": 1}], 2, 1.0),
        ([{"a": 2}, {"b": 1}], 0, 1.0),  # reached with the products there were
        ([{}], None, 0.0),
    ],
)
def test_winning_variants(weeks: list[dict[str, float]], reached: int | None, progress: float) -> None:
    given = facts(*({"ab_winners": float(sum(w.values())), "by_value": {"ab_winners": w}} for w in weeks))
    found = shipped("winning_variants", given)
    assert found.reached_on == (None if reached is None else sunday(reached))
    assert found.progress == progress


def test_winning_variants_without_products() -> None:
    assert shipped("winning_variants", facts({"ab_winners": 1}, {"ab_winners": 1})).reached_on == sunday(1)


@pytest.mark.parametrize(
    ("values", "reached"), [([None, 250_000], 1), ([0], 0), ([-5], 0), ([None], None), ([], None)]
)
def test_roi_is_quantified(values: list[float | None], reached: int | None) -> None:
    found = shipped("roi", facts(*({"roi_cents": v} for v in values)))
    assert found.reached_on == (None if reached is None else sunday(reached))


def test_an_expansion_play_is_identified_by_its_metric_or_by_a_run() -> None:
    by_metric = shipped("expansion", facts({"expansion_open": 0}, {"expansion_open": 1}))
    assert by_metric.reached_on == sunday(1)
    ran = MONDAY + timedelta(days=2)
    by_run = shipped("expansion", facts({"expansion_open": None}, plays={"expansion_sequence": ran}))
    assert (by_run.reached_on, by_run.evidence["play"]) == (ran, "expansion_sequence")
    assert shipped("expansion", facts({"expansion_open": 0}, plays={"another": ran})).reached_on is None


def test_a_hand_ticked_milestone_has_no_finding() -> None:
    assert judge("hand", {}, facts({"sends": 5})) == Finding()


def test_what_nobody_delivers_is_said() -> None:
    assert shipped("dashboard", facts({"dashboards_active": None})).evidence["no_data"]
    known = facts({"dashboards_active": 0}, delivered=frozenset({"dashboards_active"}))
    assert not shipped("dashboard", known).evidence["no_data"]


def test_weeks_of_a_plan() -> None:
    wednesday = date(2026, 3, 4)
    weeks = weeks_between(wednesday, date(2026, 3, 16))
    assert weeks == [
        (date(2026, 3, 2), date(2026, 3, 8), False),  # began in the middle of it
        (date(2026, 3, 9), date(2026, 3, 15), True),
        (date(2026, 3, 16), date(2026, 3, 16), False),  # has not ended
    ]
    assert weeks_between(MONDAY, MONDAY + timedelta(days=6))[0][2]
    assert weeks_between(MONDAY, MONDAY + timedelta(days=5))[0][2] is False
    assert weeks_between(wednesday, date(2026, 3, 1)) == []


@pytest.mark.parametrize(
    ("phase", "day", "progress", "moved", "state"),
    [
        (1, 0, 0.0, None, "on_track"),
        (1, 15, 0.0, None, "on_track"),
        (1, 16, 0.0, None, "behind"),  # more than half of the window behind
        (1, 28, 0.0, None, "behind"),
        (1, 29, 0.0, None, "stuck"),  # behind for 14 days
        (1, 16, 0.1, 10, "on_track"),
        (1, 37, 0.5, 10, "on_track"),  # a quarter beyond the end is forgiven
        (1, 38, 0.5, 10, "behind"),
        (1, 52, 0.5, 10, "stuck"),
        (1, 52, 0.5, 45, "behind"),  # it moved a week ago
        (2, 30, 0.0, None, "upcoming"),
        (2, 31, 0.0, None, "on_track"),
        (2, 46, 0.0, None, "behind"),
        (3, 60, 0.0, None, "upcoming"),
        (3, 61, 0.9, 50, "on_track"),
        (3, 98, 0.9, 50, "behind"),
        (1, -5, 0.0, None, "upcoming"),
    ],
)
def test_state_of_a_milestone(phase: int, day: int, progress: float, moved: int | None, state: str) -> None:
    assert state_of(phase=phase, day_number=day, progress=progress, moved_day=moved) == state


def test_a_reached_milestone_is_done_whenever_it_was() -> None:
    assert state_of(phase=3, day_number=-1, progress=0, done=True) == "done"


def test_a_plan_is_as_good_as_its_worst_open_milestone() -> None:
    assert worst_of(["done", "behind", "on_track", "upcoming"]) == "behind"
    assert worst_of(["done", "behind", "stuck"]) == "stuck"
    assert worst_of(["done", "upcoming"]) == "on_track"
    assert worst_of(["done", "done"]) == "done"
    assert worst_of([]) == "on_track"


def test_phases_by_day() -> None:
    assert [phase_on(day) for day in (-3, 0, 30, 31, 60, 61, 90, 400)] == [1, 1, 1, 2, 2, 3, 3, 3]


def test_three_milestones_ship_for_each_phase() -> None:
    assert [one.phase for one in SHIPPED] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_shipped_metric_names_are_said_in_the_readers_language() -> None:
    assert starter_name("demos_booked", "Demos booked", "es") == "Demos agendadas"
    assert starter_name("demos_booked", "Our demos", "es") == "Our demos"
    assert starter_name("own_metric", "Own", "es") == "Own"
