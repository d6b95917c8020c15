"""When something is wrong: words, a number that the log knows, the reader's language; JSON for programs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import errors
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Membership, Tenant
from tests.usage.sending import rows

pytestmark = pytest.mark.django_db(databases=["default", "dispatch"])
NUMBER = re.compile(r"<code>([0-9a-f-]{36})</code>")


def number_of(page: Any) -> str:
    """The number on the page; the same stands in the header."""
    found = NUMBER.search(page.content.decode())
    assert found is not None
    assert page.headers["X-Request-ID"] == found[1]
    return found[1]


@pytest.mark.parametrize(("language", "words"), [("es", "Aquí no hay nada"), ("en", "There is nothing here")])
def test_a_missing_page_speaks_the_browsers_language(language: str, words: str, db: None) -> None:
    page = Client().get("/no/such/page/", headers={"Accept-Language": language})
    assert page.status_code == 404 and words in page.text
    assert f'<html lang="{language}"' in page.text
    assert number_of(page) != number_of(Client().get("/no/such/page/"))


def test_a_members_own_language_comes_before_the_browsers(carl: Membership) -> None:
    carl.user.language = "es"
    carl.user.save()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(carl.user)
    assert "Aquí no hay nada" in client.get("/t/acme/accounts/987654321/").text
    assert "Tu rol no puede hacer esto" in client.get("/t/acme/keys/").text


def test_a_form_without_its_token_says_what_to_do(carl: Membership) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "es"})
    client.force_login(carl.user)
    page = client.post("/accounts/login/", {"login": "x"})
    assert page.status_code == 403 and "Esta página ha estado abierta demasiado tiempo" in page.text
    number_of(page)


def test_a_broken_address_is_a_400_with_words(db: None) -> None:
    page = Client().get("/x%00y/")
    assert page.status_code == 400 and "We could not read that request" in page.text
    number_of(page)


@pytest.mark.parametrize("path", ["/t/acme/", "/", "/api/v1/accounts"])
def test_the_500_asks_the_database_for_nothing(path: str, db: None) -> None:
    request = RequestFactory().get(path, headers={"Accept-Language": "es"})
    with CaptureQueriesContext(connection) as seen:
        answer = errors.server_error(request)
    assert answer.status_code == 500 and len(seen) == 0
    if path.startswith("/api/"):
        assert b'"server_error"' in answer.content
    else:
        assert "Algo ha fallado" in answer.content.decode()
        number_of(answer)


class Refused(Exception):
    """What psycopg2 raises, as far as Django's wrapper is asked about it."""

    def __init__(self, pgcode: str | None) -> None:
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (OperationalError, None, 503),
        (OperationalError, "57P01", 503),
        (InterfaceError, None, 503),
        (OperationalError, "57014", 500),
        (ValueError, None, 500),
    ],
)
def test_a_database_that_does_not_answer_is_a_503(
    error: type[Exception], code: str | None, status: int
) -> None:
    try:
        raise error("x") from Refused(code)
    except error:
        answer = errors.server_error(RequestFactory().get("/t/acme/"))
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_maintenance_closes_pages_and_api_and_keeps_taking_events(
    acme: Tenant, carl: Membership, settings: Any
) -> None:
    _key, raw = make_key(tenant=acme, name="k", scope="write")
    client = Client(headers={"Authorization": f"Bearer {raw}", "Accept-Language": "es"})
    client.force_login(carl.user)
    event = {"events": [{"event": "seen", "account_id": "a"}]}
    assert client.get("/t/acme/tasks/").status_code == 200
    settings.MAINTENANCE = True
    for path in ("/t/acme/tasks/", "/", "/accounts/login/", "/api/v1/accounts", "/api/v1/schema"):
        answer: HttpResponse = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), path
        if path.startswith("/api/"):
            assert answer.json()["error"]["code"] == "maintenance"
        else:
            assert "Volvemos enseguida" in answer.text
            number_of(answer)
    assert client.get("/healthz").status_code == 200
    taken = client.post("/api/v1/events", event, content_type="application/json")
    assert taken.status_code == 200 and taken.json()["accepted"] == 1
    assert (
        client.post(
            "/v1/track", {"event": "seen", "userId": "u"}, content_type="application/json"
        ).status_code
        == 200
    )
    with tenant_scope(acme):
        pass  # the scope opens again, so what was taken in was committed by its own request
    assert rows(acme, "SELECT count(*)::int FROM usage_inbox WHERE tenant_id = %(tenant)s") == [(2,)]


def test_a_browser_that_shows_a_file_alone_finds_our_mark(client: Client, db: None) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG") and "max-age=86400" in answer.headers["Cache-Control"]
