"""Importing a file step by step: preview, trial, all or nothing, good rows only, the file of faults."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.imports.work import KIND, UNDO_KIND, fault_lines
from accounts.jobs import finish_job
from accounts.models import (
    Account,
    AuditEntry,
    Contact,
    CustomField,
    FileImport,
    ImportBlock,
    ImportPart,
    Job,
    Membership,
    Subscription,
    Tenant,
)
from accounts.upserts import upsert_accounts
from usage.models import Metric

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
IMPORTS = "/t/acme/imports/"


@pytest.fixture
def browser() -> SignIn:
    """A signed-in client."""

    def sign_in(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in


def bring(client: Client, text: str | bytes, resource: str = "accounts", name: str = "a.csv") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return client.post(IMPORTS, {"resource": resource, "file": SimpleUploadedFile(name, data)})


def newest(tenant: Tenant) -> FileImport:
    with tenant_scope(tenant):
        return FileImport.objects.latest("id")


def chosen(source: FileImport, **more: str) -> dict[str, str]:
    """The form of the columns as it was guessed."""
    columns = {f"column-{place}": source.mapping.get(str(place), "") for place in range(len(source.header))}
    return {
        **columns,
        "dates": source.mapping["dates"],
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        **more,
    }


def work(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        job = Job.objects.filter(kind=KIND).latest("due_at")
    assert finish_job(tenant, job.pk).state == "done"


def tried(tenant: Tenant, client: Client, **more: str) -> FileImport:
    source = newest(tenant)
    answer = client.post(f"{IMPORTS}{source.pk}/check/", chosen(source, **more))
    assert answer.status_code == 302, answer.context["problem"]
    work(tenant)
    return newest(tenant)


def numbers(source: FileImport) -> tuple[int, int, int, int]:
    return source.created, source.updated, source.unchanged, source.failed


def test_a_file_is_tried_then_its_good_rows_are_stored(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    with tenant_scope(acme):
        CustomField.objects.create(
            key="tier", kind="choice", label_en="Tier", label_es="Nivel", options=["Gold", "Silver"]
        )
        Account.objects.create(external_id="old", name="Old", seats=3, stage="active")
        Account.objects.create(external_id="same", name="Same", seats=4)
    text = (
        "ID;Empresa;Licencias;MRR;Fecha de renovación;Nivel;Sector;Cuenta padre\n"
        "kid;Kid;1;1.200,50;31/01/2027;gold;Retail;mum\n"
        "old;Old Ltd;3;;;;;\n"
        "same;Same;4;;;;;\n"
        "bad;Bad;many;;31/31/2027;Bronze;;nobody\n"
        ";Nameless;1;;;;;\n"
        "short;x\n"
        "mum;Mum;2;;;Silver;;\n"
    )
    page = client.get(bring(client, text)["Location"])
    source = newest(acme)
    assert (source.delimiter, source.mapping["dates"]) == (";", "day")
    assert [look.target for look in page.context["preview"].columns] == [
        *("external_id", "name", "seats", "mrr", "renewal_on", "custom.tier", "custom.Sector", "parent_id")
    ]
    assert {look.name: look.faults for look, _words in page.context["faulty"]} == {
        "Licencias": 1,
        "Fecha de renovación": 1,
        "Nivel": 1,
    }
    source = tried(acme, client)
    assert (source.state, source.rows, numbers(source)) == ("checked", 7, (2, 1, 1, 3))
    with tenant_scope(acme):
        assert Account.objects.count() == 2  # nothing is stored yet
    faults = b"".join(client.get(f"{IMPORTS}{source.pk}/errors.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = [
        (row["line"], row["column"], row["value"], row["reason"])
        for row in csv.DictReader(io.StringIO(faults))
    ]
    assert lines == [
        ("5", "Nivel", "Bronze", "must be one of: Gold, Silver"),
        ("6", "ID", "", "is required"),
        ("7", "", "", "has 2 cells, the header has 8"),
    ]
    refused = client.post(f"{IMPORTS}{source.pk}/store/", {"whole": "yes"})
    assert refused.status_code == 400 and "3 rows have faults" in refused.text
    client.post(f"{IMPORTS}{source.pk}/store/")
    work(acme)
    source = newest(acme)
    assert (source.state, numbers(source)) == ("done", (2, 1, 1, 3))
    with tenant_scope(acme):
        kid, mum = Account.objects.get(external_id="kid"), Account.objects.get(external_id="mum")
        assert (kid.mrr_cents, str(kid.renewal_on), kid.custom, kid.parent_id) == (
            120050,
            "2027-01-31",
            {"tier": "Gold", "Sector": "Retail"},
            mum.pk,
        )
        assert Account.objects.get(external_id="old").name == "Old Ltd"
        assert not Account.objects.filter(external_id__in=["bad", "short"]).exists()
        assert ImportBlock.objects.count() == 0  # the file is not kept
        assert AuditEntry.objects.filter(action__startswith="import.").count() == 2
    assert client.post(f"{IMPORTS}{source.pk}/store/").status_code == 400  # once is enough
    assert "must be one of: Gold, Silver" in client.get(f"{IMPORTS}{source.pk}/").text
    bring(client, text)
    assert newest(acme).mapping == source.mapping  # remembered


def test_all_or_nothing_stores_nothing_when_something_changed_meanwhile(
    acme: Tenant,
    mona: Membership,
    carl: Membership,
    browser: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accounts.imports.splitting.ROWS_PER_PART", 2)
    client = browser(mona)
    rows = "".join(f"a{n},carl@acme.example\n" for n in range(5))
    bring(client, "external_id,owner_email\n" + rows)
    source = tried(acme, client)
    assert numbers(source) == (5, 0, 0, 0)
    Membership.objects.filter(pk=carl.pk).update(is_active=False)
    client.post(f"{IMPORTS}{source.pk}/store/", {"whole": "yes"})
    work(acme)
    source = newest(acme)
    assert source.state == "refused" and "none was" in source.problem
    Membership.objects.filter(pk=carl.pk).update(is_active=True)
    with tenant_scope(acme):
        assert Account.objects.count() == 0
    bring(client, "external_id,owner_email\n" + rows)
    client.post(f"{IMPORTS}{tried(acme, client).pk}/store/", {"whole": "yes"})
    work(acme)
    with tenant_scope(acme):
        assert set(Account.objects.values_list("owner_id", flat=True)) == {carl.pk}
        assert Account.objects.count() == 5
        assert ImportPart.objects.filter(source__state="done").count() == 0


def test_contacts_subscriptions_and_metrics_come_too(acme: Tenant, mona: Membership, browser: SignIn) -> None:
    client = browser(mona)
    with tenant_scope(acme):
        Account.objects.create(external_id="a", name="A")
        Metric.objects.create(key="csat", name="CSAT", kind="pushed", slot=1)
    for resource, text in (
        ("contacts", "Cuenta,Correo,Nombre,Cargo\na,ana@a.example,Ana,champion; user\nb,x@b.example,X,\n"),
        ("subscriptions", "id,account id,mrr,currency,start date\ns1,a,99.5,eur,2026-01-01\n"),
        (
            "metrics",
            "account id,metric,date,value\na,csat,2026-01-05,4.5\na,nothing,2026-01-05,1\na,csat,2026-01-05,x\n",
        ),
    ):
        bring(client, text, resource)
        source = tried(acme, client)
        client.post(f"{IMPORTS}{source.pk}/store/")
        work(acme)
    with tenant_scope(acme):
        assert Contact.objects.get().roles == ["champion", "user"]
        assert Subscription.objects.get().mrr_cents == 9950
        assert Account.objects.get().mrr_cents == 9950
        assert [numbers(one)[::3] for one in FileImport.objects.order_by("id")] == [(1, 1), (1, 0), (1, 2)]


def test_a_file_can_be_read_otherwise_or_given_up(acme: Tenant, mona: Membership, browser: SignIn) -> None:
    client = browser(mona)
    bring(client, "external_id,name\nx,Peña\n".encode("cp1252"), name="../../etc/passwd.csv")
    source = newest(acme)
    assert (source.encoding, source.name) == ("cp1252", "passwd.csv")
    wrong = client.post(f"{IMPORTS}{source.pk}/check/", chosen(source, encoding="utf-8"))
    assert wrong.status_code == 400 and "is not UTF-8 text" in wrong.text
    source = tried(acme, client)
    assert numbers(source) == (1, 0, 0, 0)
    twice = client.post(f"{IMPORTS}{source.pk}/check/", {**chosen(source), "column-1": "external_id"})
    assert twice.status_code == 400 and "Two columns go to the same field" in twice.text
    none = client.post(f"{IMPORTS}{source.pk}/check/", {**chosen(source), "column-0": ""})
    assert none.status_code == 400 and "A column must give: external_id" in none.text
    assert client.post(f"{IMPORTS}{source.pk}/discard/").status_code == 302
    with tenant_scope(acme):
        assert (FileImport.objects.count(), ImportPart.objects.count(), Account.objects.count()) == (0, 0, 0)
    refused = bring(client, b"PK\x03\x04 broken", name="a.xlsx")
    assert refused.status_code == 400 and "damaged" in refused.text
    refused = bring(
        client, b"external_id\na\n" + b"x" * 1_100_000
    )  # behind the header, in what the preview reads
    assert refused.status_code == 400 and "Line 3 has more than a million characters" in refused.text
    with tenant_scope(acme):
        assert FileImport.objects.count() == 0


def test_an_amount_that_cannot_be_read_is_shown_with_its_column(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    bring(client, "external_id,Monthly revenue\na,twelve\nb,12\n")
    source = tried(acme, client)
    assert numbers(source) == (1, 0, 0, 1)
    with tenant_scope(acme):
        assert [(one["column"], one["value"]) for one in fault_lines(source)] == [
            ("Monthly revenue", "twelve")
        ]


def test_a_fault_in_the_middle_refuses_the_file_in_words(
    acme: Tenant, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    bring(client, "external_id\nx\n")
    source = newest(acme)
    with tenant_scope(acme):
        block = ImportBlock.objects.get()
        import zlib

        ImportBlock.objects.filter(pk=block.pk).update(
            data=zlib.compress(b"external_id\n" + b"a" * 1_100_000)
        )
    client.post(f"{IMPORTS}{source.pk}/check/", chosen(source))
    work(acme)
    source = newest(acme)
    assert source.state == "refused" and "a million characters" in source.problem
    assert "The file was refused" in client.get(f"{IMPORTS}{source.pk}/").text


def test_what_hangs_on_a_refused_row_is_refused_with_it(acme: Tenant) -> None:
    items = [
        {"external_id": "kid", "parent_id": "mum"},
        {"external_id": "grandkid", "parent_id": "kid"},
        {"external_id": "mum", "parent_id": "nobody"},  # found out after the others have found her
        {"external_id": "other", "parent_id": "free"},
        {"external_id": "free"},
    ]
    with tenant_scope(acme):
        outcome = upsert_accounts(tenant=acme, items=items)
        assert [(one.index, one.code) for one in outcome.rejected] == [
            (0, "unknown_parent"),
            (1, "unknown_parent"),
            (2, "unknown_parent"),
        ]
        assert outcome.created == 2 and len(outcome.changes) == 2
        assert set(Account.objects.values_list("external_id", flat=True)) == {"other", "free"}
    with tenant_scope(acme):  # the references of what was written hold at the end of the transaction
        assert Account.objects.get(external_id="other").parent_id is not None


def test_rows_stand_or_fall_with_the_row_of_their_parent(
    acme: Tenant, mona: Membership, browser: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far apart they are: trying the file finds what storing finds, and each fault names the parent's line."""
    monkeypatch.setattr("accounts.imports.splitting.ROWS_PER_PART", 2)
    client = browser(mona)
    with tenant_scope(acme):
        Account.objects.create(external_id="old", name="Old")
    rows = [
        ("a", "d", ""), ("b", "bad", ""), ("c", "b", ""), ("old", "c", ""), ("d", "f", ""), ("e", "a", ""),
        ("f", "", ""), ("bad", "", "many"), ("x", "y", ""), ("lone", "nobody", ""), ("y", "x", ""), ("own", "old", ""),
    ]  # fmt: skip
    bring(client, "external_id,parent_id,seats\n" + "".join(",".join(row) + "\n" for row in rows))
    source = tried(acme, client)
    assert numbers(source) == (5, 0, 0, 7)  # d, f, a, e and own
    wanted = [
        (3, "its parent “bad” in line 9 is refused"),
        (4, "its parent “b” in line 3 is refused"),
        (5, "its parent “c” in line 4 is refused"),
        (9, "must be a whole number"),
        (10, "its parent “y” in line 12 is refused"),
        (11, "there is no account “nobody”"),
        (12, "its parent “x” in line 10 is refused"),
    ]
    with tenant_scope(acme):
        assert [(fault["line"], fault["reason"]) for fault in fault_lines(source)] == wanted
    client.post(f"{IMPORTS}{source.pk}/store/")
    work(acme)
    source = newest(acme)
    assert (source.state, numbers(source)) == ("done", (5, 0, 0, 7))
    with tenant_scope(acme):
        assert [(fault["line"], fault["reason"]) for fault in fault_lines(source)] == wanted
        names = Account.objects.values_list("external_id", "parent__external_id")
        assert dict(names) == {"a": "d", "d": "f", "e": "a", "f": None, "old": None, "own": "old"}
    client.post(f"{IMPORTS}{source.pk}/undo/")
    with tenant_scope(acme):
        job = Job.objects.filter(kind=UNDO_KIND).latest("due_at")
    assert finish_job(acme, job.pk).state == "done"
    with tenant_scope(acme):
        assert list(Account.objects.values_list("external_id", flat=True)) == ["old"]
