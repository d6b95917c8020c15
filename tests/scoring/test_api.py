"""The API of scores, through HTTP with a key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import ApiKey, Tenant
from scoring.models import ScoreModel
from scoring.services import create_draft, publish_version, save_draft, score_accounts
from tests.scoring.conftest import World, days_back


def ask(tenant: Tenant, path: str, body: Any = None, scope: str = ApiKey.Scope.READ) -> Any:
    """The answer to a request with a new key of the tenant."""
    _key, secret = make_key(tenant=tenant, name="test", scope=scope)
    headers = {"Authorization": f"Bearer {secret}"}
    if body is None:
        return Client().get(f"/api/v1/{path}", headers=headers)
    return Client().post(f"/api/v1/{path}", data=body, content_type="application/json", headers=headers)


WORKED = [
    (
        "plg",
        {"usage": 90, "engagement": 80, "adoption": 70, "support": 60, "payment": 100},
        80.0,
        "at_risk",
        1.0,
    ),
    (
        "plg",
        {"usage": 90, "engagement": 80, "adoption": None, "support": 60, "payment": 100},
        82.5,
        "healthy",
        0.8,
    ),
    ("plg", {"usage": 90, "engagement": 80, "support": 60, "payment": 100}, 82.5, "healthy", 0.8),
    (
        "plg",
        {"usage": 100, "engagement": 100, "adoption": 0, "support": 0, "payment": 50},
        60.0,
        "at_risk",
        1.0,
    ),
    (
        "pql",
        {"days_active": 80, "feature_usage": 60, "team_size": 75, "engagement": 50, "signals": 90},
        71.5,
        "high",
        1.0,
    ),
    (
        "pql",
        dict.fromkeys(("days_active", "feature_usage", "team_size", "engagement", "signals"), 70),
        70,
        "medium",
        1,
    ),
    (
        "pql",
        dict.fromkeys(("days_active", "feature_usage", "team_size", "engagement", "signals"), 50),
        50,
        "medium",
        1,
    ),
    ("playbook", {"usage": 100, "response": 100, "value": 100, "risk": 100}, 100.0, "healthy", 1.0),
    ("plg", {}, None, "unknown", 0.0),
]


@pytest.mark.parametrize(("key", "components", "score", "band", "coverage"), WORKED)
def test_the_calculator_gives_the_worked_examples_exactly(
    world: World, key: str, components: dict[str, float], score: float | None, band: str, coverage: float
) -> None:
    answer = ask(world.tenant, f"models/{key}/evaluate", {"components": components}).json()
    assert (answer["score"], answer["band"], answer["coverage"]) == (score, band, coverage)
    assert answer["model"] == {"key": key, "version": 1}


def test_the_calculator_explains_points_and_weights(world: World) -> None:
    values = {"usage": 90, "engagement": 80, "support": 60, "payment": 100}
    answer = ask(world.tenant, "models/plg/evaluate", {"components": values}).json()
    assert set(answer) == {"account_id", "on", "score", "band", "coverage", "model", "new", "components"}
    assert [
        (
            part["key"],
            part["weight"],
            part["effective_weight"],
            part["score"],
            part["points"],
            part["missing"],
        )
        for part in answer["components"]
    ] == [
        ("usage", 30, 37.5, 90, 33.75, False),
        ("engagement", 25, 31.25, 80, 25, False),
        ("adoption", 20, 0, None, None, True),
        ("support", 15, 18.75, 60, 11.25, False),
        ("payment", 10, 12.5, 100, 12.5, False),
    ]


@pytest.mark.parametrize(
    ("measures", "score", "exception"),
    [
        ({}, 35.0, "Silent"),  # of one measure: the component tells that measure's score
        ({"all_events": 8}, 75.0, None),
        ({"usage.all_events": 8}, 75.0, None),
        ({"all_events": 8, "oldest_open_ticket_hours": 1}, 20.0, "Angry"),
        ({"all_events": 8, "oldest_open_ticket_hours": 2}, 75.0, None),
        ({"all_events": 8, "oldest_open_ticket_hours": None}, 75.0, None),
    ],
)
def test_the_calculator_applies_exceptions_to_what_is_known(
    world: World, measures: dict[str, float], score: float, exception: str | None
) -> None:
    linear = {"kind": "linear", "worst": 0, "best": 10}
    definition = {
        "components": [
            {
                "key": key,
                "name": key,
                "weight": 50,
                "measures": [{"metric": metric, "aggregate": aggregate, "scale": linear}],
            }
            for key, metric, aggregate in (
                ("usage", "all_events", "total"),
                ("mood", "oldest_open_ticket_hours", "latest"),
            )
        ],
        "exceptions": [
            {
                "name": "Silent",
                "metric": "all_events",
                "reads": "score",
                "operator": "<",
                "value": 60,
                "cap": 35,
            },
            {
                "name": "Angry",
                "metric": "oldest_open_ticket_hours",
                "reads": "value",
                "operator": "<",
                "value": 2,
                "cap": 20,
            },
        ],
    }
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=definition)
        publish_version(tenant=world.tenant, version=draft)
    body = {"components": {"usage": 50, "mood": 100}, "measures": measures}
    answer = ask(world.tenant, "models/plg/evaluate", body).json()
    assert answer["score"] == score
    assert [part["points"] for part in answer["components"]] == [25, 50]  # what the components earned
    assert [one["name"] for one in answer.get("exceptions", [])] == ([exception] if exception else [])
    taken = sum(one["points"] for one in answer.get("exceptions", []))
    assert 75 + taken == score


@pytest.mark.parametrize(
    ("measures", "paths"),
    [
        ({"magic": 1, "active_days": "x", "usage.active_days": True}, None),
        ([1], ["measures"]),
    ],
)
def test_the_calculator_refuses_measures_it_cannot_use(
    world: World, measures: Any, paths: list[str] | None
) -> None:
    answer = ask(world.tenant, "models/plg/evaluate", {"components": {}, "measures": measures})
    wanted = [f"measures.{key}" for key in measures] if paths is None else paths
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["error"]["details"]] == wanted


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (
            {"components": {"magic": 5, "usage": 101, "payment": "high", "support": True}},
            [
                "components.magic",
                "components.usage",
                "components.payment",
                "components.support",
            ],
        ),
        ({"components": {"usage": -0.001}}, ["components.usage"]),
        ({"components": [1]}, ["components"]),
        ({}, ["components"]),
    ],
)
def test_the_calculator_refuses_what_it_cannot_use(world: World, body: Any, paths: list[str]) -> None:
    answer = ask(world.tenant, "models/plg/evaluate", body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["error"]["details"]] == paths


@pytest.mark.parametrize("text", ['{"components": {"usage": NaN}}', '{"components": {"usage": 1e999}}', "["])
def test_hostile_json_is_a_400(world: World, text: str) -> None:
    _key, secret = make_key(tenant=world.tenant, name="t", scope=ApiKey.Scope.READ)
    answer = Client().post(
        "/api/v1/models/plg/evaluate",
        data=text,
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 400


def test_an_unknown_model_or_account_is_a_404(world: World) -> None:
    assert ask(world.tenant, "models/nope/evaluate", {"components": {}}).status_code == 404
    for path in ("health", "pql", "health/history"):
        assert ask(world.tenant, f"accounts/nope/{path}").status_code == 404


@pytest.fixture
def scored(world: World, counted: list[str]) -> World:
    world.deliver(counted)
    world.account("acme-1")
    world.usage("acme-1", days_back(world.today, *range(60)), users=2, features=3, events=9)
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today - timedelta(days=1))
        score_accounts(tenant=world.tenant, day=world.today)
    return world


def test_the_health_of_an_account_has_exactly_the_promised_shape(scored: World) -> None:
    answer = ask(scored.tenant, "accounts/acme-1/health").json()
    promised = {"account_id", "on", "score", "band", "coverage", "model", "new", "components"}
    assert set(answer) == {*promised, "override"}
    assert answer["override"] is None
    assert set(ask(scored.tenant, "accounts/acme-1/pql").json()) == promised
    assert (answer["account_id"], answer["on"]) == ("acme-1", scored.today.isoformat())
    for part in answer["components"]:
        assert set(part) == {"key", "weight", "effective_weight", "score", "points", "missing", "measures"}
        for measure in part["measures"]:
            assert set(measure) == {"metric", "value", "scaled"}
    assert answer["components"][0]["measures"][0]["value"] == 63.0


def test_the_health_on_a_day_is_the_newest_stored_by_then(scored: World) -> None:
    yesterday = scored.today - timedelta(days=1)
    assert ask(scored.tenant, f"accounts/acme-1/health?on={yesterday}").json()["on"] == yesterday.isoformat()
    before = ask(scored.tenant, f"accounts/acme-1/health?on={yesterday - timedelta(days=1)}").json()
    assert (before["score"], before["band"], before["components"]) == (None, "unknown", [])
    for wrong in ("2025-13-01", "yesterday", "20251231"):
        assert ask(scored.tenant, f"accounts/acme-1/health?on={wrong}").status_code == 400


def test_the_history_comes_in_pages(scored: World) -> None:
    whole = ask(scored.tenant, "accounts/acme-1/health/history").json()
    assert ([row["on"] for row in whole["results"]], whole["next"]) == (
        [(scored.today - timedelta(days=1)).isoformat(), scored.today.isoformat()],
        None,
    )
    first = ask(scored.tenant, "accounts/acme-1/health/history?limit=1").json()
    second = ask(scored.tenant, f"accounts/acme-1/health/history?limit=1&cursor={first['next']}").json()
    assert first["results"] + second["results"] == whole["results"]
    assert second["next"] is None
    assert (
        ask(scored.tenant, "accounts/acme-1/health/history?from=2025-02-01&to=2025-01-01").status_code == 400
    )


def test_another_tenants_key_sees_nothing(scored: World, rival: Tenant) -> None:
    assert ask(rival, "accounts/acme-1/health").status_code == 404
    assert ask(scored.tenant, "accounts/acme-1/health", scope=ApiKey.Scope.INGEST).status_code == 403


def test_the_calculator_and_the_nightly_run_are_one_function(scored: World) -> None:
    stored = ask(scored.tenant, "accounts/acme-1/health").json()
    values = {part["key"]: part["score"] for part in stored["components"]}
    again = ask(scored.tenant, "models/plg/evaluate", {"components": values}).json()
    for name in ("score", "band", "coverage"):
        assert again[name] == stored[name]
    assert [part["points"] for part in again["components"]] == [
        part["points"] for part in stored["components"]
    ]
