"""The API of renewals and of retention."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Role, Tenant
from expansion.models import MrrChange, Renewal
from tests.conftest import make_member

from .test_renewal_saying import make


@pytest.fixture
def caller(acme: Tenant) -> Client:
    """A client that may write."""
    key = make_key(tenant=acme, name="k", scope="write")[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def patch(caller: Client, renewal: Renewal, **fields: Any) -> Any:
    return caller.patch(f"/api/v1/renewals/{renewal.pk}", fields, content_type="application/json")


def test_renewals_come_by_date_in_pages(acme: Tenant, caller: Client) -> None:
    with tenant_scope(acme):
        for number in range(3):
            make(acme, f"a{number}", due_on=date(2027, 1, 3 - number))
        make(acme, "gone", state="lost", final_cents=0)
    first = caller.get("/api/v1/renewals?limit=2").json()
    assert [one["account_id"] for one in first["results"]] == ["a2", "a1"]
    rest = caller.get(f"/api/v1/renewals?limit=2&cursor={first['next']}").json()
    assert ([one["account_id"] for one in rest["results"]], rest["next"]) == (["a0"], None)
    assert len(caller.get("/api/v1/renewals?due_from=2027-01-02&due_to=2027-01-02").json()["results"]) == 1
    assert [one["state"] for one in caller.get("/api/v1/renewals?state=lost").json()["results"]] == ["lost"]
    assert len(caller.get("/api/v1/renewals?state=all&account_id=gone").json()["results"]) == 1
    for wrong in ("state=void", "at_risk=maybe", "due_from=x", "cursor=abc", "category=sure"):
        assert caller.get(f"/api/v1/renewals?{wrong}").status_code == 400, wrong


def test_a_renewal_is_changed_over_the_api_by_the_same_rules(acme: Tenant, caller: Client) -> None:
    with tenant_scope(acme):
        renewal = make(acme)
    answer = patch(caller, renewal, forecast_cents=1000_00, category="best_case")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["forecast_cents"], body["category"], body["category_by"]) == (1000_00, "best_case", "person")
    assert patch(caller, renewal, forecast_cents=1200_01).status_code == 400
    assert patch(caller, renewal, category="at_risk").json()["error"]["code"] == "plan"
    for wrong in (
        {},
        {"x": 1},
        {"forecast_cents": "1"},
        {"final_cents": None},
        {"final_cents": True},
        {"note": 1},
    ):
        assert patch(caller, renewal, **wrong).status_code == 400, wrong
    assert patch(caller, renewal, note="They called.").status_code == 200
    refused = patch(caller, renewal, forecast_cents=1, final_cents=0)
    assert refused.status_code == 400
    assert caller.get(f"/api/v1/renewals/{renewal.pk}").json()["forecast_cents"] == 1000_00
    closed = patch(caller, renewal, final_cents=0, reason="price").json()
    assert (closed["state"], closed["final_cents"], closed["reason"]) == ("lost", 0, "price")
    assert patch(caller, renewal, forecast_cents=1).status_code == 409


def test_retention_over_the_api(acme: Tenant, caller: Client) -> None:
    make_member(acme, "olga", Role.CSM)
    with tenant_scope(acme):
        account = Account.objects.create(external_id="a", name="A", segment="large")
        for on, cents in (("2024-01-01", 100_00), ("2025-06-01", 120_00)):
            MrrChange.objects.create(
                account=account, on=date.fromisoformat(on), mrr_cents=cents, currency="EUR"
            )
    answer = caller.get("/api/v1/retention?from=2025-01-01&to=2025-12-31").json()
    ((figures,),) = [group["figures"] for group in answer["groups"]]
    assert (figures["nrr_pct"], figures["grr_pct"], figures["expansion_pct"]) == (120.0, 100.0, 20.0)
    assert (figures["movements"]["accounts"], len(figures["months"])) == (1, 12)
    by_segment = caller.get("/api/v1/retention?from=2025-01-01&to=2025-12-31&by=segment").json()
    assert [group["key"] for group in by_segment["groups"]] == ["large"]
    assert [g["key"] for g in caller.get("/api/v1/retention?to=2025-12-31&by=owner").json()["groups"]] == [
        None
    ]
    assert caller.get("/api/v1/retention").json()["by"] == "all"
    for wrong in ("from=2025-02-01&to=2025-01-01", "by=team", "from=x", "to=0001-01-01", "to=9999-12-31"):
        assert caller.get(f"/api/v1/retention?{wrong}").status_code == 400, wrong
