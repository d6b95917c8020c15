"""The doors while the database is away: 503 with Retry-After, which every client library sends again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.db import connection

from accounts import keys
from accounts.models import Tenant
from tests.conftest import make_tenant
from tests.usage.sending import EVENTS, SEGMENT, basic, error_of, raw_key, send, waiting

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {
    "events": [{"event": "x", "user_id": "u"}],
    "batch": [{"type": "track", "event": "x", "userId": "u"}],
}


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def away() -> Iterator[Any]:
    """Call it to take the database away; it comes back by itself."""
    port = connection.settings_dict["PORT"]

    def leave() -> None:
        connection.close()
        connection.settings_dict["PORT"] = 1

    yield leave
    connection.close()
    connection.settings_dict["PORT"] = port


def assert_to_be_repeated(answer: Any) -> None:
    assert error_of(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_a_known_key_gets_a_503(acme: Tenant, away: Any, path: str) -> None:
    key = raw_key(acme)
    assert send(path, basic(key), BODY).status_code == 200
    away()
    assert_to_be_repeated(send(path, basic(key), BODY))


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_a_key_that_cannot_be_looked_up_gets_a_503(acme: Tenant, away: Any, path: str) -> None:
    key = raw_key(acme)
    keys._cache.clear()
    away()
    assert_to_be_repeated(send(path, basic(key), BODY))
    assert_to_be_repeated(send(SEGMENT, {}, {**BODY, "writeKey": key}))


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
@pytest.mark.parametrize("in_body", [False, True])
def test_a_connection_that_dies_while_the_row_is_written_is_a_503(
    acme: Tenant, path: str, in_body: bool
) -> None:
    key = raw_key(acme)
    if in_body and path == EVENTS:
        path = "/v1/batch/"  # only the Segment door reads keys in bodies
    answers: list[Any] = []

    def post() -> None:
        try:
            body, headers = ({**BODY, "writeKey": key}, {}) if in_body else (BODY, basic(key))
            answers.append(send(path, headers, body))
        finally:
            connection.close()

    settings = connection.settings_dict
    other = psycopg2.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"],
        user=settings["USER"], password=settings["PASSWORD"],
    )  # fmt: skip
    with other, other.cursor() as cursor:
        # A share lock lets the request come as far as its insert and no farther.
        cursor.execute("SET LOCAL app.tenant_id = %s", [str(acme.pk)])
        cursor.execute("LOCK TABLE usage_inbox IN SHARE ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=post)
        thread.start()
        killed = 0
        while not killed and thread.is_alive():
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.02)")
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO usage_inbox%%'"
            )
            killed = cursor.fetchone()[0]
        thread.join()
    other.close()
    assert killed == 1
    assert_to_be_repeated(answers[0])
    assert waiting(acme) == 0
    assert send(path, basic(key), BODY).status_code == 200
    assert waiting(acme) == 1
