"""How a run walks through its steps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from playbooks.criteria import Condition, Facts
from playbooks.engine import MAX_VISITS, Beat, Place, Walk, advance, faults_of
from playbooks.workdays import Calendar

MONDAY = date(2026, 3, 2)
CALENDAR = Calendar()
CALL = Beat(id=11, position=1, kind="task", days=1)
PAUSE = Beat(id=12, position=2, kind="wait", days=5)
CHECK = Beat(id=13, position=3, kind="task", days=2)
AFTER_PAUSE = date(2026, 3, 9)
HEALTHY = Condition("band", "health", "is", "healthy")
START = Place(1, MONDAY)


def seen(band: str) -> Facts:
    return Facts(bands={"health": band})


def go(beats: list[Beat], place: Place = START, *, day: date = MONDAY, facts: Facts | None = None) -> Walk:
    return advance(beats, place, facts or Facts(), day=day, calendar=CALENDAR)


def steps(walk: Walk) -> list[tuple[int, date]]:
    return [(reached.step_id, reached.on) for reached in walk.reached]


def test_steps_up_to_the_first_wait_are_reached_at_once() -> None:
    walk = go([CALL, PAUSE, CHECK])
    assert steps(walk) == [(11, MONDAY), (12, MONDAY)]
    assert walk.place == Place(2, MONDAY, AFTER_PAUSE, {11: 1, 12: 1})
    assert (walk.reached[1].left_on, walk.reached[1].waits_until) == (None, AFTER_PAUSE)


def test_the_walk_goes_on_when_the_wait_is_over_and_not_a_day_before() -> None:
    halted = go([CALL, PAUSE, CHECK]).place
    early = go([CALL, PAUSE, CHECK], halted, day=AFTER_PAUSE - timedelta(days=1))
    assert early.place == halted
    walk = go([CALL, PAUSE, CHECK], halted, day=AFTER_PAUSE)
    assert steps(walk) == [(12, MONDAY), (13, AFTER_PAUSE)]
    assert walk.reached[0].left_on == AFTER_PAUSE
    assert walk.place == Place(None, AFTER_PAUSE, None, {11: 1, 12: 1, 13: 1})


def test_a_late_beat_gives_the_same_days_as_a_punctual_one() -> None:
    halted = go([CALL, PAUSE, CHECK]).place
    punctual = go([CALL, PAUSE, CHECK], halted, day=AFTER_PAUSE)
    assert go([CALL, PAUSE, CHECK], halted, day=AFTER_PAUSE + timedelta(days=30)) == punctual
    everything = go([CALL, PAUSE, CHECK], day=AFTER_PAUSE + timedelta(days=30))
    assert steps(everything) == [(11, MONDAY), (12, MONDAY), (13, AFTER_PAUSE)]


def test_steps_are_walked_by_position_whatever_order_they_come_in() -> None:
    assert go([CHECK, PAUSE, CALL]) == go([CALL, PAUSE, CHECK])


def test_a_wait_counts_calendar_days_when_it_says_so() -> None:
    weekend = Beat(id=12, position=2, kind="wait", days=5, working=False)
    assert go([CALL, weekend, CHECK]).place.deadline == date(2026, 3, 7)


def test_a_wait_skips_the_holidays_of_the_calendar() -> None:
    calendar = Calendar(free=frozenset({date(2026, 3, 4)}))
    walk = advance([CALL, PAUSE, CHECK], START, Facts(), day=MONDAY, calendar=calendar)
    assert walk.place.deadline == date(2026, 3, 10)


@pytest.mark.parametrize(
    ("band", "day", "expected"),
    [
        ("healthy", MONDAY, [(12, MONDAY), (13, MONDAY)]),
        ("at_risk", MONDAY + timedelta(days=3), [(12, MONDAY)]),
        ("healthy", MONDAY + timedelta(days=3), [(12, MONDAY), (13, MONDAY + timedelta(days=3))]),
        ("at_risk", AFTER_PAUSE, [(12, MONDAY), (14, AFTER_PAUSE)]),
        # Looked at late: it came, but nobody knows when, so the wait lasted until its end.
        ("healthy", AFTER_PAUSE + timedelta(days=9), [(12, MONDAY), (13, AFTER_PAUSE)]),
    ],
)
def test_a_wait_for_a_condition_ends_with_it_or_in_vain(
    band: str, day: date, expected: list[tuple[int, date]]
) -> None:
    wait = Beat(id=12, position=2, kind="wait", days=5, conditions=(HEALTHY,), otherwise="late")
    good = Beat(id=13, position=3, kind="task", then="end")
    late = Beat(id=14, position=4, kind="task", label="late")
    walk = go([wait, good, late], Place(2, MONDAY), day=day, facts=seen(band))
    assert steps(walk) == expected
    if len(expected) > 1:
        assert walk.reached[0].note == ("in_vain" if expected[1][0] == 14 else "")


@pytest.mark.parametrize(("band", "way"), [("healthy", [1, 2, 4]), ("critical", [1, 3, 4]), ("", [1, 3, 4])])
def test_a_branch_goes_the_way_of_the_facts_and_the_ways_meet_again(band: str, way: list[int]) -> None:
    beats = [
        Beat(1, 1, "branch", conditions=(HEALTHY,), otherwise="bad"),
        Beat(2, 2, "task", then="both"),
        Beat(3, 3, "task", label="bad"),
        Beat(4, 4, "task", label="both"),
    ]
    walk = go(beats, facts=seen(band) if band else Facts())
    assert [reached.step_id for reached in walk.reached] == way
    verdict = walk.reached[0].verdict
    assert verdict is not None and verdict.seen[0].observed == (band or None)


def test_a_loop_with_a_wait_counts_its_visits_and_ends() -> None:
    beats = [
        Beat(1, 1, "task", label="again"),
        Beat(2, 2, "wait", days=1, working=False),
        Beat(3, 3, "branch", conditions=(HEALTHY,), then="end", otherwise="again"),
        Beat(4, 4, "task"),
    ]
    walk = go(beats, day=MONDAY + timedelta(days=365), facts=seen("critical"))
    visits = [reached.visit for reached in walk.reached if reached.step_id == 1]
    assert visits == list(range(1, MAX_VISITS + 2))
    assert any(reached.note == "too_often" for reached in walk.reached)
    assert walk.place.position is None


def test_a_run_that_is_held_back_goes_on_with_its_step_on_the_day() -> None:
    held = Place(3, MONDAY, AFTER_PAUSE)  # as runs stood before waits were steps of their own
    assert go([CALL, PAUSE, CHECK], held, day=AFTER_PAUSE - timedelta(days=1)).reached == ()
    walk = go([CALL, PAUSE, CHECK], held, day=AFTER_PAUSE)
    assert steps(walk) == [(13, AFTER_PAUSE)]


def test_a_wait_at_the_end_keeps_the_run_until_it_is_over() -> None:
    halted = go([CALL, PAUSE]).place
    assert (halted.position, halted.deadline) == (2, AFTER_PAUSE)
    assert go([CALL, PAUSE], halted, day=AFTER_PAUSE).place.position is None


def test_nights_of_changing_clocks_and_the_29th_of_february_are_days_like_others() -> None:
    four_weeks = Beat(id=1, position=1, kind="wait", days=28, working=False)
    assert go([four_weeks], Place(1, date(2026, 3, 1)), day=date(2026, 3, 1)).place.deadline == date(
        2026, 3, 29
    )
    assert go([four_weeks], Place(1, date(2026, 9, 27)), day=date(2026, 9, 27)).place.deadline == date(
        2026, 10, 25
    )
    two_days = Beat(id=1, position=1, kind="wait", days=2)
    assert go([two_days], Place(1, date(2028, 2, 28)), day=date(2028, 2, 28)).place.deadline == date(
        2028, 3, 1
    )


def test_a_kind_that_nobody_knows_is_refused_loudly() -> None:
    with pytest.raises(ValueError, match="'fax'"):
        go([Beat(1, 1, "fax")])


@pytest.mark.parametrize(
    ("beats", "codes"),
    [
        ([CALL, PAUSE, CHECK], []),
        ([Beat(1, 1, "task", label="a"), Beat(2, 2, "task", label="a")], ["label_twice"]),
        ([Beat(1, 1, "task", label="end")], ["label_twice"]),
        ([Beat(1, 1, "task", then="nowhere")], ["no_such_label"]),
        ([Beat(1, 1, "branch"), Beat(2, 2, "task")], ["no_condition"]),
        ([Beat(1, 1, "task", then="end"), Beat(2, 2, "task")], ["unreachable"]),
        (
            [
                Beat(1, 1, "task", label="a"),
                Beat(2, 2, "branch", conditions=(HEALTHY,), otherwise="a"),
                Beat(3, 3, "task"),
            ],
            ["restless", "restless"],
        ),
        (
            [
                Beat(1, 1, "wait", days=1, label="a"),
                Beat(2, 2, "branch", conditions=(HEALTHY,), otherwise="a"),
                Beat(3, 3, "task"),
            ],
            [],
        ),
    ],
)
def test_faults_in_the_order_of_steps_are_found(beats: list[Beat], codes: list[str]) -> None:
    assert [fault.code for fault in faults_of(beats)] == codes
