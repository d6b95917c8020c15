"""The pages of plays: a play made from nothing, tried, published, started, followed; and what a stale page is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Contact, Membership, Tenant
from playbooks.models import Playbook, PlaybookVersion, Run, Step, Task
from playbooks.services import draft_from_published, install_shipped_plays, start_run

from .test_actions import said
from .world import World

SignIn = Callable[[Membership], Client]
HEALTHY = {"if-0-what": "band:health", "if-0-compare": "is", "if-0-value": "healthy"}


@pytest.fixture
def admin(world: World, alice: Membership, browser: SignIn) -> Client:
    return browser(alice)


def add(client: Client, version: int, kind: str, **fields: Any) -> Step:
    answer = client.post(f"/t/acme/playbooks/versions/{version}/steps/?kind={kind}", fields)
    assert answer.status_code == 302, answer.content.decode()
    return Step.objects.latest("id")


def make_draft(client: Client, tenant: Tenant) -> int:
    answer = client.post("/t/acme/playbooks/new/", {"name": "Rescue!", "description": "When it burns"})
    with tenant_scope(tenant):
        draft = PlaybookVersion.objects.select_related("playbook").latest("id")
    assert answer.headers["Location"] == f"/t/acme/playbooks/versions/{draft.pk}/"
    assert (draft.playbook.key, draft.state) == ("rescue", "draft")
    return draft.pk


def test_a_play_is_built_from_nothing_tried_published_and_started(
    admin: Client, world: World, carl: Membership
) -> None:
    tenant, account = world.tenant, world.accounts[0]
    version = make_draft(admin, tenant)
    with tenant_scope(tenant):
        Contact.objects.filter(account=account).update(roles=["user"], email="")
        Contact.objects.create(
            tenant=tenant,
            account=account,
            name="Ada Lovelace",
            email="ada@x.example",
            roles=["Decision_maker"],
        )
    url = f"/t/acme/playbooks/versions/{version}/"
    assert "at least one step that does something" in admin.get(url).text
    add_url = f"{url}steps/?kind="
    assert (
        admin.post(f"{add_url}task", {"title": "Call", "days": 1, "who": "owner", "priority": 2}).status_code
        == 302
    )
    assert (
        admin.post(
            f"{add_url}email",
            {
                "title": "Write",
                "to_role": "decision maker",
                "purpose": "service",
                "subject": "About {{ account.name }}",
                "text": "Hello {{ contact.first_name }},\r\nwe call you.",
            },
        ).status_code
        == 302
    )
    with tenant_scope(tenant):
        call, write = Step.objects.filter(version_id=version).order_by("position")
        assert write.config["body"] == "Hello {{ contact.first_name }},\nwe call you."
    branch = {"title": "Better?", **HEALTHY, "next": "end", "otherwise": f"step:{call.pk}"}
    assert admin.post(f"{add_url}branch", branch).status_code == 302
    page = admin.get(url).text
    assert "the way leads back here without a wait" in page
    assert "yes → the end" in page and "no → “Call”" in page
    wait = {"title": "A week", "days": 5, "unit": "working", "if-0-what": ""}
    assert admin.post(f"{add_url}wait&after=2", wait).status_code == 302
    with tenant_scope(tenant):
        titles = list(
            Step.objects.filter(version_id=version).order_by("position").values_list("title", flat=True)
        )
    assert titles == ["Call", "Write", "A week", "Better?"]
    assert "without a wait" not in admin.get(url).text

    tried = admin.get(f"{url}try/?account={account.external_id}").text
    assert f"About {account.name}" in tried and "Hello Ada," in tried and "To ada@x.example" in tried
    with tenant_scope(tenant):
        assert not Task.objects.filter(title="Call").exists()
        assert not Run.objects.filter(version_id=version).exists()

    assert said(admin, f"{url}publish/", note="First") == ["Version 1 is published; new runs follow it."]
    with tenant_scope(tenant):
        book = Playbook.objects.get(key="rescue")
        chosen = [each.pk for each in world.accounts[:2]]
    assert account.name in admin.get(f"{url}audience/").text
    assert said(admin, f"/t/acme/playbooks/{book.pk}/start/", account=chosen) == [
        "Started at 2 accounts: Rescue!"
    ]
    assert said(admin, f"/t/acme/playbooks/{book.pk}/start/", account=chosen) == [
        "Not started at 2: the play runs there already."
    ]
    with tenant_scope(tenant):
        run = Run.objects.get(version_id=version, account=account)
        assert [task.title for task in run.tasks.all()] == ["Call"]
        assert run.log.get(step__title="Write").result["to"] == "ada@x.example"
        assert AuditEntry.objects.filter(target="playbook:rescue", action="playbook.publish").count() == 1
    page = admin.get(f"/t/acme/playbooks/runs/{run.pk}/").text
    assert "It waits at “A week”" in page and "to ada@x.example" in page


def test_what_is_typed_stays_when_it_is_refused_and_another_condition_fits(
    admin: Client, world: World
) -> None:
    url = f"/t/acme/playbooks/versions/{make_draft(admin, world.tenant)}/steps/?kind=branch"
    wrong = {"title": "Ask", "if-0-what": "score:health", "if-0-compare": "above", "if-0-value": "lots"}
    answer = admin.post(url, wrong)
    assert answer.status_code == 400
    assert "Condition 1: “lots” is not a number." in answer.text
    assert 'value="Ask"' in answer.text and 'value="lots"' in answer.text
    more = admin.post(url, {**wrong, "more": "1"})
    assert more.status_code == 200 and 'name="if-1-what"' in more.text and 'value="lots"' in more.text
    with tenant_scope(world.tenant):
        assert not Step.objects.filter(title="Ask").exists()


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            "email",
            {"title": "x", "purpose": "service", "subject": "", "text": ""},
            "write a subject and a text",
        ),
        (
            "email",
            {"title": "x", "purpose": "service", "subject": "s", "text": "{{ account.secret }}"},
            "is not a merge field",
        ),
        ("set_field", {"title": "x", "field": "add_tag", "value": ""}, "name the tag"),
        ("set_field", {"title": "x", "field": "custom", "value": "1"}, "name the custom field"),
        ("set_field", {"title": "x", "field": "touch_model", "value": "loud"}, "tech, pooled or named"),
        ("branch", {"title": "x"}, "A play needs"),
        ("task", {"title": "", "days": 1, "who": "owner", "priority": 2}, "This field is required"),
        ("start_play", {"title": "x", "play": "nothing"}, "Select a valid choice"),
    ],
)
def test_each_kind_of_step_says_what_is_missing(
    admin: Client, world: World, kind: str, fields: dict[str, Any], message: str
) -> None:
    version = make_draft(admin, world.tenant)
    answer = admin.post(f"/t/acme/playbooks/versions/{version}/steps/?kind={kind}", fields, follow=True)
    assert message in answer.text


def test_steps_are_moved_and_removed_alone_or_with_the_page(admin: Client, world: World) -> None:
    with tenant_scope(world.tenant):
        book = Playbook.objects.get(key="data_audit")
        draft = draft_from_published(tenant=world.tenant, playbook_id=book.pk)
        first, second = draft.steps.order_by("position")[:2]
    part = admin.post(
        f"/t/acme/playbooks/steps/{first.pk}/move/",
        {"by": "down"},
        headers={"HX-Request": "true", "HX-Target": "editor"},
    )
    assert part.status_code == 200 and "<html" not in part.text and 'id="editor"' in part.text
    assert admin.post(f"/t/acme/playbooks/steps/{second.pk}/remove/").status_code == 302
    with tenant_scope(world.tenant):
        places = list(draft.steps.order_by("position").values_list("position", "pk")[:1])
        assert (places, draft.steps.count()) == ([(1, first.pk)], 4)
    page = admin.get(f"/t/acme/playbooks/versions/{draft.pk}/").text
    assert f"Step “{second.title}” is gone" in page


def test_terms_are_kept_shown_in_words_and_measured_against_the_published_version(
    admin: Client, world: World
) -> None:
    version = make_draft(admin, world.tenant)
    url = f"/t/acme/playbooks/versions/{version}/terms/"
    fields = {
        "segments": "Enterprise, Enterprise, SMB",
        "stages": "",
        "bands": ["at_risk", "critical"],
        "again": "later",
        "again_days": "30",
        "group": "save",
        "holdout_pct": "10",
        "measure_days": "60",
        "entry-0-what": "field:mrr",
        "entry-0-compare": "at_least",
        "entry-0-value": "100",
        "exit0-0-what": "band:health",
        "exit0-0-compare": "is",
        "exit0-0-value": "healthy",
        "exit0-days": "14",
        "exit0-back": "on",
        "exit0-outcome": "recovered",
    }
    missing = admin.post(url, {**fields, "again_days": ""})
    assert missing.status_code == 400 and "Say after how many days." in missing.text
    bad = admin.post(url, {**fields, "exit0-0-value": "green"})
    assert bad.status_code == 400 and "is not a value it can have" in bad.text
    assert 'name="exit1-days"' in admin.post(url, {**fields, "more-exits": "1"}).text
    assert said(admin, url, **fields) == ["Saved in the draft."]
    with tenant_scope(world.tenant):
        stored = PlaybookVersion.objects.get(pk=version)
    assert stored.entry["segments"] == ["Enterprise", "SMB"] and stored.entry["bands"] == [
        "at_risk",
        "critical",
    ]
    assert stored.exits == [
        {
            "outcome": "recovered",
            "days": 14,
            "back": True,
            "conditions": [{"subject": "band", "name": "health", "compare": "is", "value": "healthy"}],
        }
    ]
    assert (stored.reentry_days, stored.group, stored.holdout_pct) == (30, "save", 10)
    page = admin.get(f"/t/acme/playbooks/versions/{version}/").text
    for words in (
        "health band is healthy again for 14 days → Recovered",
        "30 days after its end",
        "10% of the accounts",
    ):
        assert words in page
    assert 'value="Enterprise, SMB"' in admin.get(url).text


def test_an_old_page_of_a_published_version_is_led_back(admin: Client, world: World) -> None:
    with tenant_scope(world.tenant):
        step = Step.objects.filter(version__state="published").order_by("id")[0]
    for path in (
        f"versions/{step.version_id}/terms/",
        f"versions/{step.version_id}/steps/",
        f"steps/{step.pk}/",
    ):
        answer = admin.post(f"/t/acme/playbooks/{path}", {"title": "New words"}, follow=True)
        assert "Only a draft can be edited" in answer.text
    assert said(admin, f"/t/acme/playbooks/steps/{step.pk}/remove/")[0].startswith("Only a draft")
    assert said(admin, f"/t/acme/playbooks/versions/{step.version_id}/discard/")[0].startswith("Only a draft")
    with tenant_scope(world.tenant):
        assert Step.objects.get(pk=step.pk).title == step.title


def test_a_manager_reads_the_editor_and_a_csm_does_not(
    admin: Client, world: World, mona: Membership, carl: Membership, browser: SignIn
) -> None:
    version = make_draft(admin, world.tenant)
    url = f"/t/acme/playbooks/versions/{version}/"
    page = browser(mona).get(url)
    assert page.status_code == 200 and "Add a step" not in page.text
    assert "Add a step" in admin.get(url).text
    assert browser(carl).get(url).status_code == 403
    assert browser(mona).get(f"{url}steps/").status_code == 403


def test_a_run_is_paused_moved_moved_back_and_judged(world: World, carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    with tenant_scope(world.tenant):
        run = start_run(
            tenant=world.tenant,
            playbook_key="payment_recovery",
            account_id=next(each.pk for each in world.accounts if each.owner_id == carl.pk),
            started_on=world.tenant.today(),
        )
        before = list(run.tasks.order_by("id").values_list("due_on", flat=True))
    url = f"/t/acme/playbooks/runs/{run.pk}/"
    answer = client.post(f"{url}shift/", {"days": "3"}, follow=True)
    assert "The dates moved by 3 working days." in answer.text
    with tenant_scope(world.tenant):
        moved = list(run.tasks.order_by("id").values_list("due_on", flat=True))
    assert all(late > early for late, early in zip(moved, before, strict=True))
    undo = answer.text.split('action="/t/acme/tasks/undo/')[1].split("/")[0]
    assert said(client, f"/t/acme/tasks/undo/{undo}/") == ["3 changes taken back."]
    with tenant_scope(world.tenant):
        assert list(run.tasks.order_by("id").values_list("due_on", flat=True)) == before
    assert said(client, f"/t/acme/tasks/undo/{undo}/") == ["This was taken back already."]
    assert said(client, f"{url}shift/", days="many")[0].startswith("Say by how many")
    assert said(client, f"{url}pause/")[0].startswith("The play stands still")
    assert "It stands still until somebody lets it go on." in client.get(url).text
    assert said(client, f"{url}pause/", go="on")[0].startswith("The play goes on")
    assert said(client, f"{url}stop/", outcome="recovered") == [
        "The play was stopped; its open tasks are cancelled."
    ]
    assert said(client, f"{url}outcome/", outcome="no_effect") == ["Noted."]
    with tenant_scope(world.tenant):
        run.refresh_from_db()
    assert (run.state, run.outcome) == ("stopped", "no_effect")


def test_a_stranger_may_not_touch_a_run(world: World, vera: Membership, browser: SignIn) -> None:
    run_id = next(alert.run_id for alert in world.alerts if alert.run_id)
    for deed in ("pause", "shift", "stop", "outcome"):
        assert browser(vera).post(f"/t/acme/playbooks/runs/{run_id}/{deed}/").status_code == 403


def test_the_pages_take_as_many_queries_for_many_as_for_one(
    admin: Client, world: World, alice: Membership
) -> None:
    with tenant_scope(world.tenant):
        version = PlaybookVersion.objects.get(playbook__key="expansion_sequence")
        account = world.accounts[0]
    paths = [
        f"/t/acme/playbooks/versions/{version.pk}/audience/",
        f"/t/acme/playbooks/{version.playbook_id}/",
        f"/t/acme/playbooks/versions/{version.pk}/try/?account={account.external_id}",
    ]

    def counts() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as seen:
                assert admin.get(path).status_code == 200
            found.append(len(seen))
        return found

    admin.get(paths[0])
    before = counts()
    with tenant_scope(world.tenant):
        Account.objects.bulk_create(
            Account(tenant=world.tenant, external_id=f"more-{n}", name=f"More {n}", name_search=f"more {n}")
            for n in range(5)
        )
        for each in world.accounts[:4]:
            start_run(
                tenant=world.tenant,
                playbook_key="payment_recovery",
                account_id=each.pk,
                started_on=world.tenant.today(),
            )
        Contact.objects.create(tenant=world.tenant, account=account, name="New", email="new@x.example")
    assert counts() == before
    assert max(before) <= 30


def test_an_empty_company_has_a_page_for_everything(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        version = PlaybookVersion.objects.get(playbook__key="reference_ask")
    client = browser(alice)
    for path in ("audience/", "try/", "try/?account=nobody", ""):
        assert client.get(f"/t/acme/playbooks/versions/{version.pk}/{path}").status_code == 200
    assert "No account could start" in client.get(f"/t/acme/playbooks/versions/{version.pk}/audience/").text


def test_a_play_is_started_from_the_list_of_accounts(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    ids = [each.pk for each in world.accounts if each.owner_id == carl.pk][:2]
    url = "/t/acme/accounts/bulk/"
    assert said(browser(carl), url, account=ids, playbook="value_review") == [
        "Started at 2 accounts: Value review."
    ]
    with tenant_scope(world.tenant):
        assert Run.objects.filter(playbook__key="value_review", account_id__in=ids).count() == 2
    assert browser(vera).post(url, {"account": ids, "playbook": "value_review"}).status_code == 403
    assert said(browser(carl), url, account=ids, playbook="nothing")[0].startswith("Nothing was changed")


def test_a_manager_is_asked_why_where_the_entry_criteria_are_not_met(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    account = next(each.pk for each in world.accounts if each.owner_id == carl.pk)
    with tenant_scope(world.tenant):
        PlaybookVersion.objects.filter(playbook__key="payment_recovery").update(
            entry={"segments": ["nowhere"]}
        )
    url = f"/t/acme/accounts/{account}/play/"
    assert said(browser(carl), url, playbook="payment_recovery")[0].startswith("The play is not for this")
    client = browser(mona)
    page = client.post(url, {"playbook": "payment_recovery"})
    assert page.status_code == 422
    assert "segment is nowhere" in page.text and "Write a reason." not in page.text
    assert (
        "Write a reason." in client.post(url, {"playbook": "payment_recovery", "override_reason": " "}).text
    )
    assert (
        browser(carl).post(url, {"playbook": "payment_recovery", "override_reason": "Please"}).status_code
        == 403
    )
    done = client.post(url, {"playbook": "payment_recovery", "override_reason": "They asked"}, follow=True)
    assert "Started: " in done.text
    with tenant_scope(world.tenant):
        assert Run.objects.filter(account=account, playbook__key="payment_recovery").count() == 1
