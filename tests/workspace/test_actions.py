"""What people do on the pages: finish, snooze, note, assign, invite, revoke; who may, and how it is undone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.csv_text import safe_cell
from accounts.fence.scope import tenant_scope
from accounts.models import Account, ApiKey, AuditEntry, Job, Membership, Outbox, Tenant, TimelineEntry
from alerts.models import Alert, Rule
from playbooks.models import Playbook, Run, Task
from tests.conftest import make_member

from .world import World

SignIn = Callable[[Membership], Client]


def said(client: Client, path: str, **data: Any) -> list[str]:
    """Post a form and read the toasts of the page it leads to."""
    response = client.post(path, data, follow=True)
    assert response.status_code == 200, response.status_code
    return [str(message) for message in response.context["messages"]]


def test_a_task_is_done_and_undone(world: World, carl: Membership, browser: SignIn) -> None:
    task = world.tasks[-1]
    client = browser(carl)
    response = client.post(f"/t/acme/tasks/{task.pk}/complete/", {"note": "Sent."}, follow=True)
    assert f'action="/t/acme/tasks/{task.pk}/reopen/"' in response.text
    with tenant_scope(world.tenant):
        task.refresh_from_db()
        assert (task.state, task.note, task.completed_by_id) == (Task.State.DONE, "Sent.", carl.pk)
    assert said(client, f"/t/acme/tasks/{task.pk}/reopen/") == ["Open again: Send the summary"]
    with tenant_scope(world.tenant):
        task.refresh_from_db()
        assert task.state == Task.State.OPEN


def test_a_task_is_handed_over_and_moved(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    task, later = world.tasks[-1], world.today + timedelta(days=5)
    assert said(
        browser(carl), f"/t/acme/tasks/{task.pk}/change/", assignee=mona.pk, due_on=later.isoformat()
    ) == ["Saved: Send the summary"]
    with tenant_scope(world.tenant):
        task.refresh_from_db()
        assert (task.assignee_id, task.due_on) == (mona.pk, later)
    assert said(browser(mona), f"/t/acme/tasks/{task.pk}/change/", due_on="soon") == ["That is not a date."]


def test_an_alert_is_closed_with_a_verdict_and_opened_again(
    world: World, carl: Membership, browser: SignIn
) -> None:
    alert, client = world.alerts[0], browser(carl)
    assert said(client, f"/t/acme/alerts/{alert.pk}/close/") == [
        "Say whether the alert was useful, noise or already known."
    ]
    response = client.post(
        f"/t/acme/alerts/{alert.pk}/close/", {"verdict": "noise", "note": "A test account"}, follow=True
    )
    assert f'action="/t/acme/alerts/{alert.pk}/reopen/"' in response.text
    with tenant_scope(world.tenant):
        alert.refresh_from_db()
        assert (alert.state, alert.close_verdict, alert.close_note) == (
            Alert.State.CLOSED,
            "noise",
            "A test account",
        )
    said(client, f"/t/acme/alerts/{alert.pk}/reopen/")
    with tenant_scope(world.tenant):
        alert.refresh_from_db()
        assert alert.state == Alert.State.OPEN


def test_an_alert_is_snoozed_with_a_reason_and_a_date(
    world: World, carl: Membership, browser: SignIn
) -> None:
    alert, until = world.alerts[0], world.today + timedelta(days=7)
    assert said(browser(carl), f"/t/acme/alerts/{alert.pk}/snooze/", until="never", reason="x") == [
        "Choose until when."
    ]
    said(browser(carl), f"/t/acme/alerts/{alert.pk}/snooze/", until=until.isoformat(), reason="Holidays")
    with tenant_scope(world.tenant):
        alert.refresh_from_db()
        assert (alert.state, alert.snoozed_until, alert.snooze_reason) == (
            Alert.State.SNOOZED,
            until,
            "Holidays",
        )


def test_details_open_beside_the_list_only_for_the_panel(
    world: World, carl: Membership, browser: SignIn
) -> None:
    address = f"/t/acme/alerts/{world.alerts[0].pk}/"
    panel = browser(carl).get(address, headers={"HX-Request": "true", "HX-Target": "panel"}).text
    assert "<html" not in panel and "Ticket T-0" in panel
    for headers in ({}, {"HX-Request": "true", "HX-Target": "panel", "HX-History-Restore-Request": "true"}):
        assert "<html" in browser(carl).get(address, headers=headers).text


def test_a_note_and_a_task_are_made_at_an_account(world: World, carl: Membership, browser: SignIn) -> None:
    pk, client = world.accounts[0].pk, browser(carl)
    assert said(client, f"/t/acme/accounts/{pk}/note/", text="Talked to Ana\nShe is happy") == [
        "The note is on the timeline."
    ]
    empty = client.post(f"/t/acme/accounts/{pk}/note/", {"text": " "})
    assert (empty.status_code, "Write something first." in empty.text) == (400, True)
    due = (world.today + timedelta(days=2)).isoformat()
    assert said(client, f"/t/acme/accounts/{pk}/task/", title="Call", assignee=carl.pk, due_on=due) == [
        "Task made: Call"
    ]
    with tenant_scope(world.tenant):
        note = TimelineEntry.objects.get(kind="note", account_id=pk, title="Talked to Ana")
        assert (note.data["text"], note.data["type"], note.actor_id) == ("She is happy", "note", carl.pk)
        assert Task.objects.get(title="Call").account_id == pk


def test_a_play_is_started_and_stopped(world: World, carl: Membership, browser: SignIn) -> None:
    account, client = world.accounts[3], browser(carl)
    with tenant_scope(world.tenant):
        key = (
            Playbook.objects.filter(runs=None).order_by("position").values_list("key", flat=True).first()
            or ""
        )
        known = set(Run.objects.values_list("pk", flat=True))
    assert said(client, f"/t/acme/accounts/{account.pk}/play/", playbook=key)[0].startswith("Started: ")
    assert said(client, f"/t/acme/accounts/{account.pk}/play/", playbook="nonsense") == [
        "There is no published play “nonsense”."
    ]
    with tenant_scope(world.tenant):
        run = Run.objects.exclude(pk__in=known).get()
    said(client, f"/t/acme/playbooks/runs/{run.pk}/stop/", outcome="no_effect", reason="Not needed")
    with tenant_scope(world.tenant):
        run.refresh_from_db()
        assert (run.account_id, run.state, run.outcome) == (account.pk, Run.State.STOPPED, "no_effect")


def test_ticked_accounts_get_an_owner_and_a_tag_but_not_those_of_others(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    foreign = world.accounts[1]
    with tenant_scope(world.tenant):
        Account.objects.filter(pk=foreign.pk).update(owner=mona)
    ticked = [str(account.pk) for account in world.accounts[:3]]
    assert (
        'action="/t/acme/accounts/bulk/?sort=score"' in browser(carl).get("/t/acme/accounts/?sort=score").text
    )
    assert said(browser(carl), "/t/acme/accounts/bulk/", account=[*ticked, "9" * 30, "x"], tag="pilot") == [
        "2 accounts were changed. 1 was left out: it is not yours."
    ]
    assert said(browser(mona), "/t/acme/accounts/bulk/", account=ticked, owner=mona.pk) == [
        "2 accounts were changed."
    ]
    assert said(browser(mona), "/t/acme/accounts/bulk/", account=ticked)[0].startswith("Nothing was changed")
    with tenant_scope(world.tenant):
        rows = {a.pk: a for a in Account.objects.filter(pk__in=ticked)}
        assert ["pilot" in rows[a.pk].tags for a in world.accounts[:3]] == [True, False, True]
        assert {a.owner_id for a in rows.values()} == {mona.pk}
        assert AuditEntry.objects.filter(action="accounts.bulk_changed").count() == 2


def test_the_list_comes_as_a_csv_file_of_this_company_only(
    world: World, rival: Tenant, vera: Membership, browser: SignIn
) -> None:
    with tenant_scope(rival):
        Account.objects.create(external_id="secret", name="Secret")
    with tenant_scope(world.tenant):
        Account.objects.filter(pk=world.accounts[0].pk).update(name='=HYPERLINK("http://evil")')
    response = browser(vera).get("/t/acme/accounts/export.csv?sort=score")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == len(world.accounts)
    assert "Secret" not in text
    assert {row["name"] for row in rows if row["external id"] == "acc-00000"} == {
        '\'=HYPERLINK("http://evil")'
    }
    known = [float(row["score"]) for row in rows if row["score"]]
    assert known == sorted(known)


@pytest.mark.parametrize(
    ("cell", "safe"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "'-5"), (-5, -5), ("plain", "plain"), (None, None)],
)
def test_a_spreadsheet_runs_nothing(cell: object, safe: object) -> None:
    assert safe_cell(cell) == safe


def test_a_key_is_shown_once_and_revoked(alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    page = client.post("/t/acme/keys/", {"name": "Product", "scope": "ingest"}).text
    raw = page.split('id="fresh-key">')[1].split("<")[0]
    assert raw.startswith("csi_")
    assert raw not in client.get("/t/acme/keys/").text
    key = ApiKey.objects.get(name="Product")
    assert said(client, f"/t/acme/keys/{key.pk}/revoke/") == ["“Product” no longer opens anything."]
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_another_companys_key_cannot_be_revoked(alice: Membership, rival: Tenant, browser: SignIn) -> None:
    key = ApiKey.objects.create(
        tenant=rival, name="Theirs", scope="read", prefix="csr_x", secret_hash="0" * 64
    )
    assert browser(alice).post(f"/t/acme/keys/{key.pk}/revoke/").status_code == 404


def test_a_member_is_invited_by_mail_and_gets_another_role(
    acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    said(client, "/t/acme/team/", emails="new@acme.example", name="New", role="csm", scope="own")
    member = Membership.objects.get(tenant=acme, user__email="new@acme.example")
    with tenant_scope(acme):
        assert Outbox.objects.filter(kind="invitation").count() == 1
    assert member.scope == "own"
    again = client.post("/t/acme/team/", {"emails": "new@acme.example", "role": "csm", "scope": "all"})
    assert again.status_code == 400 and "already a member" in again.text
    said(client, f"/t/acme/team/{member.pk}/", role="manager", scope="team")
    member.refresh_from_db()
    assert (member.role, member.scope, member.is_active) == ("manager", "team", True)
    said(client, f"/t/acme/team/{member.pk}/leave/", to="nobody")
    member.refresh_from_db()
    assert member.is_active is False


def test_the_last_admin_stays(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    for address, fields in (
        (f"{alice.pk}/", {"role": "viewer", "scope": "all"}),
        (f"{alice.pk}/leave/", {"to": "nobody"}),
    ):
        answer = client.post(f"/t/acme/team/{address}", fields)
        assert answer.status_code == 400
        assert "A tenant needs at least one active admin." in answer.text
    alice.refresh_from_db()
    assert alice.role == "admin"


def test_a_rule_is_edited_checked_and_switched_off(world: World, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    with tenant_scope(world.tenant):
        rule = Rule.objects.get(kind="usage_under_target")
    form = {
        "severity": "high",
        "dwell_days": 1,
        "cooldown_days": 3,
        "threshold_metrics": "sends, variations",
        "threshold_below": 0.4,
        "threshold_weeks": 3,
        "threshold_resolve_at": 0.6,
        "name": rule.name,
        "clear_days": 1,
        "reentry_max": 0,
        "reentry_days": 30,
        "grace_days": 0,
        "interrupts": "auto",
        "topic": "risk",
        "play": "fixed",
        "play_key": "express_training",
    }
    assert client.get(f"/t/acme/rules/{rule.pk}/").status_code == 200
    assert client.get(f"/t/acme/rules/{rule.pk}/edit/").status_code == 200
    refused = client.post(f"/t/acme/rules/{rule.pk}/edit/", form | {"threshold_resolve_at": 0.2})
    assert refused.status_code == 400 and "resolve_at must not be under below" in refused.text
    said(client, f"/t/acme/rules/{rule.pk}/edit/", **form)
    said(client, f"/t/acme/rules/{rule.pk}/switch/", enabled="no")
    with tenant_scope(world.tenant):
        rule.refresh_from_db()
    assert (rule.severity, rule.dwell_days, rule.cooldown_days, rule.enabled) == ("high", 1, 3, False)
    assert rule.params == {"metrics": ["sends", "variations"], "below": 0.4, "weeks": 3, "resolve_at": 0.6}


def test_a_play_is_switched_off_by_a_manager(world: World, mona: Membership, browser: SignIn) -> None:
    with tenant_scope(world.tenant):
        book = Playbook.objects.order_by("pk")[0]
    said(browser(mona), f"/t/acme/playbooks/{book.pk}/switch/", enabled="no")
    with tenant_scope(world.tenant):
        book.refresh_from_db()
    assert book.enabled is False


def test_scores_are_computed_again_with_visible_progress(
    world: World, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    said(client, "/t/acme/health/recompute/")
    with tenant_scope(world.tenant):
        job = Job.objects.get(kind="recompute")
        Job.objects.filter(pk=job.pk).update(state="running", total=8, done=2)
    progress = client.get(f"/t/acme/jobs/{job.pk}/", headers={"HX-Request": "true"})
    assert "2 of 8 steps" in progress.text and 'aria-valuenow="25"' in progress.text
    assert "HX-Refresh" not in progress.headers and "<html" not in progress.text
    assert "<html" in client.get(f"/t/acme/jobs/{job.pk}/").text  # opened by itself it is a page
    with tenant_scope(world.tenant):
        Job.objects.filter(pk=job.pk).update(state="done", done=8)
    assert (
        client.get(f"/t/acme/jobs/{job.pk}/", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    )
    assert "This work is done" in client.get(f"/t/acme/jobs/{job.pk}/").text


def test_a_failed_computation_says_so_until_a_newer_one(
    world: World, mona: Membership, browser: SignIn
) -> None:
    with tenant_scope(world.tenant):
        job = Job.objects.create(
            kind="recompute", key="a", state="failed", message="Out of disk", finished_at=timezone.now()
        )
    page = browser(mona).get("/t/acme/health/").text
    assert "The scores could not be computed" in page and f"Out of disk (job {job.pk}" in page
    with tenant_scope(world.tenant):
        Job.objects.create(kind="recompute", key="b", state="done", finished_at=timezone.now())
    assert "could not be computed" not in browser(mona).get("/t/acme/health/").text


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_person_chooses_language_and_appearance(vera: Membership, browser: SignIn, language: str) -> None:
    client = browser(vera)
    client.post("/t/acme/profile/preferences/", {"language": language, "next": "/t/acme/rules/"})
    response = client.post("/t/acme/profile/preferences/", {"theme": "dark"}, headers={"HX-Request": "true"})
    vera.user.refresh_from_db()
    assert (response.status_code, vera.user.language, vera.user.theme) == (204, language, "dark")
    assert f'<html lang="{language}" data-theme-choice="dark"' in client.get("/t/acme/").text


def test_a_form_never_leads_to_another_host(vera: Membership, browser: SignIn) -> None:
    for address in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        response = browser(vera).post("/t/acme/profile/preferences/", {"language": "en", "next": address})
        assert response.headers["Location"] == "/t/acme/"


def test_the_profile_is_saved(vera: Membership, browser: SignIn) -> None:
    form = {"name": "Vera V.", "language": "es", "timezone": "Europe/Madrid", "theme": "light"}
    said(browser(vera), "/t/acme/profile/", **form)
    vera.user.refresh_from_db()
    assert {name: getattr(vera.user, name) for name in form} == form
    assert browser(vera).post("/t/acme/profile/", form | {"timezone": "Mars/Olympus"}).status_code == 400


WRITES = (
    "accounts/bulk/",
    "accounts/{account}/note/",
    "accounts/{account}/task/",
    "accounts/{account}/score-again/",
    "accounts/{account}/play/",
    "alerts/{alert}/close/",
    "alerts/{alert}/snooze/",
    "alerts/{alert}/reopen/",
    "tasks/{task}/complete/",
    "tasks/{task}/reopen/",
    "tasks/{task}/change/",
    "health/recompute/",
    "rules/1/switch/",
    "playbooks/1/switch/",
    "team/1/return/",
    "keys/1/revoke/",
    "sources/quarantine/1/replay/",
    "sources/quarantine/1/discard/",
)


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_changes_nothing_and_nobody_changes_by_reading(
    path: str, world: World, vera: Membership, alice: Membership, browser: SignIn
) -> None:
    address = "/t/acme/" + path.format(
        account=world.accounts[0].pk, alert=world.alerts[0].pk, task=world.tasks[0].pk
    )
    assert browser(vera).post(address).status_code == 403
    assert browser(alice).get(address).status_code == 405


def test_a_csm_cannot_work_on_the_account_of_another(world: World, browser: SignIn) -> None:
    other = make_member(world.tenant, "otto", "csm")
    client, owned = browser(other), world.accounts[0].pk
    assert client.post(f"/t/acme/accounts/{owned}/note/", {"text": "Hello"}).status_code == 403
    assert client.post(f"/t/acme/alerts/{world.alerts[0].pk}/close/", {"verdict": "noise"}).status_code == 403
    assert "Log note" not in client.get(f"/t/acme/accounts/{owned}/").text
