"""How a run walks through its steps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from playbooks.storyline import Beat, Stretch, walk

MONDAY = date(2026, 3, 2)
CALL = Beat(id=11, position=1, kind="task", due_in_days=1)
PAUSE = Beat(id=12, position=2, kind="wait", due_in_days=5)
CHECK = Beat(id=13, position=3, kind="task", due_in_days=2)
AFTER_PAUSE = date(2026, 3, 9)


def test_tasks_up_to_the_first_wait_are_made_at_once() -> None:
    stretch = walk([CALL, PAUSE, CHECK], position=1, start=MONDAY, day=MONDAY)
    assert stretch == Stretch(((11, date(2026, 3, 3)),), next_position=3, wait_until=AFTER_PAUSE)


def test_the_walk_goes_on_when_the_wait_is_over_and_not_a_day_before() -> None:
    rest = Stretch(((13, date(2026, 3, 11)),), None, None)
    assert walk([CALL, PAUSE, CHECK], position=3, start=AFTER_PAUSE, day=AFTER_PAUSE) == rest


def test_a_late_beat_gives_the_same_dates_as_a_punctual_one() -> None:
    punctual = walk([CALL, PAUSE, CHECK], position=3, start=AFTER_PAUSE, day=AFTER_PAUSE)
    late = walk([CALL, PAUSE, CHECK], position=3, start=AFTER_PAUSE, day=AFTER_PAUSE + timedelta(days=30))
    assert late == punctual
    everything = walk([CALL, PAUSE, CHECK], position=1, start=MONDAY, day=AFTER_PAUSE + timedelta(days=30))
    assert everything.tasks == ((11, date(2026, 3, 3)), *punctual.tasks)


def test_steps_are_walked_by_position_whatever_order_they_come_in() -> None:
    assert walk([CHECK, PAUSE, CALL], position=1, start=MONDAY, day=MONDAY) == walk(
        [CALL, PAUSE, CHECK], position=1, start=MONDAY, day=MONDAY
    )


def test_a_wait_at_the_end_keeps_the_run_until_it_is_over() -> None:
    halted = walk([CALL, PAUSE], position=1, start=MONDAY, day=MONDAY)
    assert (halted.next_position, halted.wait_until) == (3, AFTER_PAUSE)
    assert walk([CALL, PAUSE], position=3, start=AFTER_PAUSE, day=AFTER_PAUSE) == Stretch((), None, None)


def test_a_kind_that_cannot_be_carried_out_is_refused_loudly() -> None:
    with pytest.raises(ValueError, match="'email'"):
        walk([Beat(1, 1, "email", 0)], position=1, start=MONDAY, day=MONDAY)
