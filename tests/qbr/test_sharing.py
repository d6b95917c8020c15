"""Packs leave the house: files on the worker, links, the shared page, comments and answers, all packs of a month."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Account, AuditEntry, Contact, Job, Membership, SignedLink, Tenant, TimelineEntry
from outreach.deciding import settings_of
from outreach.mail.compose import compose_message
from outreach.mail.viewing import mail_of_message
from outreach.models import Message, Notification
from outreach.services.choosing import save_settings
from qbr.content import PackContent, to_json
from qbr.models import Pack, PackComment, PackFile, PackVersion
from qbr.sharing.bundles import bundle_packs, bundled, zip_stream
from qbr.sharing.comments import PER_HOUR, answer_comment, threads_of
from qbr.sharing.files import ask_files, make_file, states_of
from qbr.sharing.sharing import Shared, share_pack, unshare
from tests.conftest import make_member
from tests.outreach.pictures import picture
from tests.outreach.reading_pdf import text_of
from tests.qbr.making import make_pack, small_content

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script> {{ x }} “ñ” 😀"


@pytest.fixture
def globex(acme: Tenant, carl: Membership) -> Account:
    with tenant_scope(acme):
        account = Account.objects.create(external_id="globex", name="Globex & Sons", owner=carl)
        Contact.objects.create(account=account, name="Dana Day", email="dana@globex.example")
        Contact.objects.create(account=account, name="Nomail")
    return account


@pytest.fixture
def pack(acme: Tenant, globex: Account) -> Pack:
    with tenant_scope(acme):
        return make_pack(globex, small_content("Quarterly review"))


def share(tenant: Tenant, pack: Pack, **more: Any) -> Shared:
    with tenant_scope(tenant):
        (shared,) = share_pack(tenant=tenant, pack_id=pack.pk, **more)
    return shared


def path_of(shared: Shared) -> str:
    return "/packs/" + shared.url.partition("/packs/")[2]


def visit(path: str, **data: str) -> Any:
    """As a browser does that has no cookie of ours and, on a page without referrer, says that its origin is `null`."""
    client = Client(enforce_csrf_checks=True, headers={"origin": "null"} if data else {})
    return client.post(path, data) if data else client.get(path)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_made_by_the_worker_and_again_when_the_pack_changes(acme: Tenant, globex: Account) -> None:
    with tenant_scope(acme):
        draft = make_pack(globex, small_content("Draft"), state="draft")
        job = ask_files(tenant=acme, pack_ids=[draft.pk], kinds=["pdf", "pptx"])
        assert ask_files(tenant=acme, pack_ids=[draft.pk], kinds=["pptx", "pdf"]).pk == job.pk
        assert [state.file for state in states_of(acme, draft)] == [None, None]
    assert run_jobs(acme) == 2
    with tenant_scope(acme):
        job.refresh_from_db()
        assert (job.state, job.total, job.done) == ("done", 2, 2)
        files = {file.kind: file for file in PackFile.objects.all()}
        assert bytes(files["pdf"].data).startswith(b"%PDF") and bytes(files["pptx"].data).startswith(b"PK")
        assert files["pdf"].size == len(bytes(files["pdf"].data))
        assert all(state.is_current for state in states_of(acme, draft))
        assert make_file(tenant=acme, pack=draft, kind="pdf").made_at == files["pdf"].made_at
        draft.content = to_json(small_content("Another title"))
        draft.save()
        assert not any(state.is_current for state in states_of(acme, draft))
        assert "Another title" in text_of(bytes(make_file(tenant=acme, pack=draft, kind="pdf").data))
        assert PackFile.objects.filter(kind="pdf").count() == 1


def test_files_of_a_sent_pack_stay_as_they_were(acme: Tenant, pack: Pack, alice: Membership) -> None:
    with tenant_scope(acme):
        before = make_file(tenant=acme, pack=pack, kind="pdf")
        save_settings(tenant=acme, actor=alice, values={"from_name": "Renamed"}, logo=picture(20, 10))
        after = make_file(tenant=acme, pack=pack, kind="pdf")
        assert (after.pk, after.digest, after.made_at) == (before.pk, before.digest, before.made_at)
        pack.state, pack.version = "draft", 2
        pack.save()
        later = make_file(tenant=acme, pack=pack, kind="pdf")
        assert later.pk != before.pk
        assert "Renamed" in text_of(bytes(later.data))
        assert PackFile.objects.get(pk=before.pk).digest == before.digest


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sharing_mails_each_person_a_link_of_their_own(acme: Tenant, pack: Pack, carl: Membership) -> None:
    with tenant_scope(acme):
        dana = Contact.objects.get(name="Dana Day")
        nobody = Contact.objects.get(name="Nomail")
        with pytest.raises(ValidationError, match="Nomail"):
            share_pack(tenant=acme, pack_id=pack.pk, contact_ids=[dana.pk, nobody.pk], member=carl)
    shared = share(acme, pack, contact_ids=[dana.pk], member=carl)
    with tenant_scope(acme):
        message = Message.objects.get()
        assert (message.contact, message.sender) == (dana, carl)
        assert shared.url in compose_message(acme, settings_of(acme), message).body
        assert shared.url.rstrip("/").rpartition("/")[2] not in mail_of_message(acme, message).html
        assert "Globex & Sons" in message.subject
        assert timedelta(days=59) < shared.link.expires_at - timezone.now() <= timedelta(days=60)
        assert AuditEntry.objects.filter(action="pack.shared").count() == 1
        assert TimelineEntry.objects.get(kind="pack_shared").title == "Dana Day"
    assert "Quarterly review" in visit(path_of(shared)).text
    assert run_jobs(acme) == 2  # the files that the customer may download
    assert visit(path_of(shared) + "pack.pdf").content.startswith(b"%PDF")
    assert "pack.pptx" in visit(path_of(shared)).text


def test_a_draft_is_never_shared_and_other_peoples_accounts_neither(
    acme: Tenant, globex: Account, pack: Pack, rival: Tenant
) -> None:
    other = make_member(acme, "otto", "csm")
    with tenant_scope(acme):
        draft = make_pack(globex, small_content("D"), state="draft", due_on=timezone.localdate())
        with pytest.raises(ValidationError, match="sent first"):
            share_pack(tenant=acme, pack_id=draft.pk)
        with pytest.raises(PermissionDenied):
            share_pack(tenant=acme, pack_id=pack.pk, member=other)
        stranger = Account.objects.create(external_id="o", name="Other")
        contact = Contact.objects.create(account=stranger, name="Eve", email="eve@other.example")
        with pytest.raises(ValidationError, match="of this account"):
            share_pack(tenant=acme, pack_id=pack.pk, contact_ids=[contact.pk])
    with tenant_scope(rival), pytest.raises(Pack.DoesNotExist):
        share_pack(tenant=rival, pack_id=pack.pk)


def test_whatever_is_wrong_with_a_link_the_answer_is_the_same(
    acme: Tenant, globex: Account, pack: Pack, carl: Membership
) -> None:
    ended, back, gone, moved = (share(acme, pack, days=days) for days in (1, 30, 30, 30))
    with tenant_scope(acme):
        unshare(tenant=acme, link_id=back.link.pk, member=carl)
        SignedLink.objects.filter(pk=gone.link.pk).update(object_id=pack.pk + 1000)
        other = Account.objects.create(external_id="o", name="Other")
        SignedLink.objects.filter(pk=moved.link.pk).update(account=other)
    path = path_of(moved)
    changed = path[:-5] + ("A" if path[-5] != "A" else "B") + path[-4:]
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        answers = [visit(path_of(ended))]
    answers += [visit(path_of(one)) for one in (back, gone, moved)] + [visit(changed), visit("/packs/x/")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not any(name in answers[0].text for name in ("Acme", "Globex", "Quarterly"))
    for part in ("pack.pdf", "pack.pptx", "brand.css", "logo.png"):
        assert visit(path_of(back) + part).status_code == 404
    assert visit(path_of(back), name="x", text="y").status_code == 404


def test_a_pack_that_was_opened_again_shows_what_was_sent(acme: Tenant, pack: Pack) -> None:
    shared = share(acme, pack)
    with tenant_scope(acme):
        PackVersion.objects.create(
            pack=pack, number=1, content=pack.content, content_hash="", sent_at=pack.sent_at
        )
        make_file(tenant=acme, pack=pack, kind="pdf")
        pack.state, pack.version, pack.sent_at = "draft", 2, None
        pack.content = to_json(small_content("Not for your eyes"))
        pack.save()
    page = visit(path_of(shared))
    assert "Quarterly review" in page.text and "Not for your eyes" not in page.text
    assert visit(path_of(shared) + "pack.pdf").status_code == 200
    with tenant_scope(acme):
        Pack.objects.filter(pk=pack.pk).update(state="skipped", skip_reason="x")
    assert visit(path_of(shared)).status_code == 404


# ── The shared page ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_sealed_counted_and_in_the_packs_language(
    acme: Tenant, globex: Account, alice: Membership
) -> None:
    with tenant_scope(acme):
        spanish = make_pack(globex, small_content("Revisión", "es"))
        save_settings(tenant=acme, actor=alice, values={"brand_color": "#aa0000"}, logo=picture(20, 10))
    shared = share(acme, spanish)
    page = visit(path_of(shared))
    assert page.status_code == 200
    assert '<html lang="es"' in page.text and "Escribir un comentario" in page.text
    assert "Hidden part" not in page.text and "No risks are known." in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text and "onclick" not in page.text
    assert "#aa0000" in visit(path_of(shared) + "brand.css").text
    assert visit(path_of(shared) + "logo.png").content.startswith(b"\x89PNG")
    assert (
        visit(path_of(shared) + "pack.pdf").status_code == 404
    )  # not made, and nobody makes it for a visitor
    Client().head(path_of(shared))
    visit(path_of(shared))
    with tenant_scope(acme):
        assert SignedLink.objects.get(pk=shared.link.pk).opened == 2


def test_the_number_of_queries_does_not_depend_on_the_comments(acme: Tenant, pack: Pack) -> None:
    shared = share(acme, pack)
    counts = []
    for number in (1, 3):
        with tenant_scope(acme):
            for _ in range(number):
                PackComment.objects.create(pack=pack, section="kpis", name="n", text="t")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert visit(path_of(shared)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 16


def test_a_customer_comments_and_a_member_answers(acme: Tenant, pack: Pack, carl: Membership) -> None:
    shared = share(acme, pack)
    answer = visit(path_of(shared), section="kpis", name="Dana", text=HOSTILE)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("?thanks=1#comments-kpis")
    with tenant_scope(acme):
        comment = PackComment.objects.get()
        assert (comment.section, comment.name, comment.link) == ("kpis", "Dana", shared.link)
        notice = Notification.objects.get()
        assert notice.member == carl and "Dana" in notice.title and "Globex" in notice.title
        assert TimelineEntry.objects.filter(kind="pack_commented").count() == 1
        answer_comment(tenant=acme, comment_id=comment.pk, text="We will " + HOSTILE, member=carl)
        (thread,) = threads_of(acme, pack)
        assert [one.name for one in thread.answers] == ["Carl"]
    page = visit(path_of(shared)).text
    assert "We will &lt;script&gt;" in page and "<script>alert" not in page
    assert page.index("We will") > page.index("Key figures")


def test_wrong_comments_keep_what_was_typed(acme: Tenant, pack: Pack) -> None:
    path = path_of(share(acme, pack))
    nameless = visit(path, section="kpis", name=" ", text="My long thought")
    assert nameless.status_code == 400
    assert "My long thought" in nameless.text and "Write your name" in nameless.text
    assert visit(path, section="cases", name="x", text="y").status_code == 400  # hidden
    assert visit(path, section="kpis", name="x" * 101, text="y").status_code == 400
    assert visit(path, section="kpis", name="x", text="y" * 4001).status_code == 400
    assert visit(path, section="kpis", name="x", text="\x00\x07 ").status_code == 400
    with tenant_scope(acme):
        assert not PackComment.objects.exists()


def test_comments_are_limited_per_link_and_hour(acme: Tenant, pack: Pack) -> None:
    shared, second = share(acme, pack), share(acme, pack)
    with tenant_scope(acme):
        PackComment.objects.bulk_create(
            PackComment(tenant=acme, pack=pack, link=shared.link, name="n", text="t") for _ in range(PER_HOUR)
        )
    assert "lot of comments" in visit(path_of(shared), section="", name="n", text="one more").text
    assert visit(path_of(second), section="", name="n", text="mine").status_code == 302


# ── Inside ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_csm_shares_answers_and_takes_back(acme: Tenant, pack: Pack, carl: Membership) -> None:
    client = Client()
    client.force_login(carl.user)
    page = f"/t/acme/packs/{pack.pk}/share/"
    assert "dana@globex.example" in client.get(page).text
    made = client.post(page, {"days": "7"})
    assert made.status_code == 200 and "/packs/" in made.text
    assert client.post(page, {"days": "0"}).status_code == 400
    with tenant_scope(acme):
        dana = Contact.objects.get(name="Dana Day")
        link = SignedLink.objects.get()
        comment = PackComment.objects.create(pack=pack, section="kpis", link=link, name="Dana", text="Why?")
    assert client.post(page, {"days": "7", "contact_ids": [str(dana.pk)]}).status_code == 302
    assert client.post(f"/t/acme/packs/comments/{comment.pk}/answer/", {"text": "Because"}).status_code == 302
    assert "Because" in client.get(page).text
    assert client.post(f"/t/acme/packs/links/{link.pk}/revoke/").status_code == 302
    assert "taken back" in client.get(page).text
    with tenant_scope(acme):
        Job.objects.all().delete()
    assert client.post(f"/t/acme/packs/{pack.pk}/files/pdf/make/").status_code == 302
    assert "Files are being made" in client.get(page).text
    assert run_jobs(acme) == 1
    answer = client.get(f"/t/acme/packs/{pack.pk}/files/pdf/")
    assert answer.content.startswith(b"%PDF")
    assert "Globex" in answer.headers["Content-Disposition"]
    assert client.get(f"/t/acme/packs/{pack.pk}/files/pptx/").status_code == 404


def test_all_packs_of_a_month_as_one_archive(
    acme: Tenant, globex: Account, pack: Pack, carl: Membership, mona: Membership
) -> None:
    month = pack.due_on.replace(day=1)
    with tenant_scope(acme):
        twin = Account.objects.create(external_id="twin", name="Globex & Sons", owner=carl)
        other = Account.objects.create(external_id="other", name="Other/../x", owner=mona)
        make_pack(twin, small_content("Twin"), due_on=pack.due_on)
        make_pack(other, small_content("Other"), due_on=pack.due_on)
        none = Account.objects.create(external_id="none", name="None", owner=carl)
        make_pack(none, small_content("Skipped"), state="skipped", skip_reason="x", due_on=month)
        make_pack(globex, small_content("Later"), due_on=pack.due_on + timedelta(days=62))
        assert len(bundle_packs(acme, month=month, owner_id=None)) == 3
        assert len(bundle_packs(acme, month=month, owner_id=carl.pk)) == 2
    client = Client()
    client.force_login(mona.user)
    asked = client.post(
        "/t/acme/packs/bundle/", {"month": f"{month:%Y-%m}", "owner": "", "kinds": ["pdf", "pptx"]}
    )
    assert asked.status_code == 302
    assert "Files are being made" in client.get(asked.headers["Location"]).text
    assert client.get(asked.headers["Location"] + "packs.zip").status_code == 404
    assert run_jobs(acme) == 6
    assert "6 files are ready" in client.get(asked.headers["Location"]).text
    with tenant_scope(acme):
        job = Job.objects.get(kind="pack_files")
        entries = bundled(acme, job)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(acme, entries))))
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(names) == len({name.lower() for name in names}) == 6
    assert not [name for name in names if "/" in name or name.startswith(".")]
    assert all(archive.read(name)[:4] in (b"%PDF", b"PK\x03\x04") for name in names)
    empty = client.post("/t/acme/packs/bundle/", {"month": "2019-01", "owner": "", "kinds": ["pdf"]})
    assert empty.status_code == 400 and "no pack due" in empty.text
    assert client.post("/t/acme/packs/bundle/", {"month": "x", "kinds": ["pdf"]}).status_code == 400


def test_a_pack_without_content_is_no_reason_to_fail(acme: Tenant, globex: Account) -> None:
    bare = PackContent("Bare", "Globex", "", "es", "", ())
    with tenant_scope(acme):
        pack = make_pack(globex, replace(bare, title="Vacío"))
        assert "Vacío" in text_of(bytes(make_file(tenant=acme, pack=pack, kind="pdf").data))
    assert "Vacío" in visit(path_of(share(acme, pack))).text
