"""The API of leads."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, TimelineEntry
from tests.pql.conftest import Leads


@pytest.fixture
def api(leads: Leads) -> Client:
    """A client with a key that may write."""
    _key, secret = make_key(tenant=leads.tenant, name="k", scope="write")
    return Client(headers={"Authorization": f"Bearer {secret}"})


def post(api: Client, path: str, body: Any, **headers: str) -> Any:
    return api.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


@pytest.fixture
def three(leads: Leads, api: Client) -> list[int]:
    """Three hand-raisers; their ids, the newest first."""
    for name in ("a", "b", "c"):
        leads.events(leads.account(name), "Contact Sales", 0)
    leads.night()
    return [row["id"] for row in api.get("/api/v1/leads").json()["results"]]


def test_the_list_pages_and_filters(api: Client, three: list[int]) -> None:
    first = api.get("/api/v1/leads?limit=2").json()
    assert [row["account_id"] for row in first["results"]] == ["c", "b"]
    rest = api.get(f"/api/v1/leads?limit=2&cursor={first['next']}").json()
    assert ([row["account_id"] for row in rest["results"]], rest["next"]) == (["a"], None)
    only = api.get("/api/v1/leads?account_id=b&state=new&cause=hand_raise").json()["results"]
    assert [row["account_id"] for row in only] == ["b"]
    assert api.get("/api/v1/leads?state=accepted").json()["results"] == []
    assert api.get("/api/v1/leads?state=lost").status_code == 400


def test_a_lead_says_why(api: Client, leads: Leads, three: list[int]) -> None:
    row = api.get("/api/v1/leads?account_id=a").json()["results"][0]
    assert row["signals"] == [
        {"name": "Asked for sales", "kind": "sales", "on": leads.today.isoformat(), "points": 80.0}
    ]
    assert (row["cause"], row["state"], row["owner"], row["reason"]) == ("hand_raise", "new", None, None)
    assert (row["overdue"], row["experienced_value_on"]) == (False, None)


def test_deeds_are_idempotent(api: Client, leads: Leads, three: list[int]) -> None:
    c, b, a = three
    for _ in range(2):
        assert post(api, f"leads/{c}/accept", {}).json()["state"] == "accepted"
        assert post(api, f"leads/{b}/reject", {"reason": "too_small"}).json()["reason"] == "too_small"
        answer = post(api, f"leads/{a}/convert", {"note": "yes", "to_contract": True}).json()
        assert (answer["state"], answer["note"]) == ("converted", "yes")
    with tenant_scope(leads.tenant):
        assert Account.objects.get(external_id="a").plan_kind == "contract"
        assert TimelineEntry.objects.exclude(kind="lead_opened").count() == 3


def test_the_same_idempotency_key_gets_the_same_answer(api: Client, three: list[int]) -> None:
    key = {"Idempotency-Key": "k1"}
    first = post(api, f"leads/{three[0]}/accept", {}, **key)
    second = post(api, f"leads/{three[0]}/accept", {}, **key)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("deed", "body", "path"),
    [
        ("reject", {}, "reason"),
        ("reject", {"reason": "because"}, "reason"),
        ("reject", {"reason": "other"}, "note"),
        ("reject", {"reason": 3}, "reason"),
        ("accept", {"x": 1}, "x"),
        ("convert", {"to_contract": "yes"}, "to_contract"),
    ],
)
def test_wrong_values_are_named(api: Client, three: list[int], deed: str, body: Any, path: str) -> None:
    answer = post(api, f"leads/{three[0]}/{deed}", body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["error"]["details"]] == [path]


def test_a_closed_lead_is_a_conflict_and_an_unknown_one_is_not_there(api: Client, three: list[int]) -> None:
    post(api, f"leads/{three[0]}/reject", {"reason": "not_now"})
    assert post(api, f"leads/{three[0]}/accept", {}).status_code == 409
    assert post(api, "leads/987654321/accept", {}).status_code == 404
    assert post(api, f"leads/{three[1]}/accept", []).status_code == 400
