"""What every API view does: keys and scopes, one error shape, rate limit, cursors, the schema."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from accounts import api_limits, keys
from accounts.fence.scope import tenant_scope
from accounts.models import Account, ApiKey, ApiKeyUse, Tenant
from tests.accounts.conftest import JSON, error_of, key_of, put

pytestmark = pytest.mark.django_db

# ── accounts, one by one ────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_is_put_and_read(acme: Tenant, client: Client, writer: dict[str, str]) -> None:
    made = put(client, writer, {"name": "Alpha", "seats": 3})
    assert made.status_code == 201
    assert put(client, writer, {"seats": 4}).status_code == 200
    read = client.get("/api/v1/accounts/a", headers=writer)
    assert read.status_code == 200
    body = read.json()
    assert {
        key: body[key]
        for key in ("external_id", "name", "seats", "owner_email", "parent_id", "tags", "custom")
    } == {
        "external_id": "a",
        "name": "Alpha",
        "seats": 4,
        "owner_email": None,
        "parent_id": None,
        "tags": [],
        "custom": {},
    }


def test_what_was_read_can_be_put_back(
    acme: Tenant, client: Client, writer: dict[str, str], carl: Any
) -> None:
    put(client, writer, {}, "p")
    put(
        client,
        writer,
        {
            "name": "A",
            "owner_email": "carl@acme.example",
            "parent_id": "p",
            "tags": ["x"],
            "go_live_on": "2026-01-01",
        },
    )
    body = client.get("/api/v1/accounts/a", headers=writer).json()
    again = {
        key: value for key, value in body.items() if key not in ("first_seen_on", "created_at", "updated_at")
    }
    assert put(client, writer, again).json() == body


def test_each_fault_of_a_put_has_its_path(client: Client, writer: dict[str, str]) -> None:
    answer = put(client, writer, {"seats": "x", "stage": 1.5, "external_id": "a"})
    assert error_of(answer) == (400, "invalid")
    assert answer.json()["error"]["details"] == [
        {"path": "seats", "message": "must be a whole number"},
        {"path": "stage", "message": "must be text"},
    ]
    assert error_of(put(client, writer, {"external_id": "b"})) == (400, "invalid")


def test_accounts_come_in_pages(acme: Tenant, client: Client, writer: dict[str, str]) -> None:
    with tenant_scope(acme):
        for number in range(5):
            Account.objects.create(
                external_id=f"a{number}", name="x", segment="even" if number % 2 == 0 else "odd"
            )
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = client.get(
            "/api/v1/accounts", {"limit": "2", **({"cursor": cursor} if cursor else {})}, headers=writer
        ).json()
        seen += [row["external_id"] for row in page["results"]]
        cursor, pages = page["next"], pages + 1
    assert (seen, pages) == (["a0", "a1", "a2", "a3", "a4"], 3)
    odd = client.get("/api/v1/accounts", {"segment": "odd"}, headers=writer).json()
    assert [row["external_id"] for row in odd["results"]] == ["a1", "a3"]


@pytest.mark.parametrize("limit", [1, 3])
def test_a_page_of_accounts_is_one_query(
    acme: Tenant, client: Client, writer: dict[str, str], django_assert_num_queries: Any, limit: int
) -> None:
    with tenant_scope(acme):
        for number in range(limit):
            Account.objects.create(external_id=f"a{number}", name="x")
    client.get("/api/v1/accounts", headers=writer)  # notes the key's use and fills its cache
    keys._cache.clear()  # it lasts a second
    with django_assert_num_queries(6):  # the key, savepoint, SET LOCAL, the page, SET LOCAL, release
        client.get("/api/v1/accounts", headers=writer)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=²",
        "cursor=%25",
        "cursor=WzFd",
        "cursor=bnVsbA",
        "segment=%00",
    ],
)
def test_wrong_parameters_are_refused(client: Client, writer: dict[str, str], query: str) -> None:
    assert client.get(f"/api/v1/accounts?{query}", headers=writer).status_code == 400


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_error_has_the_one_shape(acme: Tenant, client: Client, writer: dict[str, str]) -> None:
    reader = key_of(acme, "read")
    assert error_of(client.get("/api/v1/accounts")) == (401, "unauthenticated")
    assert client.get("/api/v1/accounts").headers["WWW-Authenticate"] == "Bearer"
    assert error_of(client.get("/api/v1/accounts", headers={"Authorization": "Bearer csw_x_y"})) == (
        401,
        "unauthenticated",
    )
    assert error_of(put(client, reader)) == (403, "forbidden")
    assert error_of(client.get("/api/v1/accounts/none", headers=reader)) == (404, "not_found")
    assert error_of(client.get("/api/v1/nothing/here", headers=reader)) == (404, "not_found")
    assert error_of(client.delete("/api/v1/accounts/a", headers=writer)) == (405, "method_not_allowed")
    big = b'{"name": "' + b"x" * (5 * 1024 * 1024) + b'"}'
    assert error_of(client.put("/api/v1/accounts/a", big, content_type=JSON, headers=writer)) == (
        413,
        "too_large",
    )
    with_key = {**writer, "Idempotency-Key": "k"}
    assert error_of(
        client.put("/api/v1/accounts/a", big + b" " * 1024 * 1024, content_type=JSON, headers=with_key)
    ) == (
        413,
        "too_large",
    )
    assert error_of(client.get("/api/v1/accounts", headers={**writer, "Accept": "text/csv"})) == (
        406,
        "not_acceptable",
    )


HOSTILE = [
    b'{"name": "a\\u0000b"}',
    b'{"a\\u0000": 1}',
    b'{"name": "\\ud800"}',
    b'{"custom": {"x": 1e400}}',
    b'{"custom": NaN}',
    b'{"custom": ' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}",
    b"[" * 100_000,
    b"\xff\xfe",
    b"nul",
    b"[]",
    b'"x"',
    b"3",
    b'{"seats": ' + b"9" * 5000 + b"}",
    b'{"custom": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"name": {"a": 1}}',
    b'{"go_live_on": "0000-01-01"}',
    b'{"tags": [null]}',
    b'{"owner_email": ["x"]}',
    b'{"targets": {"a": -1}}',
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_are_refused_and_change_nothing(
    acme: Tenant, client: Client, writer: dict[str, str], body: bytes
) -> None:
    answer = client.put("/api/v1/accounts/a", body, content_type=JSON, headers=writer)
    assert error_of(answer)[0] == 400
    bulk = client.post(
        "/api/v1/accounts/bulk",
        b'{"items": [{"external_id": "good"}, ' + body + b"]}",
        content_type=JSON,
        headers=writer,
    )
    assert bulk.status_code in (200, 400)
    with tenant_scope(acme):
        assert set(Account.objects.values_list("external_id", flat=True)) <= {"good"}


@pytest.mark.parametrize(
    "body", [b'{"custom": {"__proto__": {"x": 1}}}', b'{"name": "A", "name": "B"}', b'{"seats": 5.0}']
)
def test_odd_but_storable_bodies_are_taken(client: Client, writer: dict[str, str], body: bytes) -> None:
    answer = client.put("/api/v1/accounts/a", body, content_type="text/plain", headers=writer)
    assert answer.status_code == 201


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_scope_opens_what_it_names(acme: Tenant, client: Client) -> None:
    statuses = {
        scope: (
            client.get("/api/v1/accounts", headers=(header := key_of(acme, scope))).status_code,
            put(client, header).status_code,
        )
        for scope in ("ingest", "read", "write")
    }
    assert statuses == {"ingest": (403, 403), "read": (200, 403), "write": (200, 201)}


def test_a_revoked_or_expired_key_is_refused_within_a_second(
    acme: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for change in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}):
        headers = key_of(acme)
        assert client.get("/api/v1/accounts", headers=headers).status_code == 200
        ApiKey.objects.filter(revoked_at=None, expires_at=None).update(**change)
        later = keys.time.monotonic() + 1.01
        with monkeypatch.context() as clock:
            clock.setattr(keys.time, "monotonic", lambda later=later: later)
            assert client.get("/api/v1/accounts", headers=headers).status_code == 401


def test_the_last_use_of_a_key_is_noted(acme: Tenant, client: Client) -> None:
    client.get("/api/v1/accounts", headers=key_of(acme))
    with tenant_scope(acme):
        assert timezone.now() - ApiKeyUse.objects.get().last_used_at < timedelta(minutes=1)


# ── rate limit ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_request_too_many_is_a_429_for_this_key_only(
    acme: Tenant, client: Client, writer: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    monkeypatch.setattr(
        api_limits.time, "time", lambda: 1_800_000_020.0
    )  # 20 seconds into a minute, and it stays so
    other = key_of(acme)
    answers = [client.get("/api/v1/accounts", headers=writer) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"2"}
    assert error_of(answers[2]) == (429, "rate_limited")
    assert answers[2].headers["Retry-After"] == answers[2].headers["RateLimit-Reset"] == "40"
    assert client.get("/api/v1/accounts", headers=other).status_code == 200


def test_without_redis_requests_are_answered_and_not_counted(
    client: Client, writer: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(api_limits, "_client", None)
    monkeypatch.setattr(api_limits, "_resting_until", 0.0)
    answers = [client.get("/api/v1/accounts", headers=writer) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "RateLimit-Limit" not in answers[0].headers
    monkeypatch.setattr(api_limits, "_client", None)


def test_the_first_requests_of_a_process_are_counted_with_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread made its own once, and the ones dropped closed the connections under the others."""
    made = []

    class Slow(redis.Redis):
        @classmethod
        def from_url(cls, url: str, **options: Any) -> redis.Redis:
            time.sleep(0.05)
            made.append(redis.Redis.from_url(url, **options))
            return made[-1]

    monkeypatch.setattr(api_limits, "_client", None)
    monkeypatch.setattr(api_limits, "_resting_until", 0.0)
    monkeypatch.setattr(api_limits, "redis", SimpleNamespace(Redis=Slow, RedisError=redis.RedisError))
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda _: api_limits.count_request("first", limit=1_000_000), range(8)))
    assert len(made) == 1
    assert all(allowance is not None for allowance in counted)


# ── schema and documentation ────────────────────────────────────────────────────────────────────────────────────


def test_the_reference_shows_every_operation_of_the_schema_under_the_policy(client: Client) -> None:
    described = client.get("/api/v1/schema").json()
    index = client.get("/api/docs/")
    assert (index.status_code, "unsafe-inline" in index.headers["Content-Security-Policy"]) == (200, False)
    shown = index.content.decode()
    for path, methods in described["paths"].items():
        for one in methods.values():
            assert f"/api/docs/{one['tags'][0]}/#{one['operationId']}" in shown, path
    events = client.get("/api/docs/events/", headers={"accept-language": "es"}).content.decode()
    assert "POST" in events and "<code>events[].account_id</code>" in events and "Parámetros" in events
    assert "as it is sent" not in events and "curl -X POST &quot;" in events
    assert client.get("/api/docs/nothing/").status_code == 404
    assert client.post("/api/docs/").status_code == 405


def test_the_schema_is_openapi_3_1(client: Client) -> None:
    schema = client.get("/api/v1/schema").json()
    assert schema["openapi"].startswith("3.1")
    operation = schema["paths"]["/api/v1/accounts/bulk"]["post"]
    item = operation["requestBody"]["content"][JSON]["schema"]["properties"]["items"]["items"]
    assert item["required"] == ["external_id"]
    assert operation["security"] == [{"key": []}]
