"""The approver's page, the public pages, the pages of the team: who sees what, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Role, SignedLink
from accounts.sealing import seal
from accounts.services.tenants import create_tenant
from nps.models import Reference, Story, StoryApproval
from nps.references.services import find_references, propose_reference
from nps.stories.fitting import PAGES
from nps.stories.rendering import fit_story, story_pdf
from nps.stories.services import edit_story, publish_story, withdraw_story
from outreach.models import Delivery, Endpoint
from tests.nps.advocates import Voices
from tests.nps.telling import approved_by, asked_for, fresh, text_now, told


@pytest.fixture
def story(voices: Voices) -> Story:
    account = voices.account("good", name="Good Shoes")
    voices.fits(account)
    return told(voices, account)


def browser(voices: Voices) -> Client:
    client = Client()
    client.force_login(voices.csm.user)
    return client


# ── Two pages ───────────────────────────────────────────────────────────────────────────────────────────────────

SENTENCE = {"en": "Nobody knew which hook had worked. ", "es": "Nadie sabía qué gancho había funcionado. "}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("times", [1, 18, 36])
def test_short_and_long_texts_make_exactly_two_pages(
    voices: Voices, story: Story, language: str, times: int
) -> None:
    body = SENTENCE[language] * times
    with tenant_scope(voices.tenant):
        fields = {"challenge": body, "solution": body, "quote": SENTENCE[language] * (1 + times // 10)}
        edit_story(tenant=voices.tenant, story_id=story.pk, fields=fields, language=language)
        kept = Story.objects.get(pk=story.pk)
        pdf = pypdfium2.PdfDocument(story_pdf(voices.tenant, kept, text_now_in(kept)))
        fit = fit_story(voices.tenant, kept, text_now_in(kept))
    assert len(pdf) == PAGES
    assert fit.is_exact
    texts = [" ".join(page.get_textpage().get_text_range().split()) for page in pdf]
    words = ("The challenge", "The results") if language == "en" else ("El reto", "Los resultados")
    assert words[0] in texts[0] and words[1] in texts[1]
    assert all(len(text) > 150 for text in texts)  # no page is left empty
    assert texts[0].count(SENTENCE[language].strip()) >= 2 * times - 2 * (times // 4)  # hyphens take some


def text_now_in(story: Story) -> Any:
    from nps.stories.reading import text_of

    return text_of(story)


def test_markup_in_a_text_stays_text(voices: Voices, story: Story) -> None:
    odd = "#let x = 1 $y$ *bold* \\ <script>alert(1)</script> “quoted” `raw` @ref // no comment"
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"challenge": odd, "title": odd[:100]})
        kept = Story.objects.get(pk=story.pk)
        pdf = pypdfium2.PdfDocument(story_pdf(voices.tenant, kept, text_now_in(kept)))
    page = " ".join(pdf[0].get_textpage().get_text_range().replace("\u200b", "").split())
    for piece in ("#let x = 1 $y$ *bold* \\", "<script>alert(1)</script>", "@ref // no comment"):
        assert piece in page, piece


# ── The approver ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_customer_reads_and_approves_without_a_login(voices: Voices, story: Story) -> None:
    approval, token = asked_for(voices, story, "legal")
    client, path = Client(enforce_csrf_checks=True), f"/story-approval/{token}/"
    page = client.get(path)
    assert page.status_code == 200
    for words in (story.title, story.challenge, "ROI per month", story.hash, "Your decision"):
        assert words in page.text, words
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.get(f"{path}story.pdf").content.startswith(b"%PDF")
    assert fresh(voices, story).state == "legal"  # looking decides nothing
    answer = client.post(
        path, {"decision": "approve", "signer": "Lola", "seen": story.hash}, headers={"User-Agent": "Test"}
    )
    assert answer.status_code == 200 and "Approved by Lola" in answer.text
    with tenant_scope(voices.tenant):
        approval.refresh_from_db()
        assert (approval.state, approval.signer, approval.from_agent) == ("approved", "Lola", "Test")
        assert approval.from_address == "127.0.0.1"
        assert SignedLink.objects.get(pk=approval.link_id).opened == 1
    assert "Your decision" not in client.get(path).text


def test_what_is_refused_is_said_and_what_was_typed_stays(voices: Voices, story: Story) -> None:
    _approval, token = asked_for(voices, story, "legal")
    path = f"/story-approval/{token}/"
    refused = Client().post(path, {"decision": "changes", "signer": "Lola", "seen": story.hash})
    assert refused.status_code == 400
    assert "Say what should change." in refused.text and 'value="Lola"' in refused.text
    stale = Client().post(path, {"decision": "approve", "signer": "Lola", "seen": "0" * 64})
    assert stale.status_code == 409 and "nothing was recorded" in stale.text
    said = {"decision": "changes", "signer": "Lola", "seen": story.hash, "comment": "<b>No</b> figures"}
    assert "asked for changes" in Client().post(path, said).text
    page = browser(voices).get(f"/t/globex/stories/{story.pk}/").text
    assert "&lt;b&gt;No&lt;/b&gt; figures" in page


def test_after_an_edit_the_old_link_shows_no_text(voices: Voices, story: Story) -> None:
    _approval, token = asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"challenge": "Quite another thing."})
    page = Client().get(f"/story-approval/{token}/")
    assert page.status_code == 200
    assert "This text has changed" in page.text
    for secret in ("Quite another", story.challenge, story.title, "Good Shoes"):
        assert secret not in page.text, secret
    assert Client().get(f"/story-approval/{token}/story.pdf").status_code == 404


def test_links_that_do_not_open_all_say_the_same(voices: Voices, story: Story) -> None:
    approval, token = asked_for(voices, story, "legal")
    other = create_tenant(slug="rival", name="Rival")
    with tenant_scope(other):
        rivals = Story.objects.count()
    turned = token[:-1] + ("a" if token[-1] != "a" else "b")
    cases = {"turned": turned, "nothing": "nothing-of-ours", "long": "y" * 500}
    bodies = set()
    for name, bad in cases.items():
        for end in ("", "story.pdf", "brand.css", "logo.png"):
            answer = Client().get(f"/story-approval/{bad}/{end}")
            assert answer.status_code == 404, (name, end)
            bodies.add(answer.text.replace(bad, ""))
            assert "Globex" not in answer.text and "Good Shoes" not in answer.text
    for change in ({"expires_at": timezone.now() - timedelta(minutes=1)}, {"revoked_at": timezone.now()}):
        with tenant_scope(voices.tenant):
            before = SignedLink.objects.filter(pk=approval.link_id).values("expires_at", "revoked_at")[0]
            SignedLink.objects.filter(pk=approval.link_id).update(**change)
        for method in ("get", "post"):
            answer = getattr(Client(), method)(f"/story-approval/{token}/")
            assert answer.status_code == 404, (change, method)
            bodies.add(answer.text.replace(token, ""))
        with tenant_scope(voices.tenant):
            SignedLink.objects.filter(pk=approval.link_id).update(**before)
    # a link of another approval does not answer this one
    with tenant_scope(voices.tenant):
        SignedLink.objects.filter(pk=approval.link_id).update(object_id=approval.pk + 1)
    assert Client().get(f"/story-approval/{token}/").status_code == 404
    assert len(bodies) == 1
    assert rivals == 0
    with tenant_scope(voices.tenant):
        assert StoryApproval.objects.get().state == "waiting"


# ── Everybody ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_published_pages_come_and_go(voices: Voices, story: Story) -> None:
    client = Client()
    addresses = ["/stories/globex/good-shoes/", "/stories/globex/good-shoes/story.pdf", "/stories/globex/"]
    assert [client.get(path).status_code for path in addresses] == [404, 404, 404]
    approved_by(voices, story, "legal", "communications")
    assert [client.get(path).status_code for path in addresses] == [
        404,
        404,
        404,
    ]  # approved is not published
    with tenant_scope(voices.tenant):
        Endpoint.objects.create(url="https://hooks.example.com/", secret_sealed=seal("whsec_AAAA"))
        publish_story(tenant=voices.tenant, story_id=story.pk)
        assert Delivery.objects.filter(event__type="story.published").count() == 1
    page, pdf, index = (client.get(path) for path in addresses)
    assert [page.status_code, pdf.status_code, index.status_code] == [200, 200, 200]
    assert story.title in page.text and story.title in index.text
    assert pdf.content.startswith(b"%PDF") and len(pypdfium2.PdfDocument(pdf.content)) == PAGES
    for answer in (page, index):
        assert "X-Robots-Tag" not in answer.headers and "noindex" not in answer.text
    assert page.headers["Cache-Control"] == "no-cache"
    for secret in ("carl", "mrr", "legal", "ana@good.example"):
        assert secret not in page.text.lower(), secret
    with tenant_scope(voices.tenant):
        withdraw_story(tenant=voices.tenant, story_id=story.pk, why="They asked")
    assert [client.get(path).status_code for path in addresses] == [410, 410, 404]
    assert story.title not in client.get(addresses[0]).text
    assert [client.get(f"/stories/{slug}/").status_code for slug in ("nobody", "globex")] == [404, 404]


def test_a_story_has_its_address_at_its_own_company_only(voices: Voices, story: Story) -> None:
    approved_by(voices, story, "legal", "communications")
    create_tenant(slug="rival", name="Rival")
    with tenant_scope(voices.tenant):
        publish_story(tenant=voices.tenant, story_id=story.pk)
    assert Client().get("/stories/globex/good-shoes/").status_code == 200
    assert Client().get("/stories/rival/good-shoes/").status_code == 404


# ── The team ────────────────────────────────────────────────────────────────────────────────────────────────────

LISTS = (
    "/t/globex/references/",
    "/t/globex/references/?state=candidate&who=mine&q=good",
    "/t/globex/references/library/",
    "/t/globex/references/library/?q=x&type=call&free=yes",
    "/t/globex/references/requests/",
    "/t/globex/stories/",
    "/t/globex/stories/?state=draft",
)


def test_pages_open_with_nothing_and_with_something_and_cost_the_same(voices: Voices) -> None:
    client, viewer = browser(voices), Client()
    viewer.force_login(voices.member("vera", Role.VIEWER).user)
    for path in LISTS:
        assert (client.get(path).status_code, viewer.get(path).status_code) == (200, 200), path
    counts = []
    for rows in (1, 3):
        while True:
            with tenant_scope(voices.tenant):
                number = Reference.objects.count()
            if number >= rows:
                break
            account = voices.account(f"good{number}")
            voices.fits(account)
            told(voices, account)
            with tenant_scope(voices.tenant):
                find_references(tenant=voices.tenant, day=voices.tenant.today())
                Reference.objects.filter(account=account).update(state="active", types=["call"])
        found = []
        for path in LISTS:
            client.get(path)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(path).status_code == 200
            found.append(len(queries))
        counts.append(found)
    assert counts[0] == counts[1]


def test_the_editor_says_what_is_in_the_way_and_keeps_what_was_typed(voices: Voices, story: Story) -> None:
    client, path = browser(voices), f"/t/globex/stories/{story.pk}/"
    page = client.get(path).text
    assert "Legal has not been asked yet." in page and "Exactly two pages." in page
    wrong = client.post(path, {"title": "", "challenge": "Typed at length.", "language": "en", "slug": "x"})
    assert wrong.status_code == 422 and "Typed at length." in wrong.text
    long = {
        "title": "T",
        "challenge": "word " * 1500,
        "solution": "x",
        "language": "en",
        "slug": "t",
        "customer": "G",
    }
    shown = client.post(f"{path}preview/", long)
    assert "lines too long" in shown.text and shown.text.count("data:image/png;base64,") > PAGES
    assert fresh(voices, story).challenge == story.challenge  # a preview writes nothing


def test_a_whole_story_through_the_pages(voices: Voices) -> None:
    account = voices.account("good", name="Good Shoes")
    voices.fits(account)
    contact = voices.person(account)
    client = browser(voices)
    with tenant_scope(voices.tenant):
        reference = propose_reference(tenant=voices.tenant, account_id=account.pk)
    path = f"/t/globex/references/{reference.pk}/"
    bad = client.post(f"{path}ask/", {"contact": contact.pk, "by_mail": "mail", "incentive": "donation"})
    assert bad.status_code == 422 and "A mail needs a subject and a text." in bad.text
    said = {
        "contact": contact.pk,
        "by_mail": "mail",
        "incentive": "featured",
        "subject": "Hi",
        "body": "May we?",
    }
    assert client.post(f"{path}ask/", said).status_code == 302
    assert "Note the answer" in client.get(path).text
    with tenant_scope(voices.tenant):
        ask = reference.asks.get()
    answer = {"answer": "agreed", "types": ["call", "case"], "note": "With pleasure"}
    assert client.post(f"/t/globex/references/asks/{ask.pk}/answer/", answer).status_code == 302
    facts = {"types": ["call", "case"], "use_cases": "Outreach, Demos", "region": "Spain", "language": "es"}
    assert client.post(f"{path}listing/", facts).status_code == 302
    assert "Good Shoes" in client.get("/t/globex/references/library/?use_case=Demos").text
    used = {"deal": "Initech", "kind": "call", "used_on": str(voices.ago(0)), "outcome": "planned"}
    assert client.post(f"{path}use/", used).status_code == 302
    again = client.post(f"{path}use/", used | {"deal": "Umbrella"})
    assert again.status_code == 422 and "rests" in again.text
    assert client.post(f"/t/globex/stories/new/{account.pk}/").status_code == 302


# ── The API ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_lists_and_notes_uses(voices: Voices, story: Story) -> None:
    key = make_key(tenant=voices.tenant, name="k", scope="write")[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    with tenant_scope(voices.tenant):
        reference = propose_reference(tenant=voices.tenant, account_id=story.account_id)
    uses = f"/api/v1/references/{reference.pk}/uses"
    send: dict[str, Any] = {"content_type": "application/json"}
    assert client.post(uses, {"deal": "Initech", "type": "call"}, **send).status_code == 409
    with tenant_scope(voices.tenant):
        Reference.objects.update(state="active", types=["call"])
    for body in (
        {},
        {"deal": "x", "type": "dance"},
        {"deal": "x", "type": "call", "used_on": "soon"},
        {"deal": 1},
    ):
        assert client.post(uses, body, **send).status_code == 400, body
    made = client.post(uses, {"deal": "Initech", "type": "call"}, **send).json()
    assert made["rests_until"] is not None
    assert client.post(uses, {"deal": "Umbrella", "type": "call"}, **send).status_code == 409
    (listed,) = client.get("/api/v1/references?state=resting&type=call&q=good").json()["results"]
    assert (listed["account_id"], listed["types"]) == ("good", ["call"])
    assert client.get("/api/v1/references?state=dancing").status_code == 400
    (told_of,) = client.get("/api/v1/stories?state=draft").json()["results"]
    assert (told_of["hash"], told_of["url"]) == (text_hash_now(voices, story), None)


def text_hash_now(voices: Voices, story: Story) -> str:
    from nps.stories.text import text_hash

    return text_hash(text_now(voices, story))
