"""The same done to many accounts: who may, what is noted, how it is taken back, at once and as a job."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, AccountDeed, AuditEntry, CustomField, Job, Membership, TimelineEntry
from playbooks.models import Run
from workspace.services import bulk
from workspace.services.bulk import UNDO_PATIENCE

from .world import World

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
BULK = "/t/acme/accounts/bulk/"


def test_fields_are_changed_noted_and_taken_back_but_for_what_changed_since(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    first, foreign, third = (account.pk for account in world.accounts[:3])
    with tenant_scope(world.tenant):
        CustomField.objects.create(key="budget", kind="money", label_en="Budget")
        Account.objects.filter(pk=foreign).update(owner=mona)
        was = {a.pk: (a.owner_id, a.segment, a.stage, a.tags, a.custom) for a in Account.objects.all()}
    client = browser(carl)
    form = {
        "account": [first, foreign, third],
        "owner": mona.pk,
        "segment": "Key",
        "stage": "renewal",
        "untag": "reference",
    }
    client.post(BULK, {**form, "tag": "pilot", "field": "budget", "value": "1.500,50"})
    with tenant_scope(world.tenant):
        deed = AccountDeed.objects.get()
        assert (deed.changed, deed.left_out) == (2, 1)
        rows = {a.pk: a for a in Account.objects.all()}
        assert [
            (rows[pk].owner_id, rows[pk].segment, rows[pk].stage, rows[pk].tags, rows[pk].custom)
            for pk in (first, third)
        ] == [(mona.pk, "Key", "renewal", ["pilot"], {"budget": 150050})] * 2
        assert rows[foreign].segment == was[foreign][1]
        entry = TimelineEntry.objects.filter(kind="account_changed", account_id=first).get()
        assert (entry.title, entry.data["after"]["segment"]) == ("owner, tags, segment, stage, budget", "Key")
        audit = AuditEntry.objects.get(action="accounts.bulk_changed")
        assert set(audit.before or {}) == {str(first), str(third)}
        Account.objects.filter(pk=third).update(segment="Changed since")
    assert client.post(f"/t/acme/accounts/deeds/{deed.pk}/undo/").status_code == 302
    with tenant_scope(world.tenant):
        rows = {a.pk: a for a in Account.objects.all()}
        assert (
            rows[first].owner_id,
            rows[first].segment,
            rows[first].stage,
            rows[first].tags,
            rows[first].custom,
        ) == was[first]
        assert (rows[third].segment, rows[third].stage) == ("Changed since", was[third][2])
        assert AuditEntry.objects.filter(action="accounts.bulk_undone").count() == 1
        deed.refresh_from_db()
        assert deed.undone_at is not None
    client.post(f"/t/acme/accounts/deeds/{deed.pk}/undo/")  # twice is once
    with tenant_scope(world.tenant):
        assert AuditEntry.objects.filter(action="accounts.bulk_undone").count() == 1


def test_it_is_too_late_after_a_while_and_others_cannot(
    world: World, carl: Membership, mona: Membership, vera: Membership, browser: SignIn
) -> None:
    browser(carl).post(BULK, {"account": world.accounts[0].pk, "tag": "pilot"})
    with tenant_scope(world.tenant):
        deed = AccountDeed.objects.get()
    assert browser(vera).post(f"/t/acme/accounts/deeds/{deed.pk}/undo/").status_code == 403
    with tenant_scope(world.tenant):
        AccountDeed.objects.update(finished_at=timezone.now() - UNDO_PATIENCE * 2)
    browser(mona).post(f"/t/acme/accounts/deeds/{deed.pk}/undo/")
    with tenant_scope(world.tenant):
        assert "pilot" in Account.objects.get(pk=world.accounts[0].pk).tags
        assert AccountDeed.objects.get().undone_at is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"tag": "x"}, "Tick at least one account."),
        ({"account": "1"}, "Choose what shall be done"),
        ({"account": "1", "owner": "987654321"}, "not an active member"),
        ({"account": "1", "field": "gone", "value": "x"}, "not declared"),
        ({"account": "1", "field": "budget", "value": "lots"}, "Budget: Write an amount"),
    ],
)
def test_what_cannot_be_done_is_said(
    form: dict[str, str], words: str, world: World, mona: Membership, browser: SignIn
) -> None:
    with tenant_scope(world.tenant):
        CustomField.objects.create(key="budget", kind="money", label_en="Budget")
    client = browser(mona)
    client.post(BULK, form)
    assert words in client.get("/t/acme/accounts/").text
    with tenant_scope(world.tenant):
        assert AccountDeed.objects.count() == 0


def test_all_of_a_list_are_a_job_that_can_be_taken_back(
    world: World, mona: Membership, browser: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("services.bulk", "services.bulk_jobs", "views.list_deeds"):
        monkeypatch.setattr(f"workspace.{module}.AT_ONCE", 2)
    client = browser(mona)
    page = client.post(f"{BULK}?segment=Enterprise", {"everything": "yes", "tag": "pilot", "playbook": ""})
    with tenant_scope(world.tenant):
        wanted = set(Account.objects.filter(segment="Enterprise").values_list("pk", flat=True))
        deed = AccountDeed.objects.get()
        job = Job.objects.get(kind=bulk.KIND)
        assert set(deed.account_ids) == wanted and deed.changed == 0
    assert page["Location"].endswith(f"/accounts/deeds/{deed.pk}/")
    assert "Accounts are being changed" in client.get(page["Location"]).text
    assert finish_job(world.tenant, job.pk).state == "done"
    assert "Take it all back" not in client.get(page["Location"]).text or len(wanted) > 2
    with tenant_scope(world.tenant):
        tagged = set(Account.objects.filter(tags__contains=["pilot"]).values_list("pk", flat=True))
        deed.refresh_from_db()
        assert (tagged, deed.changed) == (wanted, len(wanted))
        Account.objects.filter(pk=min(wanted)).update(tags=["own"])
    client.post(f"/t/acme/accounts/deeds/{deed.pk}/undo/")
    with tenant_scope(world.tenant):
        undo = Job.objects.get(kind=bulk.UNDO_KIND)
    assert finish_job(world.tenant, undo.pk).state == "done"
    with tenant_scope(world.tenant):
        assert not Account.objects.filter(tags__contains=["pilot"]).exists()
        assert Account.objects.get(pk=min(wanted)).tags == ["own"]
    assert "It was taken back" in client.get(page["Location"]).text


def test_a_play_is_started_at_the_ticked_accounts(world: World, carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    play = client.get("/t/acme/accounts/").context["plays"][0]
    with tenant_scope(world.tenant):
        Run.objects.all().delete()
    client.post(BULK, {"account": [world.accounts[0].pk, world.accounts[2].pk], "playbook": play.key})
    with tenant_scope(world.tenant):
        deed = AccountDeed.objects.get()
        assert Run.objects.count() == deed.play["started"] == 2
        assert (deed.what, deed.changed) == ({"play": play.key}, 0)
        Run.objects.filter(account=world.accounts[0]).delete()
    said = client.get("/t/acme/accounts/").text
    assert f"Started at 2 accounts: {play.name}." in said
    client.post(
        BULK, {"account": [one.pk for one in world.accounts[:3]], "playbook": play.key, "tag": "pilot"}
    )
    said = client.get("/t/acme/accounts/").text
    assert "3 accounts were changed." in said and f"Started at 2 accounts: {play.name}." in said
    assert "Not started at 1: the play runs there already." in said
