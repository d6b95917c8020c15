"""Onboarding and checklists over the API, and a go-live that is set there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Tenant
from playbooks.checklists.services import keep_checklists
from playbooks.models import OnboardingPlan
from playbooks.onboarding.services import evaluate_onboarding, install_milestones
from usage.services import install_starter_metrics


@pytest.fixture
def caller(acme: Tenant) -> Client:
    """A client that may write."""
    key = make_key(tenant=acme, name="k", scope="write")[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def put(caller: Client, external_id: str, **fields: Any) -> None:
    answer = caller.put(f"/api/v1/accounts/{external_id}", fields, content_type="application/json")
    assert answer.status_code in (200, 201), answer.content


def test_a_go_live_that_is_set_makes_the_plan_at_once_and_moves_it(acme: Tenant, caller: Client) -> None:
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_milestones(tenant=acme)
    today = acme.today()
    put(caller, "a", name="A")
    assert caller.get("/api/v1/onboarding").json()["results"] == []
    put(caller, "a", go_live_on=(today - timedelta(days=3)).isoformat())
    (plan,) = caller.get("/api/v1/onboarding").json()["results"]
    assert (plan["account_id"], plan["day"], plan["phase"], plan["status"]) == ("a", 3, 1, "on_track")
    assert len(plan["milestones"]) == 9
    assert plan["milestones"][0]["rule"].startswith("Active days: at least 2")
    put(caller, "a", go_live_on=(today - timedelta(days=1)).isoformat())
    (moved,) = caller.get("/api/v1/onboarding?account_id=a").json()["results"]
    assert (moved["id"], moved["day"]) == (plan["id"], 1)
    put(caller, "a", go_live_on=None)
    assert caller.get("/api/v1/onboarding").json()["results"] == []
    (ended,) = caller.get("/api/v1/onboarding?state=ended").json()["results"]
    assert ended["state"] == "ended"


def test_plans_come_in_pages(acme: Tenant, caller: Client) -> None:
    with tenant_scope(acme):
        install_milestones(tenant=acme)
        for name in "abc":
            Account.objects.create(tenant=acme, external_id=name, name=name, go_live_on=acme.today())
        evaluate_onboarding(tenant=acme, day=acme.today())
        newest = OnboardingPlan.objects.latest("id").pk
    first = caller.get("/api/v1/onboarding?limit=2").json()
    assert first["results"][0]["id"] == newest
    rest = caller.get(f"/api/v1/onboarding?limit=2&cursor={first['next']}").json()
    assert (len(rest["results"]), rest["next"]) == (1, None)
    assert caller.get("/api/v1/onboarding?status=odd").status_code == 400


def test_checklists_by_period_and_state(acme: Tenant, caller: Client) -> None:
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        Account.objects.create(tenant=acme, external_id="a", name="A")
        keep_checklists(tenant=acme, day=acme.today())
    every = caller.get("/api/v1/checklists").json()["results"]
    assert len(every) == 8
    monthly = caller.get(f"/api/v1/checklists?cadence=month&period_on={acme.today()}").json()["results"]
    assert {item["cadence"] for item in monthly} == {"month"}
    (done,) = caller.get("/api/v1/checklists?done=yes").json()["results"]
    assert (done["item"], done["done_by"], done["evidence"]) == (
        "risks_mitigated",
        "system",
        {"open_alerts": 0},
    )
    assert len(caller.get("/api/v1/checklists?done=no").json()["results"]) == 7
    assert caller.get("/api/v1/checklists?period_on=soon").status_code == 400
