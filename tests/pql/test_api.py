"""The API of leads."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, TimelineEntry
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


def file_of(answer: Any) -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("wanted", ["?format=csv", "?format=csv&limit=1", "accept"])
def test_the_leads_come_as_a_file_of_all_pages(api: Client, three: list[int], wanted: str) -> None:
    headers = {"Accept": "text/csv"} if wanted == "accept" else {}
    answer: Any = api.get(f"/api/v1/leads{'' if wanted == 'accept' else wanted}", headers=headers)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="leads-globex-')
    rows = file_of(answer)
    assert [int(row["lead"]) for row in rows] == three
    assert [row["external id"] for row in rows] == ["c", "b", "a"]
    assert {row["why it is here"] for row in rows} == {"Asked for sales"}


def test_the_file_is_filtered_english_and_refused_in_json(
    api: Client, leads: Leads, three: list[int]
) -> None:
    with tenant_scope(leads.tenant):
        leads.tenant.language = "es"
        leads.tenant.save(update_fields=["language"])
    only = file_of(api.get("/api/v1/leads?format=csv&account_id=b"))
    assert [(row["external id"], row["state"]) for row in only] == [("b", "New")]
    assert file_of(api.get("/api/v1/leads?format=csv&account_id=nobody")) == []
    wrong = api.get("/api/v1/leads?format=csv&state=lost")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid")
    assert wrong["Content-Type"] == "application/json"
    assert api.get("/api/v1/leads?format=xml").status_code == 404


def test_the_page_and_the_api_export_the_same_columns(
    api: Client, leads: Leads, boss: Membership, browser: Any, three: list[int]
) -> None:
    page = file_of(browser(boss).get("/t/globex/leads/export.csv?who=all"))
    assert page == file_of(api.get("/api/v1/leads?format=csv")) and len(page) == 3
