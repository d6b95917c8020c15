"""Taking an import back, as far as nobody touched its rows since; and going on with one whose work broke off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.imports import jobs
from accounts.imports.taking_back import DAYS, earlier_values, forget_changes
from accounts.imports.undo_jobs import UNDO_KIND
from accounts.imports.work import KIND, STORE
from accounts.jobs import finish_job
from accounts.models import (
    Account,
    AuditEntry,
    Contact,
    ContactMembership,
    FileImport,
    ImportChange,
    Job,
    Membership,
    Subscription,
    Tenant,
    TimelineEntry,
)

from .test_file_imports import IMPORTS, SignIn, bring, browser, newest, tried, work

__all__ = ["browser"]
pytestmark = pytest.mark.django_db


def stored(tenant: Tenant, client: Client, text: str, resource: str = "accounts") -> FileImport:
    bring(client, text, resource)
    client.post(f"{IMPORTS}{tried(tenant, client).pk}/store/")
    work(tenant)
    return newest(tenant)


def undone(tenant: Tenant, client: Client, source: FileImport) -> FileImport:
    assert client.post(f"{IMPORTS}{source.pk}/undo/").status_code == 302
    with tenant_scope(tenant):
        job = Job.objects.get(kind=UNDO_KIND, params__contains={"import": source.pk})
    assert finish_job(tenant, job.pk).state == "done"
    with tenant_scope(tenant):
        source.refresh_from_db()
    return source


def test_accounts_are_as_they_were_but_for_what_was_touched_since(
    acme: Tenant, mona: Membership, browser: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.imports.splitting.ROWS_PER_PART", 3)
    client = browser(mona)
    with tenant_scope(acme):
        Account.objects.create(
            external_id="old", name="Old", seats=3, renewal_on=date(2027, 1, 31), custom={"a": 1, "b": 2}
        )
        Account.objects.create(external_id="half", name="Half", seats=1, plan="basic")
        Account.objects.create(external_id="mine", name="Mine", seats=1)
    source = stored(
        acme,
        client,
        "external_id,name,seats,plan,renewal_on,custom.a,parent_id\n"
        "mum,Mum,1,,,,\nkid,Kid,1,,,,mum\nold,Older,4,pro,2028-02-29,9,\n"
        "half,Halved,2,pro,,,\nmine,Ours,1,,,,\nnew,New,5,,,,\nnoted,Noted,5,,,,\nbusy,Busy,5,,,,\n",
    )
    assert (source.created, source.updated) == (5, 3)
    with tenant_scope(acme):
        Account.objects.filter(external_id="half").update(plan="scale")
        Account.objects.filter(external_id="mine").update(name="Somebody's")
        Account.objects.filter(external_id="busy").update(seats=6)
        old = Account.objects.get(external_id="old")
        old.custom = {**old.custom, "c": 3}
        old.save()
        Contact.objects.create(account=Account.objects.get(external_id="noted"), email="n@n.example")
    page = client.get(f"{IMPORTS}{source.pk}/").text
    assert "Take the import back" in page
    source = undone(acme, client, source)
    assert source.state == "undone" and source.undone_by_id == mona.pk
    assert source.taken_back == {
        "removed": 3,
        "restored": 2,
        "left": {"partly": 1, "changed": 2, "used": 1},
    }
    with tenant_scope(acme):
        rows = {one.external_id: one for one in Account.objects.all()}
        assert set(rows) == {"old", "half", "mine", "noted", "busy"}
        old, half = rows["old"], rows["half"]
        assert (old.name, old.seats, old.plan, old.renewal_on) == ("Old", 3, "", date(2027, 1, 31))
        assert old.custom == {"a": 1, "b": 2, "c": 3}  # a key that came since stays
        assert old.name_search == "old"
        assert (half.name, half.seats, half.plan) == ("Half", 1, "scale")
        assert rows["mine"].name == "Somebody's"
        entry = TimelineEntry.objects.get(account=old)
        assert entry.data["undone"] and entry.data["after"]["name"] == "Old"
        actions = set(
            AuditEntry.objects.filter(action__startswith="import.").values_list("action", flat=True)
        )
        assert {"import.undo_started", "import.taken_back"} <= actions
    lines = b"".join(client.get(f"{IMPORTS}{source.pk}/left.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert (
        "noted,something has come to hang on it since" in lines and "busy,somebody changed it since" in lines
    )
    page = client.get(f"{IMPORTS}{source.pk}/").text
    assert "New rows removed" in page and "Take the import back" not in page
    client.post(f"{IMPORTS}{source.pk}/undo/")  # twice is once
    with tenant_scope(acme):
        assert AuditEntry.objects.filter(action="import.undo_started").count() == 1


def test_contacts_and_subscriptions_with_what_accounts_pay_are_put_back(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    with tenant_scope(acme):
        a = Account.objects.create(external_id="a", name="A", mrr_cents=500, currency="EUR", plan="own")
        b = Account.objects.create(external_id="b", name="B")
        Contact.objects.create(account=a, user_id="ana", email="ana@a.example", name="Ana")
    people = stored(
        acme,
        client,
        "account_id,user_id,email,name\nb,ana,ana@b.example,Ana B\na,new,n@a.example,N\n",
        "contacts",
    )
    with tenant_scope(acme):
        assert Contact.objects.get(user_id="ana").account_id == b.pk
    assert undone(acme, client, people).taken_back == {"removed": 1, "restored": 1, "left": {}}
    with tenant_scope(acme):
        ana = Contact.objects.get()
        assert (ana.account_id, ana.email, ana.name) == (a.pk, "ana@a.example", "Ana")
        assert ContactMembership.objects.filter(contact=ana).latest("since").account_id == a.pk
        Job.objects.filter(kind=UNDO_KIND).delete()
    lines = stored(
        acme, client, "external_id,account_id,plan,mrr,currency\ns1,a,pro,99.50,EUR\n", "subscriptions"
    )
    with tenant_scope(acme):
        assert Account.objects.get(pk=a.pk).mrr_cents == 9950
    assert undone(acme, client, lines).taken_back == {"removed": 1, "restored": 0, "left": {}}
    with tenant_scope(acme):
        assert Subscription.objects.count() == 0
        account = Account.objects.get(pk=a.pk)
        assert (account.mrr_cents, account.plan, account.currency) == (500, "own", "EUR")


def test_after_some_days_it_is_too_late_and_what_was_before_is_forgotten(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    source = stored(acme, client, "external_id,name\na,A\n")
    with tenant_scope(acme):
        assert forget_changes(tenant=acme) == 0
        FileImport.objects.update(finished_at=timezone.now() - timedelta(days=DAYS, minutes=1))
    page = client.post(f"{IMPORTS}{source.pk}/undo/", follow=True)
    assert "that is over" in page.text and "Take the import back" not in page.text
    with tenant_scope(acme):
        assert forget_changes(tenant=acme) == 1
        assert (ImportChange.objects.count(), Account.objects.count()) == (0, 1)


def test_a_column_goes_back_only_where_it_holds_what_the_import_left() -> None:
    assert earlier_values({"n": 2}, {"n": 1}, {"n": 2}) == ({"n": 1}, False)
    assert earlier_values({"n": 3}, {"n": 1}, {"n": 2}) == ({}, True)
    assert earlier_values({"n": 2, "m": 5}, {"n": 1, "m": 4}, {"n": 2, "m": 6}) == ({"n": 1}, True)
    held, was, now = {"o": {"a": 9, "x": 1, "new": 7}}, {"o": {"a": 1}}, {"o": {"a": 9, "new": 7}}
    assert earlier_values(held, was, now) == ({"o": {"a": 1, "x": 1}}, False)
    assert earlier_values({"o": {"a": 5}}, was, now) == ({}, True)


def test_work_that_broke_off_goes_on_or_is_given_up(
    acme: Tenant, mona: Membership, browser: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.imports.splitting.ROWS_PER_PART", 1)
    client = browser(mona)
    bring(client, "external_id,seats\na,1\nb,2\nc,3\n")
    source = tried(acme, client)
    path = f"{IMPORTS}{source.pk}/"
    assert client.post(f"{path}again/", follow=True).text.count("nothing to try again") == 1

    real = jobs.keep_changes

    def breaks(**given: Any) -> Any:
        if given["ordinal"] == 2:  # the second part
            raise RuntimeError("disk")
        return real(**given)

    monkeypatch.setattr(jobs, "keep_changes", breaks)
    client.post(f"{path}store/")
    with tenant_scope(acme):
        job = Job.objects.get(kind=KIND, key__endswith=f"-{STORE}")
    assert finish_job(acme, job.pk).state == "failed"
    page = client.get(path).text
    assert "could not be read to its end" in page and f"{path}again/" in page
    assert f"{path}discard/" not in page, "rows are stored"
    assert client.post(f"{path}discard/", follow=True).status_code == 200
    assert newest(acme).state == FileImport.State.STORING

    monkeypatch.setattr(jobs, "keep_changes", real)
    client.post(f"{path}again/")
    work(acme)
    done = newest(acme)
    assert (done.state, done.created, done.failed) == (FileImport.State.DONE, 3, 0)
    with tenant_scope(acme):
        assert list(Account.objects.order_by("external_id").values_list("external_id", "seats")) == [
            ("a", 1),
            ("b", 2),
            ("c", 3),
        ]
        assert AuditEntry.objects.filter(action="import.resumed").count() == 1


def test_two_imports_are_taken_back_one_after_the_other(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    """What the first taking back wrote on the timeline is no reason to keep what the second would remove."""
    client = browser(mona)
    first = stored(acme, client, "external_id,name\na,One\nb,Two\n")
    second = stored(acme, client, "external_id,name\na,Uno\nb,Dos\n")
    assert undone(acme, client, second).taken_back == {"removed": 0, "restored": 2, "left": {}}
    with tenant_scope(acme):
        assert TimelineEntry.objects.filter(actor=mona, data__undone=True).count() == 2
        TimelineEntry.objects.create(
            account=Account.objects.get(external_id="b"),
            kind="call",
            at=timezone.now(),
            title="Hello",
            actor=mona,
        )
    assert undone(acme, client, first).taken_back == {"removed": 1, "restored": 0, "left": {"used": 1}}
    with tenant_scope(acme):
        assert list(Account.objects.values_list("external_id", "name")) == [("b", "Two")]
