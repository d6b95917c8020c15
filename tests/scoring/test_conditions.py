"""What a score may depend on beside its measures: exceptions, targets by segment, tenure."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from accounts.fence.scope import tenant_scope
from scoring import scales
from scoring.bands import Bands
from scoring.engine import Circumstances, ComponentSpec, ExceptionSpec, MeasureSpec, ModelSpec, combine, score
from scoring.models import CurrentScore, ScoreModel
from scoring.selectors import explanation, score_details
from scoring.selectors.preview import preview
from scoring.services import create_draft, publish_version, save_draft, score_accounts
from tests.scoring.conftest import World
from tests.scoring.test_api import ask

NAN = float("nan")


def spec(*exceptions: ExceptionSpec) -> ModelSpec:
    return ModelSpec(
        (
            ComponentSpec("a", "A", 60, (MeasureSpec("x", scales.Linear(0, 10)),)),
            ComponentSpec("b", "B", 40, (MeasureSpec("y", scales.Inverse(0, 10)),)),
        ),
        exceptions=exceptions,
    )


def rule(column: int, operator: str, value: float, cap: float, reads: str = "value") -> ExceptionSpec:
    return ExceptionSpec(f"{column}{operator}{value:g}", column, operator, value, cap, reads)


# exceptions, raw values (x gives 10 a unit, y takes 10), score, which, adjustment
CASES: list[tuple[list[ExceptionSpec], list[float], float, int, float]] = [
    ([], [10, 0], 100, -1, 0),
    ([rule(1, ">=", 4, 40)], [10, 3.9], 84.4, -1, 0),
    ([rule(1, ">=", 4, 40)], [10, 4], 40, 0, -44),
    ([rule(1, ">", 4, 40)], [10, 4], 84, -1, 0),
    ([rule(1, ">=", 4, 40)], [0, 10], 0, -1, 0),  # lower than the cap already: nothing is taken
    ([rule(1, ">=", 4, 40)], [10, NAN], 100, -1, 0),  # a missing measure fulfils nothing
    ([rule(1, ">=", 4, 70), rule(0, "<", 8, 50)], [7, 5], 50, 1, -12),  # the lowest cap counts
    ([rule(1, ">=", 4, 50), rule(0, "<", 8, 50)], [7, 5], 50, 0, -12),  # of equal ones the first
    ([rule(0, "<=", 70, 20, "score")], [7, 5], 20, 0, -42),
    ([rule(0, "=", 7, 33.25)], [7, 5], 33.25, 0, -28.75),
    ([rule(0, "<", 5, 0)], [4.9, 0], 0, 0, -69.4),
]


@pytest.mark.parametrize(("exceptions", "raw", "expected", "which", "taken"), CASES)
def test_an_exception_caps_the_score_and_the_points_say_what_it_took(
    exceptions: list[ExceptionSpec], raw: list[float], expected: float, which: int, taken: float
) -> None:
    out = score(spec(*exceptions), np.array([raw], dtype=float))
    assert (out.score[0], out.exception[0]) == (expected, which)
    assert out.adjustment[0] == pytest.approx(taken, abs=1e-9)
    assert float(np.nansum(out.points[0])) + out.adjustment[0] == pytest.approx(expected, abs=1e-6)
    assert out.band[0] == Bands().classify(out.score)[0]


def test_an_account_without_a_score_is_not_capped() -> None:
    out = score(spec(rule(0, "<", 5, 10)), np.array([[NAN, NAN]]))
    assert np.isnan(out.score[0])
    assert (out.exception[0], out.adjustment[0]) == (-1, 0)


def test_component_values_alone_fulfil_no_condition() -> None:
    out = combine(spec(rule(0, ">=", 0, 10)), np.array([[50.0, 50.0]]))
    assert (out.score[0], out.exception[0]) == (50, -1)


# Two stages: 0-89 days since go-live, then 90 and more.
STAGED = scales.scale_from_dict(
    {
        "kind": "linear",
        "worst": 0,
        "by_tenure": [{"from_days": 0, "best": 10}, {"from_days": 90, "best": 100}],
    }
)


@pytest.mark.parametrize(("tenure", "expected"), [(-20, 50), (0, 50), (89, 50), (90, 5), (10_000, 5)])
def test_a_scale_by_tenure_uses_the_values_of_its_stage(tenure: int, expected: float) -> None:
    beside = scales.Beside(tenure=np.array([tenure], dtype=float))
    assert STAGED.apply(np.array([5.0]), beside)[0] == expected


def test_a_scale_by_tenure_is_written_as_it_is_read_and_needs_the_tenure() -> None:
    assert scales.scale_from_dict(STAGED.to_dict()) == STAGED
    with pytest.raises(ValueError, match="tenure"):
        STAGED.apply(np.array([5.0]))


@pytest.mark.parametrize(
    ("own", "segment", "tenure", "expected"),
    [
        (50.0, "enterprise", 0, 50),  # the account's own wins
        (NAN, "enterprise", 0, 20),  # then its segment's at this tenure
        (NAN, "enterprise", 200, 200),
        (NAN, "smb", 0, 10),  # then the measure's
        (NAN, "", 200, 100),
        (0.0, "enterprise", 0, 0),  # an own target of nothing is none, and no other takes its place
    ],
)
def test_a_target_is_the_accounts_own_then_its_segments_then_the_measures(
    own: float, segment: str, tenure: int, expected: float
) -> None:
    scale = scales.scale_from_dict(
        {
            "kind": "percent_of_target",
            "by_tenure": [
                {"from_days": 0, "target": 10, "segment_targets": {"enterprise": 20}},
                {"from_days": 90, "target": 100, "segment_targets": {"enterprise": 200}},
            ],
        }
    )
    segments = scales.Segments(np.array([0], dtype=np.intp), (segment,))
    target = scale.targets(np.array([own]), segments, np.array([float(tenure)]))
    assert target[0] == expected
    worth = scale.apply(np.array([5.0]), scales.Beside(target, np.array([float(tenure)])))
    assert worth[0] == pytest.approx(500 / expected) if expected else np.isnan(worth[0])


def test_circumstances_give_each_measure_its_own_column() -> None:
    about = Circumstances(np.array([[1.0, NAN]]), np.array([3.0]))
    assert about.of(0).targets is not None
    assert (about.of(0).targets, about.of(1).peers) == (np.array([1.0]), None)


STATES = ["oldest_open_ticket_hours", "open_ticket_severity"]
MADE: dict[str, Any] = {
    "components": [
        {
            "key": "speed",
            "name": "Speed",
            "weight": 100,
            "measures": [
                {
                    "metric": "oldest_open_ticket_hours",
                    "aggregate": "latest",
                    "scale": {
                        "kind": "percent_of_target",
                        "by_tenure": [
                            {"from_days": 0, "target": 10, "segment_targets": {"enter\\prise\t1": 20}},
                            {"from_days": 90, "target": 100, "segment_targets": {"enter\\prise\t1": 200}},
                        ],
                    },
                },
                {
                    "metric": "open_ticket_severity",
                    "aggregate": "latest",
                    "scale": {"kind": "identity"},
                },
            ],
        }
    ],
    "exceptions": [
        {"name": "Urgent", "metric": "open_ticket_severity", "operator": ">=", "value": 95, "cap": 40}
    ],
}


@pytest.fixture
def ready(world: World) -> World:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=copy.deepcopy(MADE))
        publish_version(tenant=world.tenant, version=draft)
    return world


def measure(world: World, name: str, hours: float, severity: float, **fields: Any) -> None:
    world.account(name, **fields)
    world.state(name, world.today, oldest_open_ticket_hours=hours, open_ticket_severity=severity)


def run(world: World) -> None:
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today, kinds=["health"])


def test_a_capped_score_is_stored_with_what_it_was_capped_by_and_explained_exactly(ready: World) -> None:
    measure(ready, "urgent", 100, 100)
    measure(ready, "calm", 50, 50)
    run(ready)
    with tenant_scope(ready.tenant):
        rows = {row.account.external_id: row for row in CurrentScore.objects.select_related("account")}
        capped, calm = rows["urgent"], rows["calm"]
        assert (capped.score, capped.adjustment, capped.band) == (40, -60, 1)
        assert (calm.score, calm.adjustment, calm.exception_id) == (50, None, None)
        found = explanation(ready.tenant, capped.account_id)
        details = score_details(ready.tenant, capped.account_id)
        plain = explanation(ready.tenant, calm.account_id)
    assert (
        found["exceptions"]
        == details["exceptions"]
        == [{"name": "Urgent", "metric": "open_ticket_severity", "cap": 40, "points": -60}]
    )
    points = [part["points"] for part in found["components"]] + [
        part["points"] for part in found["exceptions"]
    ]
    assert sum(points) == pytest.approx(found["score"], abs=1e-6)
    assert "exceptions" not in plain


def test_the_api_gives_the_exceptions_of_a_score(ready: World) -> None:
    measure(ready, "urgent", 100, 100)
    run(ready)
    answer = ask(ready.tenant, "accounts/urgent/health")
    assert answer.status_code == 200
    assert answer.json()["exceptions"][0]["points"] == -60


def test_tenure_counts_from_go_live_else_from_the_first_day_seen(ready: World) -> None:
    today = ready.today
    measure(ready, "young", 5, 0, days_old=400, go_live_on=today - timedelta(days=89))
    measure(ready, "grown", 5, 0, days_old=10, go_live_on=today - timedelta(days=90))
    measure(ready, "seen", 5, 0, days_old=90)
    measure(ready, "soon", 5, 0, days_old=400, go_live_on=today + timedelta(days=5))
    run(ready)
    with tenant_scope(ready.tenant):
        found = {
            row.account.external_id: (row.tenure, (row.targets or [None])[0], row.scaled[0])
            for row in CurrentScore.objects.select_related("account")
        }
    assert found == {
        "young": (89, 10, 50),
        "grown": (90, 100, 5),
        "seen": (90, 100, 5),
        "soon": (-5, 10, 50),
    }


def test_the_target_that_counted_is_kept_with_the_score(ready: World) -> None:
    hours = "oldest_open_ticket_hours"
    measure(ready, "own", 5, 0, segment="enter\\prise\t1", targets={hours: 50})
    measure(ready, "group", 5, 0, segment="enter\\prise\t1")
    measure(ready, "other", 5, 0, segment="smb")
    run(ready)
    with tenant_scope(ready.tenant):
        found = {
            row.account.external_id: (row.targets or [None])[0]
            for row in CurrentScore.objects.select_related("account")
        }
        assert found == {"own": 50, "group": 200, "other": 100}
        details = score_details(ready.tenant, ready.accounts["group"].pk)
        assert details["components"][0]["measures"][0]["target"] == 200


def test_the_preview_of_a_draft_says_what_publishing_would(ready: World) -> None:
    measure(ready, "urgent", 100, 100)
    run(ready)
    with tenant_scope(ready.tenant):
        draft = create_draft(tenant=ready.tenant, model=ScoreModel.objects.get(key="plg"))
        changed = copy.deepcopy(MADE)
        changed["exceptions"][0]["cap"] = 25
        save_draft(tenant=ready.tenant, version=draft, definition=changed)
        assert preview(ready.tenant, draft, ready.accounts["urgent"]).score == 25
        publish_version(tenant=ready.tenant, version=draft)
    run(ready)
    with tenant_scope(ready.tenant):
        assert CurrentScore.objects.get().score == 25
