"""The page and the link: looking never answers, every character counts, twice is once, a thousand at once are one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.links import LinkRefused
from accounts.models import Job, Tenant, TimelineEntry
from nps.surveys import public
from nps.surveys.models import Answer, Invitation
from nps.surveys.services import open_invitation, submit_answer, withdraw
from nps.surveys.tokens import is_genuine, token_of
from outreach.models import OutreachSettings

from .conftest import Asked

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16


def form_of(page: bytes) -> str:
    """The page's own token."""
    match = re.search(rb'name="form" value="([^"]+)"', page)
    assert match is not None
    return match[1].decode()


def answers(asked: Asked) -> int:
    with tenant_scope(asked.tenant):
        return Answer.objects.count()


def test_looking_never_answers_and_posting_does(asked: Asked) -> None:
    asked.ask()
    path, client = asked.path(), Client(enforce_csrf_checks=True)
    for method in (client.get, client.head):
        assert method(f"{path}?score=9").status_code == 200
    page = client.get(f"{path}?score=9")
    assert re.search(rb'value="9" required checked', page.content)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert b"<script" not in page.content.split(b"<body")[1]
    assert answers(asked) == 0
    # Without cookies, as in a mail program's own browser.
    sent = Client(enforce_csrf_checks=True).post(
        path, {"form": form_of(page.content), "score": "9", "comment": "Fast <b>help</b>"}
    )
    assert (sent.status_code, sent.headers["Location"]) == (303, path)
    thanks = client.get(path)
    assert b"Thank you" in thanks.content and b"Fast &lt;b&gt;help" in thanks.content
    with tenant_scope(asked.tenant):
        answer = Answer.objects.get()
        assert (answer.score, answer.category, answer.comment, answer.channel) == (
            9,
            "promoter",
            "Fast <b>help</b>",
            "page",
        )
        found = Invitation.objects.get()
        assert (found.opened_count, found.answered_at) == (3, answer.answered_at)


@pytest.mark.parametrize(
    ("form", "score", "words"),
    [
        ("", "9", b"open for long"),
        ("forged", "9", b"open for long"),
        (None, "", b"Choose a number first"),
        (None, "11", b"from 0 to 10"),
        (None, "-1", b"Choose a number first"),
        (None, "9" * 50, b"Choose a number first"),
    ],
)
def test_what_cannot_be_kept_is_shown_again_as_it_was_typed(
    asked: Asked, form: str | None, score: str, words: bytes
) -> None:
    asked.ask()
    path, client = asked.path(), Client()
    own = form_of(client.get(path).content)
    answer = client.post(path, {"form": own if form is None else form, "score": score, "comment": "Not lost"})
    assert answer.status_code == 400
    assert words in answer.content and b"Not lost" in answer.content
    assert answers(asked) == 0


def test_another_page_s_form_does_not_answer(asked: Asked) -> None:
    other = asked.customer("other")
    asked.ask()
    client = Client()
    foreign = form_of(client.get(asked.path(asked.invitation(other))).content)
    assert client.post(asked.path(), {"form": foreign, "score": "9"}).status_code == 400
    assert answers(asked) == 0


def test_every_changed_character_of_twenty_links_is_refused(asked: Asked, rival: Tenant) -> None:
    for n in range(19):
        asked.customer(f"many{n}")
    asked.ask()
    with tenant_scope(asked.tenant):
        found = list(Invitation.objects.order_by("id").values_list("pk", "nonce"))
    assert len(found) == 20
    tokens = [token_of(asked.tenant.pk, pk, nonce) for pk, nonce in found]
    for (pk, nonce), token in zip(found, tokens, strict=True):
        assert is_genuine(token, asked.tenant.pk, pk, nonce)
        with tenant_scope(
            asked.tenant
        ):  # a transaction of its own for each: they are cut off when they last long
            assert open_invitation(tenant=asked.tenant, token=token).pk == pk
            for at, letter in enumerate(token):
                others = [one for one in ("A", "b", "0", "-", "_", letter.swapcase()) if one != letter]
                changed = [token[:at] + one + token[at + 1 :] for one in others]
                assert not any(is_genuine(one, asked.tenant.pk, pk, nonce) for one in changed)
                with pytest.raises(LinkRefused):
                    open_invitation(tenant=asked.tenant, token=changed[at % len(changed)])
    with tenant_scope(asked.tenant):
        for broken in (tokens[0][:-1], tokens[0] + "A", tokens[0] + "=", " " + tokens[0], ""):
            with pytest.raises(LinkRefused):
                open_invitation(tenant=asked.tenant, token=broken)
    client = Client()
    assert client.get(f"/surveys/{tokens[0]}/").status_code == 200
    for wrong in (tokens[0][:-1] + "~", token_of(rival.pk, 1, "x"), "x", "1-1-" + "a" * 24):
        page = client.get(f"/surveys/{wrong}/")
        assert page.status_code == 404
        assert b"Acme" not in page.content


def test_a_link_of_another_tenant_opens_nothing_here(asked: Asked, rival: Tenant) -> None:
    asked.ask()
    found = asked.invitation()
    with tenant_scope(rival), pytest.raises(LinkRefused):
        open_invitation(tenant=rival, token=token_of(asked.tenant.pk, found.pk, found.nonce))
    with tenant_scope(rival), pytest.raises(LinkRefused):
        open_invitation(tenant=rival, token=token_of(rival.pk, found.pk, found.nonce))


def test_a_link_that_was_taken_back_is_refused(asked: Asked) -> None:
    asked.ask()
    path = asked.path()
    with tenant_scope(asked.tenant):
        withdraw(tenant=asked.tenant, invitation_id=asked_pk(asked))
    assert Client().get(path).status_code == 404
    assert Client().get(asked.path()).status_code == 200


def asked_pk(asked: Asked) -> int:
    return Invitation.objects.latest("id").pk


def test_an_answer_may_be_changed_for_a_day_and_then_stands(asked: Asked) -> None:
    asked.ask()
    path, client = asked.path(), Client()

    def send(score: str, comment: str) -> int:
        form = form_of(client.get(f"{path}?change=1").content)
        return client.post(path, {"form": form, "score": score, "comment": comment}).status_code

    form = form_of(client.get(path).content)
    assert send("3", "Slow") == 303
    assert send("3", "Slow") == 303  # the same again
    with tenant_scope(asked.tenant):
        assert Answer.objects.get().revision == 1
    assert send("8", "Better now") == 303
    with tenant_scope(asked.tenant):
        answer = Answer.objects.get()
        assert (answer.score, answer.category, answer.revision) == (8, "passive", 2)
        assert Job.objects.filter(kind="survey_answer").count() == 2
        Answer.objects.update(answered_at=timezone.now() - timedelta(hours=25))
    late = client.post(path, {"form": form, "score": "1", "comment": "x"})
    assert b"we have your answer" in late.content
    with tenant_scope(asked.tenant):
        assert Answer.objects.get().score == 8


def test_an_invitation_that_ran_out_is_over(asked: Asked) -> None:
    asked.ask()
    path, client = asked.path(), Client()
    form = form_of(client.get(path).content)
    with tenant_scope(asked.tenant):
        Invitation.objects.update(closes_on=asked.today - timedelta(days=1))
    assert b"This survey is over" in client.get(path).content
    assert b"This survey is over" in client.post(path, {"form": form, "score": "5"}).content
    assert answers(asked) == 0


def test_the_page_speaks_the_contact_s_language_and_the_other_one(asked: Asked) -> None:
    asked.contact.traits = {"language": "es-MX"}
    with tenant_scope(asked.tenant):
        asked.contact.save()
    asked.ask()
    path, client = asked.path(), Client()
    page = client.get(path, headers={"Accept-Language": "en"})
    assert "¿Qué probabilidad hay de que recomiendes Acme".encode() in page.content
    assert b'<html lang="es"' in page.content
    assert b"Enviar mi respuesta" in page.content
    english = client.get(f"{path}?lang=en")
    assert b"How likely are you to recommend Acme" in english.content
    form = form_of(english.content)
    sent = client.post(f"{path}?lang=en", {"form": form, "score": "7"})
    assert sent.headers["Location"] == f"{path}?lang=en"


def test_the_page_has_the_company_s_look(asked: Asked) -> None:
    asked.ask()
    path, client = asked.path(), Client()
    Tenant.objects.filter(pk=asked.tenant.pk).update(brand_color="#0a7d55")
    with tenant_scope(asked.tenant):
        OutreachSettings.objects.update(logo=PNG, logo_type="image/png")
    page = client.get(path)
    assert f'{path}brand.css"'.encode() in page.content and f'{path}logo"'.encode() in page.content
    assert b"#0a7d55" in client.get(f"{path}brand.css").content
    assert client.get(f"{path}logo").content == PNG
    forged = path[:-3] + ("AA/" if path[-3:-1] != "AA" else "BB/")
    assert client.get(f"{forged}logo").status_code == 404
    assert client.get(f"{forged}brand.css").content == b""


def test_too_many_requests_are_refused_for_a_minute(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.ask()
    path, client = asked.path(), Client(REMOTE_ADDR="203.0.113.9")
    monkeypatch.setattr(public, "PER_ADDRESS", 3)
    codes = [client.get(path).status_code for _n in range(5)]
    assert codes.count(200) == 3
    refused = client.get(path)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert Client(REMOTE_ADDR="203.0.113.10").get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_thousand_submits_at_once_are_one_answer_per_invitation(asked: Asked) -> None:
    for n in range(9):
        asked.customer(f"many{n}")
    asked.ask()
    with tenant_scope(asked.tenant):
        found = list(Invitation.objects.values_list("pk", "nonce"))
    assert len(found) == 10
    tokens = [token_of(asked.tenant.pk, pk, nonce) for pk, nonce in found]

    def submit(number: int) -> bool:
        token = tokens[number % len(tokens)]
        with tenant_scope(asked.tenant):
            invitation = open_invitation(tenant=asked.tenant, token=token)
            taken = submit_answer(
                tenant=asked.tenant, invitation_id=invitation.pk, score=number // 10 % 11, comment="x"
            )
        return taken.is_new

    def work(first: int) -> int:
        try:
            return sum(submit(number) for number in range(first, 1000, 8))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(work, range(8)))
    assert made == 10
    with tenant_scope(asked.tenant):
        assert Answer.objects.count() == 10
        assert Answer.objects.values("invitation").distinct().count() == 10
        assert Invitation.objects.exclude(answered_at=None).count() == 10


@pytest.mark.django_db(transaction=True)
def test_submits_at_once_over_http_are_one_answer(asked: Asked, live_server: LiveServer) -> None:
    """The whole way of a request, in threads of the server: a double click, a replay and another number at once."""
    asked.ask()
    url = live_server.url + asked.path()
    form = form_of(requests.get(url, timeout=30).content)

    def submit(first: int) -> set[int]:
        with requests.Session() as session:
            said = [
                session.post(url, data={"form": form, "score": n % 11}, allow_redirects=False, timeout=30)
                for n in range(first, 48, 8)
            ]
        return {one.status_code for one in said}

    with ThreadPoolExecutor(8) as pool:
        codes = set().union(*pool.map(submit, range(8)))
    assert codes == {303}
    with tenant_scope(asked.tenant):
        answer = Answer.objects.get()
        assert Invitation.objects.get().answered_at == answer.answered_at
    asked.work()
    with tenant_scope(asked.tenant):
        answer.refresh_from_db()
        assert answer.handled_revision == answer.revision
        assert TimelineEntry.objects.filter(kind__in=["survey_answered", "survey_changed"]).count() == 1
