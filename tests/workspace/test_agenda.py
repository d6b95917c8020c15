"""The list of the day on its pages: it empties, each deed can be taken back, and it costs the same however long it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from alerts.models import Alert
from nps.surveys.models import Answer
from playbooks.models import Run, SetAside, Task
from tests.conftest import make_member
from workspace.agenda import Kind
from workspace.selectors.agenda import SHOWN, Day, csm_days, day_of, done_today

from .days import full_days

SignIn = Callable[[Membership], Client]
LIST, DO = "/t/acme/?view=mine", "/t/acme/today/do/"
ALL_KINDS = {Kind.TASK, Kind.DETRACTOR, Kind.ALERT, Kind.DROP, Kind.RENEWAL, Kind.QBR}


def day(member: Membership) -> Day:
    with tenant_scope(member.tenant):
        return day_of(member, member.tenant.today())


def post(client: Client, path: str = DO, **data: Any) -> str:
    """A post from the list, which comes back as it is then, with what is said."""
    response = client.post(path, data, headers={"HX-Request": "true", "HX-Target": "agenda"})
    assert response.status_code == 200, response.status_code
    return response.text


def plain(client: Client, **data: Any) -> None:
    """The same without scripts: it leads back to the list."""
    response = client.post(DO, {"next": LIST} | data)
    assert (response.status_code, response.headers["Location"]) == (302, LIST)


def way_back(page: str) -> str:
    found = re.search(r'action="([^"]*/undo/[^"]*)"', page)
    assert found, "no way back"
    return found[1].replace("&amp;", "&")


@pytest.fixture
def one(acme: Tenant, carl: Membership) -> Account:
    """An account at which everything waits."""
    with tenant_scope(acme):
        return full_days(acme, carl, 1)[0]


def test_a_list_of_thirty_accounts_empties(acme: Tenant, carl: Membership, browser: SignIn) -> None:
    with tenant_scope(acme):
        full_days(acme, carl, 30)
    client, today = browser(carl), acme.today()
    until = (today + timedelta(days=3)).isoformat()
    waiting = day(carl).now
    assert len(waiting) == 30 and {part.kind for item in waiting for part in item.parts} == ALL_KINDS
    for turn, item in enumerate(waiting):
        keys = [part.key for part in item.parts]
        if turn % 3 == 0:
            plain(client, deed="done", part=keys)
        elif turn % 3 == 1:
            plain(client, deed="later", part=keys, until=until, reason="They are on holiday")
        else:
            plain(client, deed="note", part=item.lead.key, note="Talked to Ana\nShe is fine", tick="yes")
            plain(client, deed="done", part=keys[1:])
    page = client.get(LIST).text
    assert "All done" in page and "30 accounts were helped today." in page
    with tenant_scope(acme):
        assert not Task.objects.filter(state="open", due_on__lte=today).exists()
        assert not Alert.objects.filter(state="open").exists()
        assert set(Alert.objects.filter(state="closed").values_list("close_verdict", flat=True)) == {"useful"}
        assert done_today(carl, today).accounts == 30
        assert day_of(carl, today + timedelta(days=3)).now, "what was put off is back on its day"


def test_each_deed_is_done_and_taken_back(one: Account, carl: Membership, browser: SignIn) -> None:
    client, before = browser(carl), set(day(carl).parts())
    until = (carl.tenant.today() + timedelta(days=7)).isoformat()
    assert {key.split("-")[0] for key in before} == ALL_KINDS
    for key in sorted(before):
        page = post(client, deed="done", part=key)
        assert set(day(carl).parts()) == before - {key}
        post(client, way_back(page))
        assert key in day(carl).parts()
    for deed in ("later", "skip"):
        page = post(client, deed=deed, part=sorted(before), until=until, reason="Later is better")
        assert day(carl).now == []
        post(client, way_back(page))
        assert set(day(carl).parts()) == before, deed
    with tenant_scope(carl.tenant):
        assert TimelineEntry.objects.filter(account=one, actor=carl, kind="agenda_back").count() == 12
        assert AuditEntry.objects.filter(actor=carl, action="agenda.skipped").count() == 4


def test_all_at_an_account_is_one_deed_and_one_way_back(
    one: Account, carl: Membership, browser: SignIn
) -> None:
    client, before = browser(carl), set(day(carl).parts())
    page = post(client, deed="done", part=sorted(before))
    assert day(carl).now == []
    assert "and 5 more" in page
    post(client, way_back(page))
    assert set(day(carl).parts()) == before


def test_a_play_is_started_from_the_list_and_stopped_again(
    one: Account, carl: Membership, browser: SignIn
) -> None:
    found = {part.kind: part for part in day(carl).parts().values()}
    part = found[Kind.DETRACTOR]
    assert part.play_key == "nps_recovery"
    page = post(browser(carl), deed="play", part=part.key)
    assert f"Play started: {part.play_name}" in page
    with tenant_scope(carl.tenant):
        run = Run.objects.get(account=one, playbook__key="nps_recovery")
        assert (run.state, run.started_by_id) == ("running", carl.pk)
    assert part.key not in day(carl).parts()
    post(browser(carl), way_back(page))
    with tenant_scope(carl.tenant):
        assert Run.objects.get(pk=run.pk).state == "stopped"
    assert part.key in day(carl).parts()


def test_a_note_closes_the_loop_with_who_was_unhappy(one: Account, carl: Membership, browser: SignIn) -> None:
    key = next(key for key in day(carl).parts() if key.startswith("detractor"))
    client = browser(carl)
    assert "Write something first." in post(client, deed="note", part=key, note=" ", tick="yes")
    page = post(client, deed="note", part=key, note="We fixed the export.", tick="yes")
    with tenant_scope(carl.tenant):
        assert Answer.objects.get().close_note == "We fixed the export."
        assert TimelineEntry.objects.filter(account=one, kind="note").count() == 1
    post(client, way_back(page))
    with tenant_scope(carl.tenant):
        assert Answer.objects.get().closed_at is None


def test_putting_off_asks_for_a_day_and_a_reason(one: Account, carl: Membership, browser: SignIn) -> None:
    client, before = browser(carl), set(day(carl).parts())
    until = (carl.tenant.today() + timedelta(days=7)).isoformat()
    for wrong, words in (
        ({"until": "soon", "reason": "x"}, "Choose until when."),
        ({"until": until, "reason": " "}, "Say why it can wait."),
        ({"until": "2020-01-01", "reason": "x"}, "Choose a date from tomorrow"),
    ):
        assert words in post(client, deed="later", part=sorted(before), **wrong)
        assert set(day(carl).parts()) == before, "nothing of a refused deed is left"
    assert "Choose what to do with it." in post(client, deed="fly", part=sorted(before))
    assert "no longer on the list" in post(client, deed="done", part="task-999999")


def test_a_fall_that_goes_on_is_back_and_why_is_said(one: Account, carl: Membership, browser: SignIn) -> None:
    key = f"drop-{one.pk}"
    part = day(carl).parts()[key]
    assert (part.title, part.play_key) == ("Health fell from 84 to 55 in a week", "express_training")
    assert part.why == "Mostly Product usage: from 27.0 to 6.0 points."
    post(browser(carl), deed="done", part=key)
    assert key not in day(carl).parts()
    with tenant_scope(carl.tenant), connection.cursor() as cursor:
        cursor.execute("UPDATE scoring_current SET score = 44 WHERE account_id = %s", [one.pk])
    assert key in day(carl).parts()


def test_what_is_set_aside_is_the_members_and_a_new_owner_sees_it_afresh(
    one: Account, carl: Membership, browser: SignIn
) -> None:
    derived = [key for key in day(carl).parts() if not key.startswith(("task", "alert"))]
    post(browser(carl), deed="skip", part=derived, reason="Known")
    clara = make_member(carl.tenant, "clara", "csm")
    with tenant_scope(carl.tenant):
        assert {row.until for row in SetAside.objects.all()} == {None}
        Account.objects.filter(pk=one.pk).update(owner=clara)
    assert set(derived) <= set(day(clara).parts())


def test_tomorrow_has_what_comes_then_and_done_what_was_done(
    one: Account, carl: Membership, browser: SignIn
) -> None:
    client, now = browser(carl), day(carl)
    post(client, deed="later", part=sorted(now.parts()), until=now.next_day.isoformat(), reason="A day off")
    after = day(carl)
    assert (after.now, [item.key for item in after.next]) == ([], [f"account-{one.pk}"])
    assert one.name in client.get(f"{LIST}&tab=next").text
    page = client.get(f"{LIST}&tab=done").text
    assert page.count("Open again") >= 5 and "A day off" in page
    with tenant_scope(carl.tenant):
        task = Task.objects.get()
    renewal = next(key for key in now.parts() if key.startswith("renewal"))
    for thing in (f"alert-{alert_of(carl)}", renewal):
        post(client, "/t/acme/today/reopen/", thing=thing, title="x", tab="done")
        assert thing in day(carl).parts()
    assert "There is nothing to take back." in post(client, "/t/acme/today/reopen/", thing=f"moon-{task.pk}")


def alert_of(member: Membership) -> int:
    with tenant_scope(member.tenant):
        return Alert.objects.get().pk


def test_an_alert_waits_only_where_nobody_is_on_it(one: Account, carl: Membership, acme: Tenant) -> None:
    key = next(key for key in day(carl).parts() if key.startswith("alert"))
    with tenant_scope(acme):
        alert = Alert.objects.get()
        from playbooks.services import start_run

        alert.run = start_run(
            tenant=acme,
            playbook_key="data_audit",
            account_id=one.pk,
            alert_id=alert.pk,
            started_on=acme.today(),
        )
        alert.save(update_fields=["run"])
        Task.objects.filter(run=alert.run).update(due_on=acme.today() + timedelta(days=9))
    assert key not in day(carl).parts(), "its play runs and asks for nothing today"
    with tenant_scope(acme):
        Task.objects.filter(run=alert.run).update(due_on=acme.today())
    assert {Kind.TASK, Kind.ALERT} <= {part.kind for part in day(carl).now[0].parts}


def test_a_manager_looks_at_a_list_and_works_on_it_and_a_csm_only_at_the_own(
    one: Account, carl: Membership, mona: Membership, acme: Tenant, browser: SignIn
) -> None:
    address = f"/t/acme/?view=mine&who={carl.pk}"
    page = browser(mona).get(address).text
    assert "Today of Carl" in page and one.name in page
    key = next(key for key in day(carl).parts() if key.startswith("renewal"))
    post(browser(mona), deed="done", part=key, who=carl.pk)
    assert key not in day(carl).parts()
    with tenant_scope(acme):
        row = SetAside.objects.get()
        assert (row.member_id, row.by_id) == (carl.pk, mona.pk)
        assert [(one.member, one.due, one.alerts) for one in csm_days(acme, acme.today())] == [(carl, 1, 1)]
    clara = make_member(acme, "clara", "csm")
    assert one.name not in browser(clara).get(address).text
    assert "no longer on the list" in post(browser(clara), deed="done", part=key, who=carl.pk)


def test_with_htmx_the_list_comes_back_and_the_panel_closes(
    one: Account, carl: Membership, browser: SignIn
) -> None:
    headers = {"HX-Request": "true", "HX-Target": "agenda"}
    key = day(carl).now[0].lead.key
    response = browser(carl).post(DO, {"deed": "done", "part": key}, headers=headers)
    assert "<html" not in response.text and 'id="agenda"' in response.text
    assert 'hx-swap-oob="beforeend"' in response.text and "/today/undo/?what=t" in response.text
    assert response.headers["HX-Replace-Url"] == LIST
    beside = {"HX-Request": "true", "HX-Target": "panel"}
    address = f"/t/acme/today/items/{one.pk}/"
    assert "<html" not in browser(carl).get(address, headers=beside).text
    page = browser(carl).get(address).text
    assert "<html" in page and "Why it comes here" in page and 'hx-target="#agenda"' not in page
    with tenant_scope(carl.tenant):
        idle = Account.objects.create(external_id="idle", name="Idle", owner=carl)
    assert "Nothing waits here today." in browser(carl).get(f"/t/acme/today/items/{idle.pk}/").text
    assert browser(carl).get("/t/acme/today/items/987654321/").status_code == 404


def test_the_list_costs_the_same_with_one_with_three_and_with_sixty_accounts(
    acme: Tenant, carl: Membership, browser: SignIn
) -> None:
    client, counts = browser(carl), []
    client.get(LIST)
    for more in (1, 2, 57 + 5):
        with tenant_scope(acme):
            full_days(acme, carl, more)
        for tab in ("", "&tab=next", "&tab=done"):
            with CaptureQueriesContext(connection) as seen:
                page = client.get(f"{LIST}{tab}")
            assert page.status_code == 200
            counts.append(len(seen))
    assert counts[:3] == counts[3:6] == counts[6:], counts
    assert max(counts) <= 30, counts
    assert "5 more accounts wait" in client.get(LIST).text
    assert len(day(carl).shown) == SHOWN
