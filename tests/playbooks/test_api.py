"""The API of tasks and runs."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, AuditEntry, Membership, Tenant
from playbooks.models import Run, Task
from playbooks.services import complete_task, create_task, install_shipped_plays, start_run

from .conftest import MONDAY


def key_for(tenant: Tenant, scope: str = "read") -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(tenant=tenant, name=scope, scope=scope)[1]}"}


def begin(tenant: Tenant, owner: Membership | None, accounts: int = 1) -> list[Run]:
    with tenant_scope(tenant):
        install_shipped_plays(tenant=tenant)
        return [
            start_run(
                tenant=tenant,
                playbook_key="payment_recovery",
                started_on=MONDAY,
                account_id=Account.objects.create(
                    tenant=tenant, external_id=f"a{n}", name="A", owner=owner
                ).pk,
            )
            for n in range(accounts)
        ]


def test_tasks_come_by_due_date_page_by_page(client: Client, acme: Tenant, carl: Membership) -> None:
    (run,) = begin(acme, carl)
    with tenant_scope(acme):
        own = create_task(tenant=acme, account_id=run.account_id, title="Say hello", due_on=date(2026, 3, 3))
    headers = key_for(acme)
    first = client.get("/api/v1/tasks?limit=2", headers=headers).json()
    assert [(row["title"], row["due_on"]) for row in first["results"]] == [
        ("Ask finance for the facts", "2026-03-03"),
        ("Say hello", "2026-03-03"),
    ]
    assert first["results"][1] == {
        "id": own.pk,
        "account_id": "a0",
        "title": "Say hello",
        "body": "",
        "state": "open",
        "due_on": "2026-03-03",
        "priority": "normal",
        "assignee": "carl@acme.example",
        "pool": None,
        "playbook": None,
        "run_id": None,
        "completed_at": None,
    }
    second = client.get("/api/v1/tasks", {"limit": 2, "cursor": first["next"]}, headers=headers).json()
    assert [(row["title"], row["playbook"], row["priority"]) for row in second["results"]] == [
        ("Write to the billing contact", "payment_recovery", "high")
    ]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("?state=done", 1),
        ("?state=all", 2),
        ("?account_id=a0", 1),
        ("?account_id=x", 0),
        ("?assignee=carl@acme.example", 1),
        ("?assignee=x@y.z", 0),
        ("?due_by=2026-03-03", 0),
        ("?due_by=2026-03-04", 1),
    ],
)
def test_task_filters(client: Client, acme: Tenant, carl: Membership, query: str, count: int) -> None:
    (run,) = begin(acme, carl)
    with tenant_scope(acme):
        first = Task.objects.filter(run=run).order_by("due_on").first()
        assert first is not None
        complete_task(tenant=acme, task_id=first.pk)
    answer = client.get(f"/api/v1/tasks{query}", headers=key_for(acme))
    assert (answer.status_code, len(answer.json()["results"])) == (200, count)


def test_runs_say_how_far_they_are(client: Client, acme: Tenant, carl: Membership) -> None:
    first, second = begin(acme, carl, accounts=2)
    with tenant_scope(acme):
        task = first.tasks.order_by("due_on").first()
        assert task is not None
        complete_task(tenant=acme, task_id=task.pk)
    headers = key_for(acme)
    page = client.get("/api/v1/playbook-runs?limit=1", headers=headers).json()
    assert [row["id"] for row in page["results"]] == [second.pk]
    rest = client.get("/api/v1/playbook-runs", {"cursor": page["next"]}, headers=headers).json()
    assert rest == {
        "results": [
            {
                "id": first.pk,
                "account_id": "a0",
                "playbook": "payment_recovery",
                "version": 1,
                "alert_id": None,
                "state": "running",
                "outcome": None,
                "started_on": "2026-03-02",
                "finished_on": None,
                "paused_on": None,
                "waits_until": "2026-03-06",
                "held_out": False,
                "measured": None,
                "tasks": 2,
                "tasks_done": 1,
            }
        ],
        "next": None,
    }
    assert client.get("/api/v1/playbook-runs?state=done", headers=headers).json()["results"] == []
    assert len(client.get("/api/v1/playbook-runs?account_id=a1", headers=headers).json()["results"]) == 1


@pytest.mark.parametrize("path", ["tasks", "playbook-runs"])
def test_lists_take_as_many_queries_for_three_as_for_one(
    client: Client, acme: Tenant, rival: Tenant, carl: Membership, path: str
) -> None:
    counts = []
    for tenant, owner, size in ((acme, carl, 1), (rival, None, 3)):
        begin(tenant, owner, accounts=size)
        headers = key_for(tenant)
        client.get(f"/api/v1/{path}", headers=headers)  # notes the key's first use
        keys._cache.clear()  # it lasts a second, which may end in between
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(f"/api/v1/{path}", headers=headers).json()["results"]) >= size
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("tasks", "state=shut"),
        ("tasks", "due_by=soon"),
        ("tasks", "cursor=WzEsMV0"),
        ("tasks", "cursor=abc"),
        ("playbook-runs", "state=shut"),
        ("playbook-runs", "limit=x"),
        ("playbook-runs", "playbook=%00"),
    ],
)
def test_wrong_parameters_are_400(client: Client, acme: Tenant, path: str, query: str) -> None:
    answer = client.get(f"/api/v1/{path}?{query}", headers=key_for(acme))
    assert (answer.status_code, set(answer.json()["error"])) == (400, {"code", "message", "details"})


@pytest.mark.parametrize("path", ["tasks", "playbook-runs"])
def test_a_key_sees_only_its_tenant(client: Client, acme: Tenant, rival: Tenant, path: str) -> None:
    begin(acme, None)
    assert client.get(f"/api/v1/{path}", headers=key_for(rival)).json()["results"] == []
    assert client.get(f"/api/v1/{path}", headers=key_for(rival, "ingest")).status_code == 403
    assert client.get(f"/api/v1/{path}").status_code == 401
    assert client.get(f"/api/v1/{path}", headers=key_for(acme)).json()["results"] != []


def post(client: Client, tenant: Tenant, path: str, scope: str = "write", **body: object) -> tuple[int, dict]:  # type: ignore[type-arg]
    answer = client.post(
        f"/api/v1/{path}", body, content_type="application/json", headers=key_for(tenant, scope)
    )
    return answer.status_code, answer.json()


def test_a_run_is_started_once_paused_and_stopped(client: Client, acme: Tenant, carl: Membership) -> None:
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        Account.objects.create(tenant=acme, external_id="a", name="A", owner=carl)
    wish = {"account_id": "a", "playbook": "payment_recovery"}
    assert post(client, acme, "playbook-runs", "read", **wish)[0] == 403
    status, run = post(client, acme, "playbook-runs", **wish)
    assert (status, run["state"], run["tasks"], run["held_out"]) == (201, "running", 2, False)
    assert run["waits_until"] is not None
    status, again = post(client, acme, "playbook-runs", **wish)
    assert (status, again["id"]) == (200, run["id"])
    assert post(client, acme, f"playbook-runs/{run['id']}/pause", reason="x")[1]["paused_on"] is not None
    assert post(client, acme, f"playbook-runs/{run['id']}/resume")[1]["paused_on"] is None
    assert post(client, acme, f"playbook-runs/{run['id']}/stop", outcome="fine")[0] == 400
    status, stopped = post(client, acme, f"playbook-runs/{run['id']}/stop", outcome="recovered")
    assert (status, stopped["state"], stopped["outcome"]) == (200, "stopped", "recovered")
    status, refused = post(client, acme, f"playbook-runs/{run['id']}/pause")
    assert (status, refused["error"]["message"]) == (409, "This run has already ended.")
    assert post(client, acme, "playbook-runs/999999/stop", outcome="recovered")[0] == 404


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"account_id": "nobody", "playbook": "data_audit"}, 404, ""),
        ({"account_id": "a", "playbook": "nothing"}, 409, "no published play"),
        ({"account_id": "a", "playbook": "reference_ask"}, 409, "not for this account"),
        ({"account_id": "a"}, 400, "not valid"),
        ({"account_id": "a", "playbook": 1}, 400, "not valid"),
        ({"account_id": "a", "playbook": "data_audit", "now": True}, 400, "not valid"),
    ],
)
def test_a_start_that_cannot_be_says_why(
    client: Client, acme: Tenant, body: dict[str, object], status: int, message: str
) -> None:
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        Account.objects.create(tenant=acme, external_id="a", name="A")
    found, answer = post(client, acme, "playbook-runs", **body)
    assert found == status and message in answer["error"]["message"]
    with tenant_scope(acme):
        assert not Run.objects.exists()


def test_a_key_that_may_write_waives_the_entry_criteria_with_a_reason(client: Client, acme: Tenant) -> None:
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        Account.objects.create(tenant=acme, external_id="a", name="A")
    wish = {"account_id": "a", "playbook": "reference_ask", "override_reason": "Agreed by phone"}
    status, run = post(client, acme, "playbook-runs", **wish)
    assert (status, run["state"]) == (201, "running")
    with tenant_scope(acme):
        audit = AuditEntry.objects.get(action="run.started", target=f"run:{run['id']}")
    assert (audit.after or {})["override"] == "Agreed by phone"


def test_tasks_by_pool_priority_run_and_date(client: Client, acme: Tenant, carl: Membership) -> None:
    (run,) = begin(acme, None)
    headers = key_for(acme)

    def count(query: str) -> int:
        return len(client.get(f"/api/v1/tasks?{query}", headers=headers).json()["results"])

    with tenant_scope(acme):
        create_task(
            tenant=acme, account_id=run.account_id, title="x", due_on=date(2026, 5, 1), assignee_id=carl.pk
        )
    assert [count(q) for q in ("pool=manager", "pool=csm", f"run_id={run.pk}", "due_from=2026-05-01")] == [
        2,
        0,
        2,
        1,
    ]
    assert count("priority=low") == 0
    assert client.get("/api/v1/tasks?run_id=x", headers=headers).status_code == 400
    assert client.get("/api/v1/tasks?priority=soon", headers=headers).status_code == 400
