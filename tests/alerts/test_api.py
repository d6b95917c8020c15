"""The API of alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, Tenant
from alerts.models import Alert, Rule
from alerts.services import install_shipped_rules

from .conftest import SUNDAY


def key_for(tenant: Tenant, scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(tenant=tenant, name=scope, scope=scope)[1]}"}


def make_alerts(tenant: Tenant, owner: Membership | None, count: int) -> list[int]:
    with tenant_scope(tenant):
        install_shipped_rules(tenant=tenant)
        account = Account.objects.create(
            tenant=tenant, external_id=f"{tenant.slug}-1", name="A", owner=owner, mrr_cents=900
        )
        rule = Rule.objects.get(key="ticket_unresolved")
        return [
            Alert.objects.create(
                tenant=tenant,
                rule=rule,
                account=account,
                subject=f"T-{n}",
                opened_on=SUNDAY,
                last_seen_on=SUNDAY,
                evidence={"ticket": f"T-{n}"},
            ).pk
            for n in range(count)
        ]


def test_the_list_shows_open_alerts_newest_first_page_by_page(
    client: Client, acme: Tenant, carl: Membership
) -> None:
    ids = make_alerts(acme, carl, 3)
    headers = key_for(acme, "read")
    first = client.get("/api/v1/alerts?limit=2", headers=headers).json()
    assert [row["id"] for row in first["results"]] == [ids[2], ids[1]]
    second = client.get("/api/v1/alerts", {"limit": 2, "cursor": first["next"]}, headers=headers).json()
    assert [row["id"] for row in second["results"]] == [ids[0]]
    assert second["next"] is None
    assert second["results"][0] == {
        "id": ids[0],
        "account_id": "acme-1",
        "rule": "ticket_unresolved",
        "name": "Ticket unresolved",
        "subject": "T-0",
        "state": "open",
        "severity": "medium",
        "priority": 5.5,
        "opened_on": "2026-03-08",
        "ended_on": None,
        "snoozed_until": None,
        "verdict": None,
        "evidence": {"ticket": "T-0"},
        "owner": "carl@acme.example",
        "assignee": None,
        "person_reason": None,
        "run_id": None,
        "playbook": None,
    }


def test_the_list_takes_as_many_queries_for_three_as_for_one(
    client: Client, acme: Tenant, rival: Tenant
) -> None:
    counts = []
    for tenant, size in ((acme, 1), (rival, 3)):
        make_alerts(tenant, None, size)
        headers = key_for(tenant, "read")
        client.get("/api/v1/alerts", headers=headers)  # notes the key's first use
        keys._cache.clear()  # it lasts a second, which may end in between
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get("/api/v1/alerts", headers=headers).json()["results"]) == size
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?state=all", 3),
        ("?state=closed", 1),
        ("?account_id=acme-1", 2),
        ("?account_id=nobody", 0),
        ("?rule=ticket_unresolved", 2),
        ("?rule=health_dropped", 0),
        ("?severity=high", 0),
        ("?severity=medium", 2),
    ],
)
def test_filters(client: Client, acme: Tenant, query: str, count: int) -> None:
    ids = make_alerts(acme, None, 3)
    with tenant_scope(acme):
        Alert.objects.filter(pk=ids[0]).update(state="closed", ended_on=SUNDAY)
    answer = client.get(f"/api/v1/alerts{query}", headers=key_for(acme, "read"))
    assert (answer.status_code, len(answer.json()["results"])) == (200, count)


@pytest.mark.parametrize(
    "query",
    ["state=shut", "severity=worst", "limit=0", "cursor=abc", "cursor=W10", "cursor=WyJ4Il0", "rule=%00"],
)
def test_wrong_parameters_are_400_in_the_error_shape(client: Client, acme: Tenant, query: str) -> None:
    answer = client.get(f"/api/v1/alerts?{query}", headers=key_for(acme, "read"))
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "details"}


def post(client: Client, path: str, body: Any, headers: dict[str, str]) -> Any:
    return client.post(f"/api/v1/alerts/{path}", body, content_type="application/json", headers=headers)


def test_closing_by_key(client: Client, acme: Tenant) -> None:
    (alert_id,) = make_alerts(acme, None, 1)
    headers = key_for(acme, "write")
    answer = post(client, f"{alert_id}/close", {"verdict": "useful", "note": "Done"}, headers)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["state"], body["verdict"], body["ended_on"]) == (
        "closed",
        "useful",
        acme.today().isoformat(),
    )
    assert post(client, f"{alert_id}/close", {"verdict": "useful"}, headers).status_code == 400


def test_snoozing_by_key(client: Client, acme: Tenant) -> None:
    (alert_id,) = make_alerts(acme, None, 1)
    headers, until = key_for(acme, "write"), (acme.today() + timedelta(days=5)).isoformat()
    answer = post(client, f"{alert_id}/snooze", {"until": until, "reason": "Holiday"}, headers)
    assert (answer.status_code, answer.json()["state"], answer.json()["snoozed_until"]) == (
        200,
        "snoozed",
        until,
    )


@pytest.mark.parametrize(
    ("deed", "body", "paths"),
    [
        ("close", {}, ["verdict"]),
        ("close", {"verdict": "fine"}, ["verdict"]),
        ("close", {"verdict": 1}, ["verdict"]),
        ("close", {"verdict": "noise", "why": "x"}, ["why"]),
        ("snooze", {"until": "soon", "reason": "x"}, ["until"]),
        ("snooze", {"until": "2020-01-01", "reason": ""}, ["until", "reason"]),
        ("snooze", {}, ["until", "reason"]),
    ],
)
def test_a_wrong_body_is_400_and_names_what_is_wrong(
    client: Client, acme: Tenant, deed: str, body: dict[str, Any], paths: list[str]
) -> None:
    (alert_id,) = make_alerts(acme, None, 1)
    answer = post(client, f"{alert_id}/{deed}", body, key_for(acme, "write"))
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["error"]["details"]] == paths
    with tenant_scope(acme):
        assert Alert.objects.get().state == "open"


def test_a_key_reaches_only_its_tenants_alerts_and_only_with_the_right_to_write(
    client: Client, acme: Tenant, rival: Tenant
) -> None:
    (alert_id,) = make_alerts(acme, None, 1)
    body = {"verdict": "useful"}
    assert client.get("/api/v1/alerts", headers=key_for(rival, "read")).json()["results"] == []
    assert post(client, f"{alert_id}/close", body, key_for(rival, "write")).status_code == 404
    assert post(client, f"{alert_id}/close", body, key_for(acme, "read")).status_code == 403
    assert client.get("/api/v1/alerts").status_code == 401
    assert post(client, f"{alert_id}/close", body, key_for(acme, "write")).status_code == 200


def test_many_alerts_are_closed_by_one_call(client: Client, acme: Tenant, carl: Membership) -> None:
    ids = make_alerts(acme, carl, 3)
    headers = key_for(acme, "write")

    def bulk(**body: Any) -> Any:
        return client.post("/api/v1/alerts/bulk", body, content_type="application/json", headers=headers)

    assert bulk(ids="all", action="close").status_code == 400
    assert bulk(ids=ids, action="burn").json()["error"]["details"][0]["path"] == "action"
    assert bulk(ids=ids, action="close", verdict="fine").status_code == 400
    done = bulk(ids=[*ids[:2], 10**9], action="close", verdict="noise")
    assert (done.status_code, done.json()) == (200, {"done": 2, "left_out": 1})
    with tenant_scope(acme):
        states = list(Alert.objects.order_by("pk").values_list("state", "close_verdict"))
    assert states == [("closed", "noise"), ("closed", "noise"), ("open", "")]
    noise = client.get("/api/v1/alerts?state=closed&verdict=noise", headers=headers).json()["results"]
    assert len(noise) == 2
    assert client.get("/api/v1/alerts?person=yes", headers=headers).json()["results"] == []
    assert client.get("/api/v1/alerts?from=soon", headers=headers).status_code == 400


def test_rules_are_read_with_their_record(client: Client, acme: Tenant, carl: Membership) -> None:
    make_alerts(acme, carl, 1)
    found = client.get("/api/v1/rules", headers=key_for(acme, "read")).json()["results"]
    rules = {rule["key"]: rule for rule in found}
    assert len(rules) == 13
    assert (rules["ticket_unresolved"]["open"], rules["ticket_unresolved"]["precision"]) == (1, None)
    assert rules["low_nps"]["sentence"].endswith("in the last 7 days is under 7.")
