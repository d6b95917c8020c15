"""Bands near a threshold: pure tables, the day-by-day oracle, and what is stored night by night."""

from __future__ import annotations

import math
import os
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.fence.scope import tenant_scope
from scoring.bands import UNKNOWN, Bands
from scoring.models import CurrentScore, ScoreModel, StoredScore, Version
from scoring.services import create_draft, publish_version, save_draft, score_accounts
from tests.scoring.conftest import World
from tests.scoring.oracle import bands_day_by_day

NAN = math.nan
STORIES = 10_000 if os.environ.get("CS_FULL") else 300
U, C, R, H = 0, 1, 2, 3  # unknown, critical, at risk, healthy

TABLES: list[tuple[Bands, list[float], list[int]]] = [
    (Bands(), [79, 81, 80, 60, 59.9, NAN, 81], [R, H, R, R, C, U, H]),
    # 5 points beyond: above 85 up, down to 75 and lower; under 55 down, from 65 up
    (Bands(points=5), [79, 85, 85.1, 75.1, 75, 81], [R, R, H, H, R, R]),
    (Bands(points=5), [61, 55, 54.9, 64.9, 65, 86, 54], [R, R, C, C, R, H, C]),
    (Bands(points=5), [79, NAN, 81, 76], [R, U, H, H]),
    # two days in a row across
    (Bands(runs=2), [79, 81, 79, 81, 82, 79, 81, 79, 78], [R, R, R, R, H, H, H, H, R]),
    (
        Bands(runs=2),
        [81, 70, 59, 58, 81],
        [H, H, R, C, C],
    ),  # two days below 80, one below 60: one step at a time
    (Bands(runs=3), [81, 70, 70, NAN, 70], [H, H, H, U, R]),
    (Bands(runs=3), [NAN, 81, 70, 70, 70], [U, H, H, H, R]),
]


def column(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


@pytest.mark.parametrize(("bands", "scores", "expected"), TABLES)
def test_a_band_changes_only_as_far_as_its_memory_lets_it(
    bands: Bands, scores: list[float], expected: list[int]
) -> None:
    plain = bands.classify(column(scores))
    assert bands.settle(column(scores), plain).ravel().tolist() == expected


def test_with_no_points_and_one_run_the_score_alone_decides() -> None:
    scores = np.linspace(0, 100, 201)[:, None]
    plain = Bands().classify(scores)
    for bands in (Bands(), Bands(points=0.0), Bands(runs=1)):
        np.testing.assert_array_equal(bands.settle(scores, plain), plain)
        assert bands.remembers == 0


FAULTS = [
    (Bands(points=30), "hysteresis.points", "between 0 and 25"),
    (Bands(points=20), "hysteresis.points", "could never be reached"),
    (Bands(above=99, below=10, points=10), "hysteresis.points", "could never be reached"),
    (Bands(runs=0), "hysteresis.runs", "between 1 and 14"),
    (Bands(runs=2, points=3), "hysteresis", "not both"),
    (Bands(above=50, below=60), "bands", "the lower one first"),
]


@pytest.mark.parametrize(("bands", "path", "words"), FAULTS)
def test_thresholds_that_make_no_sense_say_so(bands: Bands, path: str, words: str) -> None:
    problems = bands.problems()
    assert [where for where, _ in problems] == [path]
    assert words in problems[0][1]


def test_a_threshold_at_the_end_closes_its_band_and_is_no_fault_of_the_points() -> None:
    assert Bands(above=100, below=0, points=10).problems() == []


@st.composite
def some_bands(draw: st.DrawFn) -> Bands:
    below, above = sorted((draw(st.integers(30, 90)), draw(st.integers(30, 90))))
    if draw(st.booleans()):
        return Bands("health", above, below, points=draw(st.integers(0, 9)))
    return Bands("health", above, below, runs=draw(st.integers(1, 5)))


day = st.one_of(st.none(), st.integers(25, 95).map(float))


@given(some_bands(), st.lists(day, min_size=1, max_size=25), st.data())
@settings(max_examples=STORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bands_agree_with_the_day_by_day_oracle_however_the_days_are_cut(
    bands: Bands, days: list[float | None], data: st.DataObject
) -> None:
    scores = column([NAN if value is None else value for value in days])
    plain = bands.classify(scores)
    low = np.array([data.draw(st.booleans()) if value and value > 90 else False for value in days])
    plain[low] = UNKNOWN  # coverage
    whole = bands.settle(scores, plain)
    assert whole.ravel().tolist() == bands_day_by_day(bands, days, plain.ravel().tolist())
    cut = data.draw(st.integers(0, len(days)))
    first = bands.settle(scores[:cut], plain[:cut])
    back = bands.remembers
    before = list(zip(plain[:cut], first, strict=True))[max(0, cut - back) :] if back else []
    second = bands.settle(scores[cut:], plain[cut:], before)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)


def definition(hysteresis: dict[str, Any] | None) -> dict[str, Any]:
    """A score that is a pushed number, so that a test says what it is on each day."""
    made: dict[str, Any] = {
        "components": [
            {
                "key": "only",
                "name": "Only",
                "weight": 100,
                "measures": [
                    {
                        "metric": "oldest_open_ticket_hours",
                        "aggregate": "latest",
                        "scale": {"kind": "identity"},
                    }
                ],
            }
        ]
    }
    return made | ({"hysteresis": hysteresis} if hysteresis else {})


def publish(world: World, hysteresis: dict[str, Any] | None, since: int = 30) -> Version:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=definition(hysteresis))
        publish_version(tenant=world.tenant, version=draft)
        Version.objects.filter(pk=draft.pk).update(in_force_from=world.today - timedelta(days=since))
        return draft


def run(world: World, ago: int, first: int | None = None) -> None:
    with tenant_scope(world.tenant):
        first_day = None if first is None else world.today - timedelta(days=first)
        score_accounts(
            tenant=world.tenant,
            day=world.today - timedelta(days=ago),
            first_day=first_day,
            kinds=["health"],
        )


def stored(world: World) -> list[tuple[int, int, float | None, int]]:
    with tenant_scope(world.tenant):
        rows = StoredScore.objects.order_by("account_id", "day")
        return [
            (row[0], (world.today - row[1]).days, row[2], row[3])
            for row in rows.values_list("account_id", "day", "score", "band")
        ]


def current(world: World) -> list[tuple[Any, ...]]:
    with tenant_scope(world.tenant):
        return list(
            CurrentScore.objects.order_by("account_id").values_list(
                "account_id", "day", "score", "band", "previous_score", "previous_band"
            )
        )


STORY = [78, 82, 84, 86, 79, 76, 74, 81, 58, 54, 63, 66, 90]


def tell(world: World) -> None:
    """Three accounts whose scores cross the thresholds in different ways; the second is not known on one day."""
    for shift, name in enumerate(("ada", "bob", "eve")):
        world.account(name)
        for at, value in enumerate(STORY):
            if name == "bob" and at == 4:
                continue
            day = world.today - timedelta(days=len(STORY) - 1 - at)
            world.state(name, day, oldest_open_ticket_hours=float(value + 3 * shift))


@pytest.mark.parametrize("hysteresis", [{"points": 5}, {"runs": 3}, None], ids=["points", "runs", "off"])
def test_many_days_in_one_call_store_the_bands_that_each_night_alone_would(
    world: World, hysteresis: dict[str, Any] | None
) -> None:
    publish(world, hysteresis)
    tell(world)
    for ago in range(len(STORY) - 1, -1, -1):
        run(world, ago)
    nightly, newest = stored(world), current(world)
    with tenant_scope(world.tenant):
        StoredScore.objects.all()._raw_delete("default")
        CurrentScore.objects.all()._raw_delete("default")
    run(world, 6, first=len(STORY) - 1)
    run(world, 0, first=5)  # the second call must remember the first
    assert stored(world) == nightly
    assert current(world) == newest
    ada = [band for account, _ago, _score, band in nightly if account == world.accounts["ada"].pk]
    plain = Bands().classify(np.array(STORY, dtype=float)).tolist()
    bands = Bands(points=5) if hysteresis == {"points": 5} else Bands(runs=3) if hysteresis else Bands()
    assert ada == bands_day_by_day(bands, [float(value) for value in STORY], plain)
    assert (ada == plain) == (hysteresis is None)


def test_scoring_a_running_day_again_gives_the_same_band(world: World) -> None:
    publish(world, {"runs": 2})
    world.account("ada")
    for ago, value in ((2, 90), (1, 70), (0, 70)):
        world.state("ada", world.today - timedelta(days=ago), oldest_open_ticket_hours=float(value))
        run(world, ago)
    first = stored(world)
    run(world, 0)
    run(world, 1)
    run(world, 0, first=2)
    assert stored(world) == first
    assert [row[3] for row in first] == [H, H, R]


def test_the_first_day_of_a_version_is_banded_by_the_score_alone(world: World) -> None:
    publish(world, {"points": 10})
    world.account("ada")
    for ago, value in ((2, 95), (1, 75), (0, 75)):
        world.state("ada", world.today - timedelta(days=ago), oldest_open_ticket_hours=float(value))
    run(world, 1, first=2)
    assert [row[3] for row in stored(world)] == [H, H]
    publish(world, {"points": 10}, since=0)
    run(world, 0)
    assert [row[3] for row in stored(world)] == [H, H, R]


@pytest.mark.parametrize(("gap", "band"), [(8, H), (9, R)])
def test_after_a_gap_of_more_than_a_week_the_score_alone_decides(world: World, gap: int, band: int) -> None:
    publish(world, {"points": 10})
    world.account("ada")
    for ago, value in ((gap, 95), (0, 75)):
        world.state("ada", world.today - timedelta(days=ago), oldest_open_ticket_hours=float(value))
        run(world, ago)
    assert [row[3] for row in stored(world)] == [H, band]


def test_an_account_that_another_model_scored_in_between_starts_anew(world: World) -> None:
    version = publish(world, {"points": 10})
    world.account("ada")
    for ago, value in ((2, 95), (1, 95), (0, 75)):
        world.state("ada", world.today - timedelta(days=ago), oldest_open_ticket_hours=float(value))
        run(world, ago)
        if ago == 1:
            with tenant_scope(world.tenant):
                other = Version.objects.get(model__key="playbook")
                for table in (StoredScore, CurrentScore):
                    table.objects.filter(day=world.today - timedelta(days=1)).update(version_id=other.pk)
    assert [row[3] for row in stored(world)] == [H, H, R]
    assert version.hysteresis == "points"


@pytest.mark.parametrize("accounts", [1, 3])
def test_the_memory_costs_as_many_queries_for_any_number_of_accounts(
    world: World, accounts: int, django_assert_max_num_queries: Any
) -> None:
    publish(world, {"runs": 3})
    for number in range(accounts):
        world.account(f"a{number}")
        world.state(f"a{number}", world.today, oldest_open_ticket_hours=70.0)
    with tenant_scope(world.tenant), django_assert_max_num_queries(26):
        score_accounts(tenant=world.tenant, day=world.today, kinds=["health"])
