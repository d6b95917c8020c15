"""Two accounts become one: nothing is lost, nothing is there twice, the old name leads to the account that stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import CASCADE
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.models import TenantForeignKey
from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.keys import make_key
from accounts.models import (
    Account,
    AccountAlias,
    AccountMerge,
    AuditEntry,
    Contact,
    Job,
    Membership,
    Subscription,
    Tenant,
    TimelineEntry,
)
from accounts.upserts import upsert_accounts, upsert_tickets
from alerts.models import Alert
from playbooks.models import Run, Task
from playbooks.onboarding.models import OnboardingPlan
from playbooks.onboarding.services import start_plan
from playbooks.services import create_task
from qbr.figures import record_figure, verify_figure
from qbr.models import Pack
from scoring.overrides.services import set_sentiment
from tests.usage.conftest import event, select, send
from usage.services import install_starter_metrics, push_metric_values, verify_rollups
from workspace.merging.ending import ENDED_TABLES
from workspace.merging.fields import GOES, STAYS, chosen_values, default_choice
from workspace.merging.looking import alike_accounts, candidates, preview
from workspace.merging.rules import END, KEEP, RULES, how
from workspace.merging.services import merge_accounts
from workspace.merging.tables import counts, naming_tables
from workspace.services.notes import add_note

from .world import World

SignIn = Callable[[Membership], Client]


# ── The plan is complete ────────────────────────────────────────────────────────────────────────────────────────
def test_every_table_that_names_an_account_has_a_rule_where_it_needs_one(db: None) -> None:
    tables = naming_tables()
    assert {"accounts_contact", "usage_event", "scoring_score", "alerts_alert", "accounts_accountfile"} <= {
        one.table for one in tables
    }
    unsaid = [one.table for one in tables if one.may_collide and one.table not in RULES]
    assert unsaid == [], "say in workspace/merging/rules.py what becomes of rows of which there can be one"
    assert set(RULES) - {one.table for one in tables} == set()
    assert {table for table, rule in RULES.items() if rule.how == END} == ENDED_TABLES
    keyed = {one.table for one in tables}
    fields = {
        model._meta.db_table: field.column
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey) and field.remote_field.model is Account
    }
    assert set(fields) <= keyed


def test_what_is_dropped_takes_nothing_along(db: None) -> None:
    """A row that goes must not be the parent of others: they would go with it without a word."""
    parents = {
        field.remote_field.model._meta.db_table: model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey) and field.remote_field.on_delete is CASCADE
    }
    assert [table for table, rule in RULES.items() if rule.how == KEEP and table in parents] == []


def test_the_account_that_stays_fills_its_gaps() -> None:
    blank = {
        "name": "A", "name_search": "a", "owner_id": None, "segment": "", "stage": "active", "plan": "", "plan_kind": "",
        "seats": None, "volume_limit": None, "mrr_cents": 0, "currency": "", "go_live_on": None, "renewal_on": None,
        "churned_on": None, "touch_model": "", "tags": ["x"], "targets": {"a": 1}, "custom": {}, "first_seen_on": None,
    }  # fmt: skip
    full = blank | {
        "name": "B", "segment": "Big", "mrr_cents": 500, "currency": "EUR", "churned_on": date(2026, 1, 1),
        "tags": ["y", "x"], "targets": {"a": 2, "b": 3}, "first_seen_on": date(2025, 1, 1),
    }  # fmt: skip
    values = chosen_values(blank, full, {})
    assert (values["name"], values["segment"], values["mrr_cents"], values["currency"]) == (
        "A",
        "Big",
        500,
        "EUR",
    )
    assert (values["tags"], values["targets"]) == (["x", "y"], {"a": 1, "b": 3})
    assert values["churned_on"] is None
    assert values["first_seen_on"] == full["first_seen_on"]
    assert chosen_values(blank, full, {"name": GOES})["name_search"] == "a"
    assert default_choice(full, blank, "churned_on") == GOES  # one that is still a customer is no churned one
    assert default_choice(full, blank, "segment") == STAYS


# ── A merge ─────────────────────────────────────────────────────────────────────────────────────────────────────
def filled(world: World, member: Membership) -> tuple[Account, Account]:
    """Two accounts that have everything twice."""
    tenant, (stays, goes) = world.tenant, world.accounts[:2]
    rule = world.alerts[0].rule
    for place, account in enumerate((stays, goes)):
        Alert.objects.create(
            rule=rule, account=account, subject="same", severity="low", opened_on=world.today,
            last_seen_on=world.today, evidence={},
        )  # fmt: skip
        Contact.objects.create(
            account=account, email="Same@Person.example", name="" if place else "Sam", roles=[f"r{place}"]
        )
        Subscription.objects.create(
            account=account, external_id=f"sub-{place}", plan="Pro", mrr_cents=1000, currency="USD"
        )
        add_note(tenant=tenant, actor=member, account=account, text=f"Note {place}")
        create_task(tenant=tenant, account_id=account.pk, title="Call", due_on=world.today, member=member)
        set_sentiment(tenant=tenant, account_id=account.pk, value=3, note="x")
        start_plan(tenant=tenant, account_id=account.pk, starts_on=world.today)
        Pack.objects.create(
            account=account, due_on=world.today, period_first=world.today, period_last=world.today
        )
    return stays, goes


def merged(world: World, member: Membership, stays: Account, goes: Account, **choices: str) -> AccountMerge:
    with tenant_scope(world.tenant):
        job = merge_accounts(
            tenant=world.tenant,
            actor=member,
            into_id=stays.pk,
            from_id=goes.pk,
            choices=choices,
            confirmation=goes.name,
        )
    assert run_jobs(world.tenant, job.pk) >= 2
    with tenant_scope(world.tenant):
        job.refresh_from_db()
        assert (job.state, job.message) == (Job.State.DONE, "")
        return AccountMerge.objects.get(absorbed_id=goes.pk)


def test_everything_goes_to_the_account_that_stays(world: World, mona: Membership, browser: SignIn) -> None:
    tenant = world.tenant
    with tenant_scope(tenant):
        stays, goes = filled(world, mona)
        child, _below = world.accounts[2:4]
        Account.objects.filter(pk=child.pk).update(parent=goes)
        Account.objects.filter(pk=stays.pk).update(
            parent=child
        )  # the one that stays is below the one that goes
        before = {pk: counts(tenant, pk, naming_tables()) for pk in (stays.pk, goes.pk)}
        figure = record_figure(
            tenant=tenant, account=goes, query="tickets_opened", as_of=timezone.now(),
            parameters={"first": (world.today - timedelta(days=30)).isoformat(), "last": world.today.isoformat()},
        )  # fmt: skip
        seen = preview(tenant, stays, goes, [mona])
        ended = {line.table: line.ended for line in seen.tables if line.ended}
        assert (
            ended.items()
            >= {
                "alerts_alert": 1,
                "playbooks_onboardingplan": 1,
                "qbr_pack": 1,
            }.items()
        )
    found = merged(world, mona, stays, goes, name=GOES)
    with tenant_scope(tenant):
        after = counts(tenant, stays.pk, naming_tables())
        assert counts(tenant, goes.pk, naming_tables()) == {}
        assert not Account.objects.filter(pk=goes.pk).exists()
        for table in before[goes.pk]:
            if how(table) == "move":
                assert after[table] >= before[stays.pk].get(table, 0) + before[goes.pk][table], table
        one = Account.objects.get(pk=stays.pk)
        assert (one.name, one.mrr_cents, one.parent_id) == (goes.name, 2000, None)
        assert Account.objects.get(pk=child.pk).parent_id == stays.pk
        assert Alert.objects.filter(account=one, subject="same", state="open").count() == 1
        assert Alert.objects.filter(account=one, subject="same", state="closed").count() == 1
        assert OnboardingPlan.objects.filter(account=one, state="running").count() == 1
        assert Pack.objects.filter(account=one).count() == 2
        assert Task.objects.filter(account=one, title="Call").count() == 2
        person = Contact.objects.get(account=one, email="Same@Person.example", merged_into=None)
        assert (person.name, sorted(person.roles)) == ("Sam", ["r0", "r1"])
        assert found.moved["accounts_timelineentry"] > 0
        assert TimelineEntry.objects.filter(account=one, kind="account_merged").count() == 1
        assert AuditEntry.objects.filter(action="account.merged").count() == 1
        figure.refresh_from_db()
        verdict = verify_figure(tenant=tenant, figure=figure)
        assert (verdict.state, verdict.reason) == ("changed", "merged")
    client = browser(mona)
    old = client.get(f"/t/acme/accounts/{goes.pk}/")
    assert (old.status_code, old.headers["Location"]) == (302, f"/t/acme/accounts/{stays.pk}/")
    assert client.get(f"/t/acme/accounts/{stays.pk}/").status_code == 200
    assert goes.name in client.get(f"/t/acme/accounts/{stays.pk}/merge/{found.pk}/").text
    assert client.get("/t/acme/accounts/duplicates/").status_code == 200


def test_the_old_id_leads_to_the_account_that_stays(
    world: World, alice: Membership, mona: Membership
) -> None:
    tenant, (stays, goes) = world.tenant, world.accounts[:2]
    merged(world, mona, stays, goes)
    _key, raw = make_key(tenant=tenant, name="k", scope="write")
    api = Client(headers={"Authorization": f"Bearer {raw}"})
    read = api.get(f"/api/v1/accounts/{goes.external_id}")
    assert (read.status_code, read.json()["external_id"]) == (200, stays.external_id)
    assert api.get(f"/api/v1/accounts/{goes.external_id}/health").json()["account_id"] == stays.external_id
    changed = api.put(
        f"/api/v1/accounts/{goes.external_id}",
        {"external_id": goes.external_id, "segment": "Said late"},
        content_type="application/json",
    )
    assert (changed.status_code, changed.json()["segment"]) == (200, "Said late")
    tasks = api.get(f"/api/v1/tasks?account_id={goes.external_id}").json()["results"]
    assert {task["account_id"] for task in tasks} == {stays.external_id}
    assert send(tenant, [event(account_id=goes.external_id)]).stored == 1
    with tenant_scope(tenant):
        outcome = upsert_accounts(tenant=tenant, items=[{"external_id": goes.external_id, "seats": 7}])
        assert (outcome.created, outcome.updated) == (0, 1)
        assert Account.objects.get(pk=stays.pk).seats == 7
        item = {"external_id": "T-x", "account_id": goes.external_id, "opened_at": "2026-01-01T00:00:00Z"}
        assert upsert_tickets(tenant=tenant, items=[item]).created == 1
        assert not Account.objects.filter(external_id=goes.external_id).exists()
        third = world.accounts[2]
    merged(world, mona, third, stays)  # the one that stayed goes into another: both old ids lead there
    with tenant_scope(tenant):
        assert set(AccountAlias.objects.values_list("external_id", "account_id")) == {
            (goes.external_id, third.pk),
            (stays.external_id, third.pk),
        }


def test_usage_is_added_up_again_from_the_events_of_both(acme: Tenant, mona: Membership) -> None:
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
    send(acme, [event(1, account_id="a1"), event(2, account_id="a1", user_id="u2")])
    send(acme, [event(3, account_id="a2"), event(4, account_id="a2", occurred_at="2026-01-10T15:00:00Z")])
    with tenant_scope(acme):
        one, two = Account.objects.order_by("external_id")
        push_metric_values(
            tenant=acme,
            items=[
                {"account_id": "a1", "metric": "nps", "day": "2026-03-16", "value": 9},
                {"account_id": "a2", "metric": "nps", "day": "2026-03-16", "value": 2},
                {"account_id": "a2", "metric": "nps", "day": "2026-03-15", "value": 3},
            ],
        )
        # Raw events of one day are gone: what the rollups know of it is all that is left.
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM usage_event WHERE tenant_id = %s AND day = '2026-01-10'", [acme.pk])
        job = merge_accounts(
            tenant=acme, actor=mona, into_id=one.pk, from_id=two.pk, choices={}, confirmation=two.name
        )
    # While the merge runs, events of the old id are stored at the account that stays.
    send(acme, [event(5, account_id="a2", user_id="u3")])
    run_jobs(acme, job.pk)
    with tenant_scope(acme):
        job.refresh_from_db()
        assert (job.state, job.message) == (Job.State.DONE, "")
        assert verify_rollups(tenant=acme, days=(date(2026, 3, 1), date(2026, 3, 31))).differing == []
        assert Account.objects.get().first_seen_on == date(2026, 1, 10)
    slot = select(acme, "SELECT slot FROM usage_metric WHERE tenant_id = %s AND key = 'all_events'")[0][0]
    days = select(
        acme,
        f'SELECT account_id, day::text, "values"[{slot}] FROM usage_day WHERE tenant_id = %s ORDER BY day',
    )
    assert {(account, day): count for account, day, count in days if count} == {
        (one.pk, "2026-01-10"): 1.0,
        (one.pk, "2026-03-16"): 4.0,
    }
    people = select(acme, "SELECT DISTINCT account_id FROM usage_user_day WHERE tenant_id = %s")
    assert people == [(one.pk,)]
    pushed = select(acme, "SELECT day::text, value FROM usage_pushed_value WHERE tenant_id = %s ORDER BY day")
    assert pushed == [("2026-03-15", 3.0), ("2026-03-16", 9.0)]


def test_a_merge_is_asked_for_by_name_and_by_a_manager(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    stays, goes = world.accounts[:2]
    address = f"/t/acme/accounts/{stays.pk}/merge/"
    assert browser(carl).get(address).status_code == 403
    client = browser(mona)
    assert goes.name in client.get(f"{address}?other={goes.external_id}").text
    refused = client.post(address, {"other": goes.external_id, "confirmation": "Bluefin"})
    assert refused.status_code == 400
    assert "letter by letter" in refused.text
    assert client.post(address, {"other": "nobody-here", "confirmation": "x"}).status_code == 400
    done = client.post(address, {"other": goes.external_id, "confirmation": goes.name})
    assert done.status_code == 302
    assert "waiting for a worker" in client.get(done.headers["Location"]).text
    with tenant_scope(world.tenant), pytest.raises(ValidationError, match="being merged"):
        merge_accounts(
            tenant=world.tenant, actor=mona, into_id=world.accounts[2].pk, from_id=goes.pk, choices={},
            confirmation=goes.name,
        )  # fmt: skip
    with tenant_scope(world.tenant), pytest.raises(ValidationError, match="itself"):
        merge_accounts(
            tenant=world.tenant,
            actor=mona,
            into_id=stays.pk,
            from_id=stays.pk,
            choices={},
            confirmation=stays.name,
        )


def test_accounts_that_look_the_same_are_found(world: World, mona: Membership, browser: SignIn) -> None:
    with tenant_scope(world.tenant):
        twin = Account.objects.create(external_id="twin", name="NORTHWIND Trading, S.L.")
        mate = Account.objects.create(external_id="mate", name="Quite another")
        first = world.accounts[0]
        Contact.objects.create(account=mate, email=f"x@{first.external_id}.example")
        for n in range(2):
            Contact.objects.create(account=world.accounts[n + 1], email=f"{n}@gmail.com")
        (group,) = alike_accounts(world.tenant)
        assert {one.pk for one in group.accounts} == {first.pk, twin.pk}
        found = candidates(world.tenant, first)
        assert {(one.account.pk, one.domain) for one in found} == {
            (twin.pk, ""),
            (mate.pk, f"{first.external_id}.example"),
        }
        assert candidates(world.tenant, world.accounts[1]) == []
    client, counted = browser(mona), []
    for n in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert "NORTHWIND" in client.get("/t/acme/accounts/duplicates/").text
        counted.append(len(queries))
        with tenant_scope(world.tenant):
            Account.objects.create(external_id=f"twin{n}", name="northwind trading")
            Account.objects.create(external_id=f"pair{n}", name="Pair of one")
    assert counted[0] == counted[1]


def test_a_run_of_the_same_play_is_stopped(world: World, mona: Membership) -> None:
    with tenant_scope(world.tenant):
        runs = list(Run.objects.filter(state="running").order_by("pk"))
        same = next(
            (a, b)
            for a in runs
            for b in runs
            if a.pk != b.pk and a.playbook_id == b.playbook_id and a.account_id != b.account_id
        )
        stays, goes = (Account.objects.get(pk=run.account_id) for run in same)
    merged(world, mona, stays, goes)
    with tenant_scope(world.tenant):
        states = Run.objects.filter(account=stays, playbook_id=same[0].playbook_id).values_list(
            "state", flat=True
        )
        assert sorted(states) == ["running", "stopped"]
