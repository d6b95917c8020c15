"""Data of a person and of a company: given out whole, erased everywhere, gone for good."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from accounts.fence.models import tenant_models
from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.keys import make_key
from accounts.models import (
    Account,
    AccountFile,
    AuditEntry,
    CompanyExport,
    Contact,
    DeletionAsk,
    ExportPart,
    FileContent,
    FileImport,
    ImportPart,
    Job,
    Membership,
    OperatorEntry,
    PrivacyRequest,
    Tenant,
    User,
)
from accounts.privacy.deletion import (
    ask_deletion,
    cancel_deletion,
    code_of,
    confirm_deletion,
    standing_ask,
)
from accounts.privacy.exporting import LEFT_OUT, archive, ask_export, exported_tables, forget_exports
from accounts.privacy.person import NOT_TOUCHED, archive_of_person, erasable_tables
from accounts.privacy.removal import remove_due_tenants
from accounts.privacy.tables import in_order_of_deletion, tables_of_tenants
from accounts.services import create_tenant, record_timeline
from outreach.deciding import suppressed_by
from outreach.models import Suppression
from qbr.models import Pack, PackFile, PackVersion
from tests.conftest import make_member, use_role
from usage.drain import drain_tenant
from workspace.services.privacy import ask_erasure

ADDRESS, NAME, USER = "ann.lee@x.example", 'Ann O\'Lee "the boss"', "user-ann-77"


def unzipped(parts: Iterator[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_no_table_of_tenants_is_forgotten() -> None:
    """Read from the catalogue, so that a new table is found; those that are left out are named, and are there."""
    with connection.cursor() as cursor:
        tables = {table.name: table for table in tables_of_tenants(cursor)}
        order = in_order_of_deletion(cursor, list(tables))
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        )
        references = [(a, b) for a, b in cursor.fetchall() if a in tables and b in tables and a != b]
    assert {model._meta.db_table for model in tenant_models()} <= set(tables)
    assert {"usage_event", "scoring_score", "accounts_membership", "accounts_apikey"} <= set(tables)
    assert set(tables) - {table.name for table in exported_tables()} == LEFT_OUT
    assert set(NOT_TOUCHED) - {"accounts_operatorentry"} <= set(tables)
    assert sorted(order) == sorted(tables)
    assert [pair for pair in references if order.index(pair[0]) > order.index(pair[1])] == []
    shown = {f"{table.name}.{column}" for table in tables.values() for column in table.shown}
    assert not {one for one in shown if "secret" in one or "token" in one or one.endswith("tenant_id")}


# ── A person ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def told(acme: Tenant, alice: Membership) -> Contact:
    """A person whose name, address and id stand in many places, beside somebody with a longer address."""
    with tenant_scope(acme):
        account = Account.objects.create(external_id="a", name="A", custom={"buyer": NAME})
        contact = Contact.objects.create(
            account=account, email=ADDRESS, name=NAME, user_id=USER, traits={"phone": "1"}, roles=["champion"]
        )
        Contact.objects.create(account=account, email=f"jo{ADDRESS}", name="Joann", user_id=f"{USER}8")
        record_timeline(
            tenant=acme,
            account_id=account.pk,
            kind="note",
            at=timezone.now(),
            title=f"Called {NAME}",
            data={"text": f"write to {ADDRESS.upper()} and jo{ADDRESS}", "who": [NAME]},
            actor=alice,
        )
        Suppression.objects.create(address=ADDRESS, cause="unsubscribed")
    key = make_key(tenant=acme, name="k", scope="ingest")[1]
    events = [
        {"event": "seen", "account_id": "a", "user_id": user, "properties": {"by": ADDRESS, "n": 1}}
        for user in (USER, USER, f"{USER}8")
    ]
    sent = Client(headers={"Authorization": f"Bearer {key}"}).post(
        "/api/v1/events", {"events": events}, content_type="application/json"
    )
    assert sent.status_code == 200
    return contact


def mentions(tenant: Tenant, word: str) -> dict[str, int]:
    """How many rows of each table say a word."""
    found = {}
    with tenant_scope(tenant), connection.cursor() as cursor:
        for table in erasable_tables():
            said = " || ' ' || ".join(f"coalesce(\"{name}\"::text, '')" for name in table.texts)
            cursor.execute(
                f'SELECT count(*) FROM "{table.name}" WHERE tenant_id = %s '
                f"AND position(lower(%s) in replace(lower({said}), %s, '')) > 0",
                [tenant.pk, word.lower(), f"jo{ADDRESS}"],
            )
            count = cursor.fetchone()[0]
            if count:
                found[table.name] = count
    return found


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_a_person_is_erased_everywhere_and_counted_still(
    acme: Tenant, alice: Membership, told: Contact
) -> None:
    drain_tenant(acme)
    assert {"accounts_contact", "accounts_timelineentry", "usage_event"} <= set(mentions(acme, ADDRESS))
    with tenant_scope(acme):
        ask_erasure(tenant=acme, contact=told, reason="asked by mail", actor=alice)
    run_jobs(acme)
    for word in (ADDRESS, "O'Lee"):
        assert mentions(acme, word) == {}
    with tenant_scope(acme):
        assert not Job.objects.exclude(state=Job.State.DONE).filter(kind="privacy_erasure").exists()
        told.refresh_from_db()
        assert (told.name, told.email, told.traits, told.roles) == ("", "", {}, [])
        assert told.user_id == f"erased-{told.pk}"
        # The other one, whose address and id contain hers, is untouched.
        other = Contact.objects.get(name="Joann")
        assert (other.email, other.user_id) == (f"jo{ADDRESS}", f"{USER}8")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE contact_id = %s), count(*), sum((properties->>'n')::int) FROM usage_event",
                [told.pk],
            )
            assert cursor.fetchone() == (2, 3, 3)
        # Mail stays away from the address, of which only a hash is left.
        assert suppressed_by(acme, ADDRESS, "engagement")
        assert not suppressed_by(acme, "somebody@else.example", "engagement")
        assert Suppression.objects.get().address.startswith("sha256:")
        line = PrivacyRequest.objects.get()
        assert line.done_at is not None
        assert line.counts["accounts_timelineentry"] == 2  # the name, then the address
        assert "words" not in Job.objects.get(kind="privacy_erasure").params


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_what_is_known_of_a_person_is_given_out_whole(acme: Tenant, told: Contact) -> None:
    drain_tenant(acme)
    files = unzipped(archive_of_person(acme, told.pk))
    assert b"Ann O'Lee" in files["person.json"]
    rows = list(csv.DictReader(io.StringIO(files["usage_event.csv"].decode())))
    assert [row["user_key"] for row in rows] == [USER, USER]
    assert "usage_user_day.csv" in files
    assert not any(b"Joann" in body for body in files.values())


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_copies_go_with_a_person_and_what_stays_is_named(
    acme: Tenant, alice: Membership, told: Contact, client: Client
) -> None:
    """Archives, drafts' files and import files that wait are let go; what a customer was given is named on the page."""
    with tenant_scope(acme):
        ask_export(tenant=acme, actor=alice)
        waits = FileImport.objects.create(
            resource="contacts", name="people.csv", size=1, form="csv", member=alice, state="checked"
        )
        ImportPart.objects.create(source=waits, ordinal=0, data=ADDRESS.encode())
        stored = FileImport.objects.create(
            resource="contacts", name="old.csv", size=1, form="csv", member=alice, state="done"
        )
        packs = [
            Pack.objects.create(account=told.account, due_on=day, period_first=day, period_last=day, **fields)
            for day, fields in (
                (date(2026, 1, 1), {"state": "sent", "sent_at": timezone.now()}),
                (date(2026, 4, 1), {"state": "draft"}),
            )
        ]
        for pack in packs:
            PackFile.objects.create(
                pack=pack, version=1, kind="pdf", made_from="x", data=b"%PDF", digest="d", size=4
            )
        PackVersion.objects.create(
            pack=packs[0],
            number=1,
            content={"text": f"With {NAME}"},
            content_hash="h",
            sent_at=timezone.now(),
        )
        content = FileContent.objects.create(sha256="s", size=1, data=b"x")
        AccountFile.objects.create(
            account=told.account,
            content=content,
            name="contract.pdf",
            media_type="application/pdf",
            size=1,
        )
    client.force_login(alice.user)
    page = client.get(f"/t/acme/settings/privacy/{told.pk}/").text
    assert "contract.pdf" in page and f"/qbrs/{packs[0].pk}/" in page and f"/qbrs/{packs[1].pk}/" not in page
    with tenant_scope(acme):
        ask_erasure(tenant=acme, contact=told, reason="asked by mail", actor=alice)
    run_jobs(acme)
    with tenant_scope(acme):
        assert not CompanyExport.objects.exists()
        assert list(FileImport.objects.all()) == [stored]
        assert [file.pack_id for file in PackFile.objects.all()] == [packs[0].pk]
        assert AccountFile.objects.count() == 1
        counts = PrivacyRequest.objects.get().counts
        assert counts["accounts_fileimport"] == counts["qbr_packfile"] == 1
        assert counts["accounts_companyexport"] >= 1


@pytest.mark.django_db
def test_archives_whose_link_has_ended_go_with_the_night(acme: Tenant, alice: Membership) -> None:
    now = timezone.now()
    with tenant_scope(acme):
        made = {
            name: CompanyExport.objects.create(asked_by=alice, **fields)
            for name, fields in {
                "open": {"done_at": now, "expires_at": now + timedelta(days=1)},
                "ended": {"done_at": now, "expires_at": now - timedelta(minutes=1)},
                "running": {},
                "broken": {"asked_at": now - timedelta(days=8)},
            }.items()
        }
        ExportPart.objects.create(export=made["ended"], name="x", position=0, data=b"x")
        assert forget_exports(tenant=acme) == 2
        assert forget_exports(tenant=acme) == 0
        assert set(CompanyExport.objects.all()) == {made["open"], made["running"]}
        assert not ExportPart.objects.exists()
        assert AuditEntry.objects.filter(action="company.export_forgotten").count() == 2


# ── A company ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_everything_of_a_company_is_exported_and_nothing_of_another(
    acme: Tenant, alice: Membership, told: Contact, rival: Tenant
) -> None:
    with tenant_scope(rival):
        Account.objects.create(external_id="r", name="Rival account")
    with tenant_scope(acme):
        ask_export(tenant=acme, actor=alice)
    run_jobs(acme)
    with tenant_scope(acme):
        export = CompanyExport.objects.get()
    assert export.done_at is not None and export.size > 0
    files = unzipped(archive(acme, export.pk))
    body = {name: gzip.decompress(data).decode() for name, data in files.items()}
    assert export.rows["accounts_contact"] == 2
    (account,) = csv.DictReader(io.StringIO(body["accounts_account.csv.gz"]))
    assert account["external_id"] == "a"
    assert "alice@acme.example" in body["accounts_membership.csv.gz"]
    assert "secret_hash" not in body["accounts_apikey.csv.gz"]
    assert not any("Rival account" in text for text in body.values())


@pytest.mark.django_db
def test_a_company_is_deleted_by_two_people_and_can_be_kept(
    acme: Tenant, alice: Membership, carl: Membership
) -> None:
    with tenant_scope(acme):
        with pytest.raises(ValidationError):
            ask_deletion(tenant=acme, actor=alice, typed="acme")
        ask = ask_deletion(tenant=acme, actor=alice, typed="Acme")
        for actor, code in ((alice, ""), (alice, "x"), (carl, code_of(ask))):
            with pytest.raises(ValidationError):
                confirm_deletion(tenant=acme, actor=actor, code=code)
    bea = make_member(acme, "bea", "admin")
    with tenant_scope(acme):
        confirm_deletion(tenant=acme, actor=bea)
        acme.refresh_from_db()
        assert acme.deletes_at is not None and acme.is_open()
        cancel_deletion(tenant=acme, actor=alice)
        acme.refresh_from_db()
        assert acme.deletes_at is None
        assert standing_ask(acme) is None
        ask = ask_deletion(tenant=acme, actor=alice, typed="Acme")
        confirm_deletion(tenant=acme, actor=alice, code=code_of(ask))
        assert DeletionAsk.objects.count() == 2
        assert AuditEntry.objects.filter(action="company.deletion_confirmed").count() == 2
    acme.deletes_at = timezone.now() - timedelta(seconds=1)
    acme.save()
    client = Client()
    client.force_login(alice.user)
    assert client.get("/t/acme/").status_code == 403


@pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])
def test_the_last_day_takes_every_row_of_it_and_none_of_others() -> None:
    gone, stays = (create_tenant(slug=slug, name=slug.title()) for slug in ("gone", "stays"))
    both = User.objects.create_user("both@x.example")
    for tenant in (gone, stays):
        Membership.objects.create(tenant=tenant, user=both, role="admin")
        make_member(tenant, "only", "csm")
        with tenant_scope(tenant):
            account = Account.objects.create(external_id="a", name="A")
            Contact.objects.create(account=account, name="B")
            ask_export(tenant=tenant, actor=Membership.objects.get(tenant=tenant, user=both))
        run_jobs(tenant)
    Tenant.objects.filter(pk=gone.pk).update(deletes_at=timezone.now() - timedelta(seconds=1))
    use_role("DATABASE_URL_MIGRATE")
    try:
        before = rows_of(stays)
        assert rows_of(gone)["accounts_auditentry"]
        (done,) = remove_due_tenants(connections["default"], timezone.now())
        assert done.slug == "gone"
        assert rows_of(gone) == {}
        assert rows_of(stays) == before
        assert not Tenant.objects.filter(slug="gone").exists()
        assert set(User.objects.values_list("email", flat=True)) == {"both@x.example", "only@stays.example"}
        entry = OperatorEntry.objects.get(action="company.deleted")
        assert entry.company == "gone" and entry.details["rows"]["accounts_account"] == 1
        assert remove_due_tenants(connections["default"], timezone.now()) == []
    finally:
        use_role("DATABASE_URL")


def rows_of(tenant: Tenant) -> dict[str, int]:
    """Rows by table, of those that have some; as the owner, whom no fence hides anything from."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in tables_of_tenants(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table.name}" WHERE tenant_id = %s', [tenant.pk])
            (count,) = cursor.fetchone()
            if count:
                found[table.name] = count
    return found
