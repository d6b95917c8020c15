"""What opens, waits and resolves, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from alerts.lifecycle import Key, Memory, Patience, Standing, remember, step
from alerts.precision import suggest, wilson

DAY = date(2026, 3, 2)
KEY: Key = (1, "")


def walk(story: str, patience: Patience, memory: Memory | None = None) -> str:
    """One letter a day: `f` fires, `c` surely does not hold, `.` neither, `s` suspended → what happens to the alert."""
    memory, said = memory or Memory(), ""
    for n, sign in enumerate(story):
        day = DAY + timedelta(days=n)
        moves = step(
            memory,
            fires={KEY} if sign == "f" else set(),
            cleared={KEY} if sign == "c" else set(),
            gone=set(),
            day=day,
            patience=patience,
            suspended=sign == "s",
        )
        assert not (moves.opened and moves.resolved)
        remember(memory, moves, day)
        said += "O" if moves.opened else "R" if moves.resolved else "-" if not memory.open else "o"
    return said


@pytest.mark.parametrize(
    ("patience", "story", "told"),
    [
        (Patience(), "f.fc", "OooR"),
        (Patience(cooldown_days=3), "fcffff", "OR--Oo"),
        (Patience(cooldown_days=0), "fcf", "ORO"),  # never on the day on which it ended, always from the next
        (Patience(dwell_days=2), "ffff", "--Oo"),
        (Patience(dwell_days=2), "ff.fff", "-----O"),
        (Patience(clear_days=3, cooldown_days=0), "fccfcccc", "OoooooR-"),
        (Patience(clear_days=2, cooldown_days=0), "fc.cc", "Oooo" + "R"),
        (Patience(cooldown_days=0, reentry_max=2, reentry_days=30), "fcfcfcf", "OROR---"),
        (Patience(cooldown_days=0, reentry_max=1, reentry_days=3), "fcfcf", "OR-" + "-" + "O"),
        (Patience(), "sfsc", "-OoR"),
    ],
)
def test_patience(patience: Patience, story: str, told: str) -> None:
    assert walk(story, patience) == told


def test_a_baseline_blocks_until_it_has_cleared_once() -> None:
    assert walk("ff.fcf", Patience(cooldown_days=0), Memory(baseline={KEY})) == "-----O"


def test_an_account_that_is_not_meant_any_more_resolves_at_once() -> None:
    memory = Memory(open={KEY: Standing(DAY, DAY)})
    moves = step(
        memory,
        fires={KEY},
        cleared=set(),
        gone={KEY},
        day=DAY + timedelta(days=1),
        patience=Patience(clear_days=9),
    )
    assert (moves.resolved, moves.opened) == ([KEY], [])


def test_a_past_day_undoes_nothing_that_came_later() -> None:
    later = DAY + timedelta(days=5)
    memory = Memory(open={KEY: Standing(DAY, later)})
    moves = step(memory, fires=set(), cleared={KEY}, gone=set(), day=DAY, patience=Patience())
    assert moves.resolved == []


def test_a_snooze_ends_on_its_date() -> None:
    until = DAY + timedelta(days=3)
    memory = Memory(open={KEY: Standing(DAY, DAY, until, True)})
    quiet: Sequence[Key] = ()
    for n, woken in ((1, []), (3, [KEY])):
        day = DAY + timedelta(days=n)
        assert (
            step(memory, fires={KEY}, cleared=quiet, gone=quiet, day=day, patience=Patience()).woken == woken
        )


def test_the_interval_of_a_share() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)  # the textbook's example
    assert wilson(0, 0) == (0.0, 1.0)
    assert 0.72 < wilson(10, 10)[0] < wilson(10, 10)[1] <= 1.0


def test_a_threshold_is_suggested_where_it_spares_noise() -> None:
    useful, noise = [(10 + n, True) for n in range(20)], [(31 + n, False) for n in range(10)]
    found = suggest([*useful, *noise], fires_below=True)
    assert found is not None
    assert (found.noise_spared, found.noise) == (10, 10)
    assert (found.useful_kept, found.useful) == (20, 20)
    assert found.threshold == 29
    assert suggest([*useful[:9], *noise], fires_below=True) is None  # 19 judged say too little
    assert (
        suggest([*useful, *[(1.0, False)] * 5], fires_below=True) is None
    )  # the noise lies deepest: nothing to spare
    other = suggest([*useful, *[(5.0, False)] * 5], fires_below=False)
    assert other is not None
    assert (other.threshold, other.noise_spared) == (10, 5)
