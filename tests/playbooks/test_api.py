"""The API of tasks and runs."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, Tenant
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
