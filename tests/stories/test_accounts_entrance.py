"""Coming in and going out: login by e-mail address, logout, a forgotten password, guessing."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Membership, Tenant
from tests.conftest import PASSWORD, make_member

pytestmark = pytest.mark.django_db
LOGIN, LOGOUT, RESET = "/accounts/login/", "/accounts/logout/", "/accounts/password/reset/"


def log_in(client: Client, email: str, password: str, following: str = "") -> Any:
    return client.post(
        LOGIN + (f"?next={following}" if following else ""), {"login": email, "password": password}
    )


def is_in(client: Client) -> bool:
    return client.get("/t/acme/profile/").status_code == 200


def test_a_member_comes_in_by_address_and_goes_where_it_was_headed(client: Client, carl: Membership) -> None:
    first = client.get("/t/acme/tasks/?due=week")
    assert first.headers["Location"] == "/accounts/login/?next=/t/acme/tasks/%3Fdue%3Dweek"
    answer = client.post(first.headers["Location"], {"login": "Carl@ACME.example", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/t/acme/tasks/?due=week")
    assert is_in(client)


def test_the_session_is_a_new_one_after_the_login(client: Client, carl: Membership) -> None:
    client.get(LOGIN)
    session = client.session
    session["seen before"] = True
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    log_in(client, carl.user.email, PASSWORD)
    assert client.session.session_key != before


def test_logging_out_ends_the_session_on_the_server(client: Client, carl: Membership) -> None:
    log_in(client, carl.user.email, PASSWORD)
    key = client.cookies["sessionid"].value
    assert client.get(LOGOUT).status_code == 200
    assert is_in(client)
    assert client.post(LOGOUT).status_code == 302
    thief = Client()
    thief.cookies["sessionid"] = key
    assert not is_in(thief)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper()])
def test_a_wrong_password_and_an_unknown_login_look_the_same(
    client: Client, carl: Membership, password: str
) -> None:
    pages = [log_in(Client(), email, password) for email in (carl.user.email, "nobody@acme.example")]
    texts = [re.sub(r'value="[^"]*"', "", page.text) for page in pages]
    assert [page.status_code for page in pages] == [200, 200]
    assert texts[0] == texts[1]
    assert not is_in(client)


def test_a_login_that_is_switched_off_stays_outside(client: Client, carl: Membership) -> None:
    carl.user.is_active = False
    carl.user.save()
    log_in(client, carl.user.email, PASSWORD)
    assert not is_in(client)


def test_nobody_signs_up(client: Client, acme: Tenant) -> None:
    page = client.post(
        "/accounts/signup/", {"email": "new@x.example", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert page.status_code == 200
    assert not Membership.objects.exists()
    assert log_in(client, "new@x.example", PASSWORD).status_code == 200


def test_a_forgotten_password_is_chosen_anew_once(client: Client, carl: Membership) -> None:
    other = Client()
    log_in(other, carl.user.email, PASSWORD)
    assert (
        client.post(RESET, {"email": carl.user.email}).headers["Location"] == "/accounts/password/reset/done/"
    )
    assert client.get("/accounts/password/reset/done/").status_code == 200
    [message] = mail.outbox
    assert message.to == [carl.user.email]
    found = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", message.body)
    assert found
    form = client.get(found[1], follow=True)
    target = form.redirect_chain[-1][0]
    assert client.post(target, {"password1": "short", "password2": "short"}).status_code == 200
    done = client.post(
        target, {"password1": "a brand new phrase", "password2": "a brand new phrase"}, follow=True
    )
    assert done.redirect_chain[-1] == ("/accounts/password/reset/key/done/", 302)
    assert log_in(client, carl.user.email, PASSWORD).status_code == 200
    assert log_in(client, carl.user.email, "a brand new phrase").status_code == 302
    assert is_in(client)
    assert not is_in(other)
    again = Client().get(found[1], follow=True)
    assert "password1" not in again.text


def test_the_reset_page_does_not_tell_who_has_a_login(client: Client, carl: Membership) -> None:
    answers = [client.post(RESET, {"email": email}) for email in (carl.user.email, "nobody@acme.example")]
    assert [(a.status_code, a.headers["Location"]) for a in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2


def test_guessing_is_stopped_with_a_message(client: Client, carl: Membership, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "100/m/ip,5/5m/key"}
    victim = make_member(carl.tenant, f"v{uuid.uuid4().hex}", "csm")
    for _ in range(5):
        assert "Too many attempts failed" not in log_in(client, victim.user.email, "wrong").text
    stopped = log_in(client, victim.user.email, PASSWORD)
    assert "Too many attempts failed. Wait five minutes" in stopped.text
    assert not is_in(client)
    assert log_in(Client(), carl.user.email, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_login_leads_nowhere_else(carl: Membership, where: str) -> None:
    client = Client()
    answer = client.post(LOGIN, {"login": carl.user.email, "password": PASSWORD, "next": where})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(("language", "words"), [("es", "Iniciar sesión"), ("en", "Sign in")])
def test_the_login_speaks_the_browsers_language(client: Client, db: None, language: str, words: str) -> None:
    page = client.get(LOGIN, headers={"Accept-Language": language})
    assert words in page.text
    assert page.headers["Content-Language"] == language


def test_entrance_pages_hold_to_the_policy(client: Client, carl: Membership) -> None:
    for path in (LOGIN, RESET, "/accounts/password/reset/done/", "/accounts/signup/", "/accounts/inactive/"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not re.search(
            r"<script(?![^>]*(?:\bsrc=|application/json))|<style|\sstyle=|\son[a-z]+=\"", page.text
        ), path
