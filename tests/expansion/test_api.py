"""The API of opportunities and of the whitespace."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.fence.scope import tenant_scope
from expansion.models import Opportunity
from tests.expansion.conftest import Growth


def send(growth: Growth, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = getattr(growth.api, method)(f"/api/v1/{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_open_change_move_and_win_by_key(growth: Growth) -> None:
    growth.account("buyer")
    status, made = send(
        growth,
        "post",
        "opportunities",
        {"account_id": "buyer", "type": "cross_product", "what": "docs", "owner_email": "carl@grow.example"},
    )
    assert (status, made["stage"], made["value_cents"], made["owner"]) == (
        201,
        "case",
        50_000,
        "carl@grow.example",
    )
    path = f"opportunities/{made['id']}"
    status, refused = send(growth, "patch", path, {"stage": "proposal", "next_step": "Call"})
    assert (status, refused["error"]["code"]) == (409, "stage")
    assert "ROI a month" in refused["error"]["message"]
    assert growth.api.get(f"/api/v1/{path}").json()["next_step"] == ""  # nothing of the call is kept
    status, moved = send(
        growth,
        "patch",
        path,
        {"case_text": "They ask.", "roi_cents": 5, "proposed_on": "2026-01-02", "stage": "proposal"},
    )
    assert (status, moved["stage"], moved["probability_pct"], moved["weighted_cents"]) == (
        200,
        "proposal",
        30,
        15_000,
    )
    send(growth, "patch", path, {"stage": "closing"})
    status, won = send(growth, "patch", path, {"stage": "won"})
    assert (status, won["stage"], won["won_mrr_cents"]) == (200, "won", 50_000)
    status, closed = send(growth, "patch", path, {"note": "x"})
    assert (status, closed["error"]["code"]) == (409, "closed")
    status, again = send(
        growth, "post", "opportunities", {"account_id": "buyer", "type": "cross_product", "what": "docs"}
    )
    assert status == 201
    status, lost = send(
        growth, "patch", f"opportunities/{again['id']}", {"stage": "lost", "lost_reason": "price"}
    )
    assert (status, lost["lost_reason"]) == (200, "price")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"type": "services"}, "account_id"),
        ({"account_id": "buyer", "type": "magic"}, "type"),
        ({"account_id": "buyer", "type": "services", "what": "docs"}, "what"),
        ({"account_id": "buyer", "type": "services", "value_cents": "1"}, "value_cents"),
        ({"account_id": "buyer", "type": "services", "value_cents": -1}, "value_cents"),
        ({"account_id": "buyer", "type": "services", "close_on": "soon"}, "close_on"),
        ({"account_id": "buyer", "type": "services", "owner_email": "nobody@x.example"}, "owner_email"),
        ({"account_id": "buyer", "type": "services", "color": "red"}, "color"),
    ],
)
def test_every_wrong_value_is_named(growth: Growth, body: dict[str, Any], path: str) -> None:
    growth.account("buyer")
    status, answer = send(growth, "post", "opportunities", body)
    assert status == 400
    assert [detail["path"] for detail in answer["error"]["details"]] == [path]
    assert growth.found() == []


def test_the_same_one_is_a_conflict_and_an_unknown_account_is_named(growth: Growth) -> None:
    growth.account("buyer")
    body = {"account_id": "buyer", "type": "services", "what": "workshop"}
    assert send(growth, "post", "opportunities", body)[0] == 201
    status, answer = send(growth, "post", "opportunities", body)
    assert (status, answer["error"]["code"]) == (409, "open")
    status, answer = send(growth, "post", "opportunities", body | {"account_id": "nobody"})
    assert (status, answer["error"]["details"][0]["path"]) == (400, "account_id")


def test_the_list_is_filtered_and_paged_with_a_fixed_number_of_queries(growth: Growth) -> None:
    for key in ("a", "b", "c"):
        growth.account(key)
        send(growth, "post", "opportunities", {"account_id": key, "type": "services", "what": "workshop"})
    counts = []
    for limit in (1, 3):
        keys._cache.clear()  # it lasts a second, which may end in between
        with CaptureQueriesContext(connection) as queries:
            first = growth.api.get(f"/api/v1/opportunities?limit={limit}").json()
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert [one["account_id"] for one in first["results"]] == ["c", "b", "a"]
    page = growth.api.get("/api/v1/opportunities?limit=2").json()
    rest = growth.api.get(f"/api/v1/opportunities?limit=2&cursor={page['next']}").json()
    assert ([one["account_id"] for one in rest["results"]], rest["next"]) == (["a"], None)
    with tenant_scope(growth.tenant):
        Opportunity.objects.filter(account__external_id="b").update(stage="lost", lost_reason="price")
    for query, names in (
        ("stage=open", "ca"),
        ("stage=lost", "b"),
        ("account_id=a", "a"),
        ("type=seats", ""),
    ):
        found = growth.api.get(f"/api/v1/opportunities?{query}").json()["results"]
        assert [one["account_id"] for one in found] == list(names)
    assert growth.api.get("/api/v1/opportunities?stage=sold").status_code == 400


def test_the_whitespace_by_key(growth: Growth) -> None:
    for key in ("a", "b"):
        growth.account(key)
    send(growth, "post", "opportunities", {"account_id": "b", "type": "cross_product", "what": "docs"})
    page = growth.api.get("/api/v1/whitespace?type=cross_product&limit=1").json()
    assert page["results"][0]["cells"][2] == {"offering": "docs", "state": "gap", "opportunity_id": None}
    rest = growth.api.get(f"/api/v1/whitespace?type=cross_product&limit=1&cursor={page['next']}").json()
    assert (rest["results"][0]["account_id"], rest["results"][0]["cells"][2]["state"]) == ("b", "pipeline")
    assert rest["next"] is None
    gaps = growth.api.get("/api/v1/whitespace?offering=docs&state=gap").json()["results"]
    assert [row["account_id"] for row in gaps] == ["a"]
    for wrong in ("offering=none", "state=gap", "cursor=zzz"):
        assert growth.api.get(f"/api/v1/whitespace?{wrong}").status_code == 400
