"""A new company from its first login to its first scored account, following nothing but what the screen says."""

from __future__ import annotations

import re
import shlex
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys as key_cache
from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Account, Job, Membership, Tenant
from accounts.services import create_tenant
from scoring.models import ScoreModel
from tests.conftest import PASSWORD, make_member, make_tenant
from usage.drain import drain_tenant

pytestmark = pytest.mark.django_db(databases=["default", "dispatch"])
GUIDE = "/t/nova/get-started/"


class Screen(HTMLParser):
    """What can be pressed on a page: forms with what they send, links by their words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self.links: dict[str, str] = {}
        self._form: dict[str, str] | None = None
        self._link: str | None = None
        self._words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self._form = self.forms.setdefault(said.get("action", ""), {})
        elif tag == "input" and self._form is not None and "name" in said:
            if said.get("type") not in ("radio", "checkbox") or "checked" in said:
                self._form[said["name"]] = said.get("value", "")
        elif tag == "a":
            self._link, self._words = said.get("href", ""), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "a" and self._link is not None:
            self.links[" ".join(self._words.split())] = self._link
            self._link = None


@pytest.fixture
def nova() -> Tenant:
    key_cache._cache.clear()
    return create_tenant(slug="nova", name="Nova", timezone="Europe/Madrid")


@pytest.fixture
def ada(nova: Tenant) -> Client:
    """The admin of the new company, logged in through the page."""
    make_member(nova, "ada", "admin")
    client = Client()
    client.post("/accounts/login/", {"login": "ada@nova.example", "password": PASSWORD})
    return client


def ticks(page: str) -> list[str]:
    """The steps that the page shows as done."""
    return re.findall(r'<span id="tick-(\w+)" class="inline nowrap severity-good"', page)


def run_as_printed(snippet: str) -> Any:
    """Do what a `curl` line says, through the server under test."""
    words = shlex.split(snippet.replace("\\\n", " "))
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    kind = headers.pop("Content-Type")
    path = "/" + words[1].split("/", 3)[3]
    return Client(headers=headers).post(path, words[words.index("-d") + 1], content_type=kind)


def test_from_the_first_login_to_the_first_score(nova: Tenant, ada: Client) -> None:
    home = ada.get("/t/nova/", follow=True)
    assert home.redirect_chain == [(GUIDE, 302)], "nothing has come yet, so Today leads to the first steps"
    screen = Screen(home.text)
    assert ticks(home.text) == [] and "Listening" in home.text

    # 1: the key is made here and stands in the snippet.
    fresh = ada.post(f"{GUIDE}key/", screen.forms[f"{GUIDE}key/"])
    snippet = re.search(r'id="snippet-curl">(.*?)</pre>', fresh.text, re.DOTALL)
    assert snippet is not None
    assert ticks(fresh.text) == ["source"]
    assert run_as_printed(unescape(snippet[1])).json()["accepted"] == 1
    assert "csi_" not in ada.get(GUIDE).text.split('id="step-event"')[0].replace("csi_…", "")

    # 2: it is seen as it arrives, without loading the page again.
    poll = re.search(r'id="live"[^>]*hx-get="([^"]+)"', fresh.text)
    assert poll is not None
    waiting = ada.get(unescape(poll[1]), headers={"HX-Request": "true"})
    assert "1 event was received and is being counted" in waiting.text
    drain_tenant(nova)
    poll = re.search(r'id="live"[^>]*hx-get="([^"]+)"', waiting.text)
    assert poll is not None
    seen = ada.get(unescape(poll[1]), headers={"HX-Request": "true"})
    assert "Report opened" in seen.text and "1 account was made from them" in seen.text
    assert ticks(seen.text) == ["source", "event"], "the ticks above are changed with it"
    again = re.search(r'id="live"[^>]*hx-get="([^"]+)"', seen.text)
    assert again is not None
    assert ada.get(unescape(again[1]), headers={"HX-Request": "true"}).status_code == 204

    # 3: a model, chosen and not only there.
    screen = Screen(ada.get(GUIDE).text)
    chosen = ada.post(f"{GUIDE}model/", screen.forms[f"{GUIDE}model/"], follow=True)
    assert ticks(chosen.text) == ["source", "event", "model"]
    with tenant_scope(nova):
        assert ScoreModel.objects.get(kind="health", is_default=True).key == "plg"

    # 4: the team.
    team = Screen(chosen.text).links["Invite somebody"]
    ada.post(
        team,
        {
            "email": "carl@nova.example",
            "emails": "carl@nova.example",
            "name": "Carl",
            "role": "csm",
            "scope": "all",
        },
    )
    assert Membership.objects.filter(tenant=nova).count() == 2
    invited = ada.get(GUIDE)
    assert ticks(invited.text) == ["source", "event", "model", "team"]

    # 5: the first score now instead of tonight.
    asked = ada.post(f"{GUIDE}score/", Screen(invited.text).forms[f"{GUIDE}score/"], follow=True)
    assert "Scores are being computed" in asked.text and "/t/nova/jobs/" in asked.text
    # A page that answers a post does not load itself again when the job ends: the form would be sent again.
    another = ada.post(f"{GUIDE}key/")
    assert "Scores are being computed" in another.text and "/t/nova/jobs/" not in another.text
    run_jobs(nova)
    done = ada.get(GUIDE)
    assert ticks(done.text) == ["source", "event", "model", "team", "score"]
    assert "5 of 5 steps are there" in done.text
    account = ada.get(Screen(done.text).links["Acme" if "Acme" in Screen(done.text).links else "acme"])
    assert "Why this score" in account.text and "Not scored yet" not in account.text
    home = ada.get("/t/nova/", follow=True)
    assert home.redirect_chain == []


def test_only_an_admin_is_led_there_and_only_while_nothing_came(nova: Tenant, ada: Client) -> None:
    mona = make_member(nova, "mona", "manager")
    manager = Client()
    manager.force_login(mona.user)
    assert manager.get("/t/nova/").status_code == 200
    assert manager.get(GUIDE).status_code == 403
    assert ada.get("/t/nova/?view=team").status_code == 200
    with tenant_scope(nova):
        Account.objects.create(external_id="imported")
    assert ada.get("/t/nova/").status_code == 200


def test_what_could_not_be_taken_in_is_said_where_one_waits(nova: Tenant, ada: Client) -> None:
    fresh = ada.post(f"{GUIDE}key/")
    key = re.search(r'id="fresh-key">([^<]+)<', fresh.text)
    assert key is not None
    Client(headers={"Authorization": f"Bearer {key[1]}"}).post(
        "/api/v1/events",
        {"events": [{"event": "x" * 500, "account_id": "a"}]},
        content_type="application/json",
    )
    drain_tenant(nova)
    page = ada.get(GUIDE).text
    assert "An event could not be taken in" in page
    assert ticks(page) == ["source"]


def test_a_model_of_nobody_is_refused_in_words(nova: Tenant, ada: Client) -> None:
    rival = make_tenant("rival")
    with tenant_scope(rival):
        theirs = ScoreModel.objects.create(key="own", name="Own", kind="health", position=1)
    for wrong in (str(theirs.pk), "", "-1", "9" * 30, "x"):
        answer = ada.post(f"{GUIDE}model/", {"model": wrong}, follow=True)
        assert "Choose one of the models on the page." in answer.text
        assert ticks(answer.text) == []


def test_the_guide_costs_the_same_however_much_there_is(nova: Tenant, ada: Client) -> None:
    counts = []
    for number in (1, 3):
        with tenant_scope(nova):
            for one in range(number):
                Account.objects.create(external_id=f"{number}-{one}", name="x")
                Job.objects.create(kind="nightly", key=f"{number}-{one}", state="done")
        ada.post(f"{GUIDE}key/")
        with CaptureQueriesContext(connection) as seen:
            assert ada.get(GUIDE).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 30
    assert mail.outbox == []
