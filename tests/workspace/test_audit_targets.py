"""To what something was done: codes of the log as names with links, whatever has become of the thing."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Contact, Membership, Tenant
from accounts.services import record_audit
from playbooks.models import Playbook, PlaybookVersion, Run, Task
from workspace.selectors.audit import AuditFilter, audit_rows
from workspace.selectors.audit_targets import KINDS, Target, mark_of, targets_of

LOG = "/t/acme/settings/audit/"


@pytest.fixture
def named(acme: Tenant, carl: Membership) -> dict[str, int]:
    """A run, a task and a contact of Globex; the numbers under which the log knows them."""
    with tenant_scope(acme):
        account = Account.objects.create(tenant=acme, external_id="g-1", name="Globex", owner=carl)
        other = Account.objects.create(tenant=acme, external_id=str(account.pk), name="Initech")
        book = Playbook.objects.create(tenant=acme, key="save", name="Save the account")
        version = PlaybookVersion.objects.create(tenant=acme, playbook=book, number=1)
        run = Run.objects.create(
            tenant=acme, playbook=book, version=version, account=account, started_on=acme.today()
        )
        task = Task.objects.create(
            tenant=acme, account=account, title="Call them", due_on=acme.today(), assignee=carl
        )
        contact = Contact.objects.create(tenant=acme, account=account, name="Dana")
    return {
        "account": account.pk,
        "other": other.pk,
        "run": run.pk,
        "task": task.pk,
        "contact": contact.pk,
        "book": book.pk,
    }


def test_codes_become_names_with_the_account_and_a_link(acme: Tenant, named: dict[str, int]) -> None:
    rows = {
        ("run.started", f"run:{named['run']}"): Target(
            "Playbook run: Save the account · Globex", f"/playbooks/runs/{named['run']}/"
        ),
        ("task.done", f"task:{named['task']}"): Target(
            "Task: Call them · Globex", f"/tasks/{named['task']}/"
        ),
        ("privacy.exported", f"contact {named['contact']}"): Target("Contact: Dana · Globex"),
        ("playbook.changed", "playbook:save"): Target(
            "Playbook: Save the account", f"/playbooks/{named['book']}/"
        ),
        ("account.fields_changed", "account:g-1"): Target(
            "Account: Globex", f"/accounts/{named['account']}/"
        ),
        ("register.risks", "g-1:12"): Target("Account: Globex", f"/accounts/{named['account']}/"),
        ("account.changed", "g-1"): Target("Account: Globex", f"/accounts/{named['account']}/"),
        # The same digits are the number of one account and the id of another: who wrote them decides.
        ("handoff.made", f"account:{named['account']}"): Target(
            "Account: Globex", f"/accounts/{named['account']}/"
        ),
        ("account.fields_changed", f"account:{named['account']}"): Target(
            "Account: Initech", f"/accounts/{named['other']}/"
        ),
        ("run.started", "run:999999"): Target("Playbook run 999999"),
        ("account.changed", "gone"): Target("Account gone"),
    }
    with tenant_scope(acme):
        assert targets_of(acme, rows) == rows
        gone = targets_of(acme, [("x.y", f"{noun}{mark_of(noun)}999999") for noun in KINDS])
        assert len(gone) == len(KINDS) and all(one.words.endswith("999999") for one in gone.values())
        assert targets_of(acme, [("x.y", "health v4"), ("x.y", "later:7"), ("x.y", "run:x")]) == {}
        with translation.override("es"):
            said = targets_of(acme, [("task.done", f"task:{named['task']}")])
        assert [one.words for one in said.values()] == ["Tarea: Call them · Globex"]


def test_another_company_s_things_have_no_name(acme: Tenant, rival: Tenant, named: dict[str, int]) -> None:
    with tenant_scope(rival):
        found = targets_of(rival, [("run.started", f"run:{named['run']}")])
    assert [one.words for one in found.values()] == [f"Playbook run {named['run']}"]


def test_the_log_shows_finds_and_exports_the_name(
    acme: Tenant, alice: Membership, client: Client, named: dict[str, int]
) -> None:
    with tenant_scope(acme):
        record_audit(tenant=acme, actor=alice, action="run.started", target=f"run:{named['run']}")
        record_audit(tenant=acme, actor=alice, action="rule.changed", target="rule:none")
    client.force_login(alice.user)
    page = client.get(LOG).text
    link = f'<a href="/t/acme/playbooks/runs/{named["run"]}/">Playbook run: Save the account · Globex</a>'
    assert link in page and f'title="run:{named["run"]}"' in page and "Rule none" in page
    for text in ("globex", "save the", f"run:{named['run']}"):
        found = client.get(LOG, {"target": text}).context["found"]
        assert [row.target for row in found.rows] == [f"run:{named['run']}"], text
    answer = client.get(f"{LOG}export.csv", {"target": "globex"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [(row["to what"], row["to what, as a code"]) for row in rows] == [
        ("Playbook run: Save the account · Globex", f"run:{named['run']}")
    ]


def test_more_rows_take_no_more_queries(acme: Tenant, named: dict[str, int]) -> None:
    with tenant_scope(acme):
        account = Account.objects.get(pk=named["account"])
        tasks = [
            Task.objects.create(tenant=acme, account=account, title=f"T{n}", due_on=acme.today(), pool="csm")
            for n in range(3)
        ]
        counts = []
        for some in (tasks[:1], tasks):
            with CaptureQueriesContext(connection) as queries:
                assert len(targets_of(acme, [("task.done", f"task:{task.pk}") for task in some])) == len(some)
            counts.append(len(queries))
    assert counts == [1, 1]


def test_a_name_finds_everything_that_has_it(
    acme: Tenant, rival: Tenant, alice: Membership, client: Client, named: dict[str, int]
) -> None:
    with tenant_scope(rival):
        Account.objects.create(tenant=rival, external_id="r-1", name="Globex too")
    with tenant_scope(acme):
        account = Account.objects.get(pk=named["account"])
        tasks = Task.objects.bulk_create(
            Task(tenant=acme, account=account, title=f"T{n}", due_on=acme.today(), pool="csm")
            for n in range(400)
        )
        about = [f"task:{tasks[0].pk}", f"contact {named['contact']}", "account:g-1", f"run:{named['run']}"]
        said = [
            *(("x.y", code) for code in about),
            ("account.changed", "g-1"),
            ("register.risks", "g-1:12"),
            ("handoff.made", f"account:{named['account']}"),
            # Nothing of Globex: an account of this id is another's, and what is no number names nothing.
            ("account.fields_changed", f"account:{named['account']}"),
            ("x.y", f"account:{named['other']}"),
            ("x.y", "task:999999999999999999999"),
            ("x.y", "task:x"),
            ("x.y", "r-1"),
            ("account.changed", "r-1"),
        ]
        for action, target in said:
            record_audit(tenant=acme, actor=alice, action=action, target=target)
        entries = AuditEntry.objects.filter(action__in={action for action, _target in said})
        found = [(row.action, row.target) for row in audit_rows(acme, AuditFilter(target="GLOBEX"), most=100)]
        assert sorted(found) == sorted(said[: len(about) + 3])
        assert entries.count() == len(said)
        # Beside what was done: both must hold.
        for action, target in said[len(about) : len(about) + 3]:
            both = audit_rows(acme, AuditFilter(target="globex", action=action), most=100)
            assert [(row.action, row.target) for row in both] == [(action, target)]
        hundred_percent = list(audit_rows(acme, AuditFilter(target="100%_"), most=100))
    assert hundred_percent == []
    client.force_login(alice.user)
    assert client.get(LOG, {"target": "T0"}).context["found"].total == 1
    assert client.get(LOG, {"target": "carl"}).status_code == 200
