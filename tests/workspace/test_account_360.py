"""The page of an account: panels on demand, the timeline and its filters, notes, files, people, the account above."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.fence.scope import tenant_scope
from accounts.models import (
    Account,
    AccountFile,
    Contact,
    FileContent,
    Membership,
    Note,
    NoteRevision,
    TenantSettings,
    TimelineEntry,
)
from accounts.services import record_timeline
from outreach.models import Notification
from tests.conftest import make_member
from tests.house.test_translations import known
from workspace.file_types import clean_name, kind_of_file
from workspace.mentions import as_html, mentioned
from workspace.selectors.account_people import people_panel
from workspace.services.files import KEPT_DAYS, forget_deleted_files
from workspace.timeline_kinds import GROUPS, KINDS, group_of, keys_of

from .world import World

SignIn = Callable[[Membership], Client]
ICONS = (Path(__file__).resolve().parents[2] / "static" / "icons.txt").read_text().split()


# ── Pure ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_every_kind_of_entry_has_words_in_both_languages_and_an_icon() -> None:
    spanish = {entry.msgid: entry.msgstr for entry in known().values()}
    for key, kind in KINDS.items():
        assert kind.icon in ICONS, key
        assert group_of(key) in GROUPS, key
        with translation.override("en"):
            assert spanish.get(str(kind.word)), key
    assert sorted(key for group in GROUPS for key in keys_of(group)) == sorted(KINDS)


def test_names_after_an_at_sign_are_found_whole() -> None:
    members = [(1, "Ana Ruiz"), (2, "Ana"), (3, "Tom Berg"), (4, "Tom Berg"), (5, "")]
    assert mentioned("Ask @ana ruiz and @Ana.", members) == [1, 2]
    assert mentioned("@Tom Berg", members) == [3, 4]
    assert mentioned("@Tom Berg", members, chosen={4}) == [4]
    assert mentioned("@Anabel, write to x@ana.example, @", members) == []


def test_a_text_is_never_markup() -> None:
    shown = as_html('<b>x</b> https://a.example/?q="><script> javascript:alert(1) @Ana <i>', ["Ana <i>"])
    assert "<script" not in shown
    assert "<b>x" not in shown
    assert 'href="javascript' not in shown
    assert 'href="https://a.example/?q=' in shown
    assert "nofollow" in shown
    assert '<b class="mention">@Ana &lt;i&gt;</b>' in shown


def office(name: str, *parts: str) -> bytes:
    """An archive as an office writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in ("[Content_Types].xml", *parts):
            archive.writestr(part, "x")
    return out.getvalue()


def test_the_bytes_say_what_a_file_is() -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    assert kind_of_file("a.png", png) == "image/png"
    assert kind_of_file("a.pdf", png) is None
    assert kind_of_file("a.PDF", b"%PDF-1.7 x") == "application/pdf"
    assert kind_of_file("a.jpeg", b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert kind_of_file("a.xlsx", office("a", "xl/workbook.xml")) == (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    assert kind_of_file("a.docx", office("a", "xl/workbook.xml")) is None
    assert kind_of_file("a.docx", office("a", "word/document.xml", "word/vbaProject.bin")) is None
    assert kind_of_file("a.docx", b"PK\x03\x04 broken") is None
    assert kind_of_file("a.csv", "name;ñ\n".encode("latin-1")) == "text/csv"
    assert kind_of_file("a.txt", b"<html><script>alert(1)</script>") is None
    assert kind_of_file("a.svg", b"<svg onload=x>") is None
    assert kind_of_file("a.exe", b"MZ\x90\x00\x03") is None
    assert kind_of_file("a.txt", b"a\x00b") is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\plan.pdf", "plan.pdf"),
        ("a\r\nb\u202etxt.pdf", "abtxt.pdf"),
        ('q"<>|*.csv', "q_.csv"),
        ("", "file"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


# ── Notes ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_note_is_written_changed_pinned_deleted_and_comes_back(
    world: World, carl: Membership, mona: Membership, vera: Membership, browser: SignIn
) -> None:
    account = world.accounts[0]
    base, client = f"/t/acme/accounts/{account.pk}", browser(carl)
    with tenant_scope(world.tenant):
        ana = Contact.objects.filter(account=account).earliest("id")
    told = {"text": "Talked about @Mona\nSee https://x.example <i>", "kind": "call", "contacts": [ana.pk]}
    assert client.post(f"{base}/note/", told).status_code == 302
    with tenant_scope(world.tenant):
        note = Note.objects.get()
        assert (note.kind, note.mentions, note.author_id) == ("call", [mona.pk], carl.pk)
        notice = Notification.objects.get(kind="mentioned")
        assert (notice.member_id, notice.url) == (
            mona.pk,
            f"/accounts/{account.pk}/everything/?entry={note.entry_id}",
        )
        person = next(one for one in people_panel(world.tenant, account.pk).people if one.contact == ana)
        assert person.touch is not None
        assert person.touch.kind == "call"
    page = browser(vera).get(f"{base}/everything/").text
    assert "Call" in page
    assert 'href="https://x.example"' in page
    assert "&lt;i&gt;" in page
    assert '<b class="mention">@Mona</b>' in page
    assert str(ana) in page

    deed = f"{base}/notes/{note.entry_id}"
    other = browser(mona).post(f"{deed}/edit/", {"text": "Mine now"}, follow=True)
    assert "Only who wrote a note can change it." in other.text
    assert client.post(f"{deed}/edit/", {"text": "", "kind": "call"}).status_code == 400
    assert (
        client.post(f"{deed}/edit/", {"text": "Talked to @Mona again", "kind": "meeting"}).status_code == 302
    )
    assert client.post(f"{deed}/pin/").status_code == 302
    page = client.get(f"{base}/everything/").text
    assert page.count("Talked to") == 2  # at the top and in its place
    assert "edited" in page
    history = browser(vera).get(f"{deed}/").text
    assert "Talked about @Mona" in history
    with tenant_scope(world.tenant):
        assert Notification.objects.filter(kind="mentioned").count() == 1  # named before: not told again

    assert client.post(f"{deed}/delete/").status_code == 302
    page = client.get(f"{base}/everything/").text
    assert "Talked to" not in page
    assert "This note was deleted." in page
    assert client.post(f"{deed}/restore/").status_code == 302
    with tenant_scope(world.tenant):
        entry = TimelineEntry.objects.get(pk=note.entry_id)
        assert entry.title == "Talked to @Mona again"
        assert NoteRevision.objects.count() == 1
    stranger = make_member(world.tenant, "otto", "csm")
    assert browser(stranger).post(f"{deed}/pin/").status_code == 403
    assert browser(stranger).post(f"{deed}/delete/", follow=True).text.count("Only who wrote a note") >= 1


def test_a_note_from_before_can_be_changed(world: World, carl: Membership, browser: SignIn) -> None:
    account = world.accounts[0]
    with tenant_scope(world.tenant):
        entry = TimelineEntry.objects.get(kind="note", account=account)
    base = f"/t/acme/accounts/{account.pk}/notes/{entry.pk}"
    assert "Call with Ana\nThey plan" in browser(carl).get(f"{base}/edit/").text
    assert browser(carl).post(f"{base}/edit/", {"text": "Call with Tom", "kind": "note"}).status_code == 302
    with tenant_scope(world.tenant):
        assert NoteRevision.objects.get().text.startswith("Call with Ana\nThey plan")


def test_colleagues_are_offered_by_any_word_of_their_name(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    text = browser(carl).get("/t/acme/accounts/mentions/?q=mo").text
    assert "Mona" in text
    assert "Carl" not in text
    assert "Nobody is called that." in browser(carl).get("/t/acme/accounts/mentions/?q=zz").text


# ── Timeline ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_timeline_is_narrowed_paged_and_linked(world: World, carl: Membership, browser: SignIn) -> None:
    account, client, now = world.accounts[0], browser(carl), timezone.now()
    base = f"/t/acme/accounts/{account.pk}/everything/"
    with tenant_scope(world.tenant):
        ana = Contact.objects.filter(account=account).earliest("id")
        made = [
            record_timeline(
                tenant=world.tenant, account_id=account.pk, kind="task_done", at=now - timedelta(hours=n),
                title=f"Deed {n:03d}", data={"contacts": [ana.pk]} if n == 70 else {}, actor=carl,
            )
            for n in range(90)
        ]  # fmt: skip
    first = client.get(base).text
    assert "Deed 000" in first
    assert "Deed 050" not in first
    assert 'class="timeline-day"' in first
    older = client.get(client.get(base).context["older_url"]).text
    assert "Deed 000" not in older
    assert "Deed 050" in older
    linked = client.get(f"{base}?entry={made[60].pk}").text
    assert "Deed 060" in linked
    assert "Deed 059" not in linked
    for query, shown, hidden in (
        ("group=notes", "Call with Ana", "Deed 000"),
        ("group=work", "Deed 000", "Call with Ana"),
        ("kind=task_done&actor=" + str(carl.pk), "Deed 000", "Call with Ana"),
        (f"contact={ana.pk}", "Deed 070", "Deed 000"),
        ("q=spring", "Call with Ana", "Deed 000"),
        (f"since={(now - timedelta(days=1)).date()}", "Deed 000", "Deed 089"),
        # The page begins 24 to 47 hours ago, whatever the time of day is.
        (f"until={(now - timedelta(days=2)).date()}", "Deed 060", "Deed 000"),
        ("q=nobody-says-this", "Nothing fits", "Deed 000"),
    ):
        page = client.get(f"{base}?{query}").text
        assert shown in page, query
        assert hidden not in page, query
    for query in (
        "since=9999-99-99",
        "until=9999-12-31",
        "entry=9999999",
        "contact=x",
        "actor=x",
        "before=x~1",
    ):
        assert client.get(f"{base}?{query}").status_code == 200, query


def test_the_overview_fetches_its_panels_when_they_are_looked_at(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    account, client = world.accounts[0], browser(vera)
    base = f"/t/acme/accounts/{account.pk}/"
    page = client.get(base).text
    for name in ("people", "family", "timeline"):
        assert f'hx-get="{base}part/{name}/"' in page
        with CaptureQueriesContext(connection) as one:
            assert client.get(f"{base}part/{name}/").status_code == 200
        with tenant_scope(world.tenant):
            for n in range(3):
                record_timeline(
                    tenant=world.tenant,
                    account_id=account.pk,
                    kind="file_added",
                    at=timezone.now(),
                    title=f"{n}",
                )
                Contact.objects.create(account=account, name=f"Contact {n} {name}")
                Account.objects.create(external_id=f"{name}{n}", name=f"Child {n}", parent=account)
        with CaptureQueriesContext(connection) as many:
            client.get(f"{base}part/{name}/")
        assert len(one) == len(many), name
    assert client.get(f"{base}part/nothing/").status_code == 404
    with CaptureQueriesContext(connection) as whole:
        client.get(base)
    assert len(whole) <= 30


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────
def upload(name: str = "plan.pdf", data: bytes = b"%PDF-1.7 plan") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="text/html")


def test_a_file_is_kept_served_as_a_download_deleted_and_brought_back(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    account, client = world.accounts[0], browser(carl)
    base = f"/t/acme/accounts/{account.pk}/files"
    assert client.post(f"{base}/add/", {"file": [upload(), upload("../plan.pdf")]}).status_code == 302
    with tenant_scope(world.tenant):
        files = list(AccountFile.objects.order_by("pk"))
        assert [one.name for one in files] == ["plan.pdf", "plan.pdf"]
        assert FileContent.objects.count() == 1
    served = browser(vera).get(f"{base}/{files[0].pk}/")
    assert served.content == b"%PDF-1.7 plan"
    assert served.headers["Content-Type"] == "application/pdf"
    assert served.headers["Content-Disposition"] == 'attachment; filename="plan.pdf"'
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert browser(vera).post(f"{base}/add/", {"file": upload()}).status_code == 403
    assert client.get(f"/t/acme/accounts/{world.accounts[1].pk}/files/{files[0].pk}/").status_code == 404
    assert client.post(f"{base}/{files[0].pk}/delete/").status_code == 302
    assert client.get(f"{base}/{files[0].pk}/").status_code == 404
    assert client.post(f"{base}/{files[0].pk}/restore/").status_code == 302
    assert client.get(f"{base}/{files[0].pk}/").status_code == 200
    assert "plan.pdf" in client.get(f"{base}/").text
    with tenant_scope(world.tenant):
        kinds = TimelineEntry.objects.filter(kind__startswith="file_").order_by("pk")
        assert [one.kind for one in kinds] == ["file_added", "file_added", "file_removed", "file_added"]
        AccountFile.objects.update(deleted_at=timezone.now() - timedelta(days=KEPT_DAYS + 1))
        assert forget_deleted_files(tenant=world.tenant) == 2
        assert FileContent.objects.count() == 0


def test_what_cannot_be_kept_is_refused_in_words(world: World, carl: Membership, browser: SignIn) -> None:
    client, base = browser(carl), f"/t/acme/accounts/{world.accounts[0].pk}/files/add/"
    for given, word in (
        (upload("page.pdf", b"<html>"), "cannot be kept"),
        (upload("empty.pdf", b""), "Choose a file first"),
    ):
        assert word in client.post(base, {"file": given}, follow=True).text
    with tenant_scope(world.tenant):
        TenantSettings.objects.update(file_quota_mb=0)
    assert "There is no room" in client.post(base, {"file": upload()}, follow=True).text
    with tenant_scope(world.tenant):
        assert AccountFile.objects.count() == 0


# ── People, and the account above ───────────────────────────────────────────────────────────────────────────────
def test_roles_are_said_and_what_nobody_is_shows(world: World, carl: Membership, browser: SignIn) -> None:
    account, client = world.accounts[0], browser(carl)
    with tenant_scope(world.tenant):
        champion, user, _decider = Contact.objects.filter(account=account).order_by("pk")
        Contact.objects.filter(pk=champion.pk).update(
            last_seen_at=timezone.now() - timedelta(days=90), created_at=timezone.now() - timedelta(days=200)
        )
        panel = people_panel(world.tenant, account.pk)
        assert [one.contact.pk for one in panel.silent] == [champion.pk]
        assert [(one.role, len(one.people), one.is_silent) for one in panel.coverage] == [
            ("champion", 1, True),
            ("decision maker", 1, False),
        ]
    base = f"/t/acme/accounts/{account.pk}"
    assert "silent" in client.get(f"{base}/people/").text
    address = f"{base}/contacts/{champion.pk}/roles/"
    assert "checked" in client.get(address).text
    assert client.post(address, {"roles": ["billing"], "others": "Sponsor, "}).status_code == 302
    with tenant_scope(world.tenant):
        assert Contact.objects.get(pk=champion.pk).roles == ["billing", "Sponsor"]
        assert TimelineEntry.objects.get(kind="contact_roles").data == {"contacts": [champion.pk]}
    assert "Champion: nobody" in client.get(f"{base}/people/").text
    assert (
        client.post(f"{base}/contacts/{user.pk}/roles/", {"others": ",".join("abcdefghijkl")}).status_code
        == 400
    )


def test_an_account_is_put_below_another_but_never_below_itself(
    world: World, mona: Membership, browser: SignIn
) -> None:
    top, middle, low = world.accounts[:3]
    client = browser(mona)
    for child, above in ((middle, top), (low, middle)):
        address = f"/t/acme/accounts/{child.pk}/parent/"
        assert client.post(address, {"parent": above.external_id}).status_code == 302
    refused = client.post(f"/t/acme/accounts/{top.pk}/parent/", {"parent": low.name[:9]})
    assert refused.status_code == 400
    assert "cannot be above it" in refused.text
    assert client.post(f"/t/acme/accounts/{top.pk}/parent/", {"parent": top.external_id}).status_code == 400
    assert client.post(f"/t/acme/accounts/{low.pk}/parent/", {"parent": "nobody"}).status_code == 400
    assert middle.name in client.get(f"/t/acme/accounts/{top.pk}/part/family/").text
    assert client.post(f"/t/acme/accounts/{low.pk}/parent/", {"parent": ""}).status_code == 302
    with tenant_scope(world.tenant):
        assert [Account.objects.get(pk=one.pk).parent_id for one in (top, middle, low)] == [
            None,
            top.pk,
            None,
        ]
