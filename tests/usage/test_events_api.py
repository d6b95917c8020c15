"""`POST events`, receipts and pushed values: the contract of the API's own door."""

from __future__ import annotations

import io
import time
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from accounts import api_limits, keys
from accounts.fence.scope import tenant_scope
from accounts.models import Account, ApiKey, Tenant
from tests.usage.sending import (
    EVENTS,
    JSON,
    SEGMENT,
    basic,
    bearer,
    error_of,
    raw_key,
    rows,
    send,
    stored_names,
    waiting,
)
from usage.drain import drain_tenant
from usage.models import Metric

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(acme: Tenant) -> dict[str, str]:
    return bearer(raw_key(acme))


def events(*ids: str) -> dict[str, Any]:
    return {"events": [{"event": "x", "account_id": "a", "user_id": "u", "event_id": one} for one in ids]}


def receipt(headers: dict[str, str], batch_id: str) -> Any:
    return Client().get(f"/api/v1/batches/{batch_id}", headers=headers)


def test_a_batch_is_accepted_item_by_item_and_then_stored(acme: Tenant, sender: dict[str, str]) -> None:
    body = events("1", "2")
    body["events"].insert(1, {"event": "", "account_id": "a"})
    answer = send(EVENTS, sender, body)
    assert answer.status_code == 200
    said = answer.json()
    assert sorted(said) == ["accepted", "batch_id", "rejected"]
    assert said["accepted"] == 2
    assert [(one["index"], one["code"]) for one in said["rejected"]] == [(1, "invalid_event")]
    assert sorted(said["rejected"][0]) == ["code", "index", "message"]
    assert receipt(sender, said["batch_id"]).json() == {
        "state": "received",
        "stored": 0,
        "duplicates": 0,
        "quarantined": 0,
        "unassigned": 0,
    }
    drain_tenant(acme)
    done = {"state": "done", "stored": 2, "duplicates": 0, "quarantined": 1, "unassigned": 0}
    assert receipt(sender, said["batch_id"]).json() == done
    assert receipt(sender, said["batch_id"]).json() == done
    assert stored_names(acme) == ["x", "x"]


def test_events_sent_again_are_duplicates_in_their_own_receipt(acme: Tenant, sender: dict[str, str]) -> None:
    first = send(EVENTS, sender, events("1", "2")).json()["batch_id"]
    again = send(EVENTS, sender, events("2", "3")).json()["batch_id"]
    drain_tenant(acme)
    third = send(EVENTS, sender, events("1", "2", "3")).json()["batch_id"]
    drain_tenant(acme)
    counted = [receipt(sender, batch).json() for batch in (first, again, third)]
    assert [(one["stored"], one["duplicates"]) for one in counted] == [(2, 0), (1, 1), (0, 3)]
    assert stored_names(acme) == ["x", "x", "x"]


def test_a_batch_without_events_has_a_receipt(acme: Tenant, sender: dict[str, str]) -> None:
    answer = send(EVENTS, sender, {"events": []})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    drain_tenant(acme)
    assert receipt(sender, answer.json()["batch_id"]).json()["state"] == "done"


def test_events_without_a_known_account_are_unassigned(acme: Tenant, sender: dict[str, str]) -> None:
    batch = send(EVENTS, sender, {"events": [{"event": "x", "user_id": "u"}]}).json()["batch_id"]
    drain_tenant(acme)
    found = receipt(sender, batch).json()
    assert (found["stored"], found["unassigned"]) == (1, 1)


def test_the_receipt_of_another_tenant_is_not_there(
    acme: Tenant, rival: Tenant, sender: dict[str, str]
) -> None:
    batch = send(EVENTS, sender, events("1")).json()["batch_id"]
    stranger = bearer(raw_key(rival))
    assert error_of(receipt(stranger, batch)) == (404, "not_found")
    drain_tenant(acme)
    assert error_of(receipt(stranger, batch)) == (404, "not_found")
    assert error_of(receipt(sender, str(uuid4()))) == (404, "not_found")
    assert receipt(sender, "not-an-id").status_code == 404


def test_an_idempotency_key_gets_the_first_batch_again(acme: Tenant, sender: dict[str, str]) -> None:
    headers = {**sender, "Idempotency-Key": "k"}
    first, again = send(EVENTS, headers, events("1")), send(EVENTS, headers, events("1"))
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert waiting(acme) == 1
    assert error_of(send(EVENTS, headers, events("2"))) == (422, "idempotency_key_reused")


def test_two_tenants_may_use_the_same_event_ids(acme: Tenant, rival: Tenant, sender: dict[str, str]) -> None:
    ids = [str(n) for n in range(100)]
    send(EVENTS, sender, events(*ids))
    send(EVENTS, bearer(raw_key(rival)), events(*ids))
    assert [drain_tenant(tenant).stored for tenant in (acme, rival)] == [100, 100]


def test_the_same_id_through_two_doors_is_two_events(acme: Tenant, sender: dict[str, str]) -> None:
    send(EVENTS, sender, events("1"))
    message = {"type": "track", "event": "x", "userId": "u", "messageId": "1"}
    send(SEGMENT, sender, {"batch": [message]})
    assert drain_tenant(acme).stored == 2


def test_batch_ids_rise_with_time(acme: Tenant, sender: dict[str, str]) -> None:
    ids = []
    for number in range(5):
        ids.append(UUID(send(EVENTS, sender, events(str(number))).json()["batch_id"]))
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_only_a_key_that_may_send_opens_the_door(acme: Tenant, path: str) -> None:
    body = {"events": [], "batch": []}
    reader, writer, sender = (raw_key(acme, scope) for scope in ("read", "write", "ingest"))
    assert send(path, bearer(sender), body).status_code == 200
    assert send(path, bearer(writer), body).status_code == 200
    assert send(path, basic(sender), body).status_code == 200
    assert error_of(send(path, bearer(reader), body)) == (403, "forbidden")
    for wrong in (
        {},
        bearer(sender[:-1]),
        bearer(sender + "x"),
        basic("csi_" + "0" * 12 + "_x"),
        {"Authorization": "x"},
    ):
        assert error_of(send(path, wrong, body)) == (401, "unauthenticated")


def test_a_sending_key_reads_receipts_and_nothing_else(acme: Tenant, sender: dict[str, str]) -> None:
    batch = send(EVENTS, sender, events("1")).json()["batch_id"]
    assert receipt(sender, batch).status_code == 200
    assert error_of(Client().get("/api/v1/accounts", headers=sender)) == (403, "forbidden")
    assert error_of(receipt(bearer(raw_key(acme, "read")), batch)) == (403, "forbidden")


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_a_revoked_key_is_refused_within_a_second(acme: Tenant, path: str) -> None:
    key, body = raw_key(acme), {"events": [], "batch": []}
    in_body = {**body, "writeKey": key}
    assert send(path, basic(key), body).status_code == 200
    ApiKey.objects.filter(tenant=acme).update(revoked_at=timezone.now())
    time.sleep(1.01)
    assert send(path, basic(key), body).status_code == 401
    assert send(SEGMENT, {}, in_body).status_code == 401


def test_one_request_too_many_is_a_429_here_and_a_503_for_segment_clients(
    acme: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        api_limits.time, "time", lambda: 1_800_000_020.0
    )  # 20 seconds into a minute, and it stays so
    settings.API_REQUESTS_PER_MINUTE = 1
    body, statuses = {"events": [], "batch": []}, {}
    for path in (EVENTS, SEGMENT):
        headers = basic(raw_key(acme))
        taken, refused = (send(path, headers, body) for _ in range(2))
        assert taken.status_code == 200 and taken.headers["RateLimit-Limit"] == "1"
        statuses[path] = error_of(refused)
        assert refused.headers["Retry-After"] == "40"
        assert refused.headers["RateLimit-Remaining"] == "0"
    assert statuses == {EVENTS: (429, "rate_limited"), SEGMENT: (503, "rate_limited")}


# ── transport ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_a_body_in_chunks_is_read(acme: Tenant, path: str) -> None:
    message = {"type": "track", "event": "x", "userId": "u"}
    body = orjson.dumps({"events": [{"event": "x", "user_id": "u"}], "batch": [message]})
    server = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": JSON}
    headers = basic(raw_key(acme))
    answer = Client().generic(
        "POST", path, b"", headers=headers, **server, **{"wsgi.input": io.BytesIO(body)}
    )
    assert answer.status_code == 200
    assert drain_tenant(acme).stored == 1
    endless = io.BytesIO(b" " * 20_000_000)
    answer = Client().generic("POST", path, b"", headers=headers, **server, **{"wsgi.input": endless})
    assert answer.status_code == 413
    assert endless.tell() < 6_000_000


def test_a_body_in_chunks_counts_for_its_idempotency_key(acme: Tenant, sender: dict[str, str]) -> None:
    server = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": JSON}
    headers = {**sender, "Idempotency-Key": "k"}

    def chunked(body: Any) -> Any:
        stream = {"wsgi.input": io.BytesIO(orjson.dumps(body))}
        return Client().generic("POST", EVENTS, b"", headers=headers, **server, **stream)

    assert chunked(events("1")).json() == chunked(events("1")).json()
    assert error_of(chunked(events("2"))) == (422, "idempotency_key_reused")


def test_the_door_is_open_to_pages_of_any_origin(acme: Tenant, sender: dict[str, str]) -> None:
    asked = Client().options(
        EVENTS, headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    sent = send(EVENTS, {**sender, "Origin": "https://app.example"}, events("1"))
    assert sent.headers["Access-Control-Allow-Origin"] == "https://app.example"
    refused = send(EVENTS, {"Origin": "https://app.example"}, events("1"))
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (
        401,
        "https://app.example",
    )


@pytest.mark.parametrize("path", [EVENTS, SEGMENT])
def test_events_skip_what_only_pages_need(acme: Tenant, path: str) -> None:
    for answer in (send(path, basic(raw_key(acme)), {"events": [], "batch": []}), send(path, {}, b"")):
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not answer.cookies
        assert "Content-Security-Policy" not in answer.headers
    assert "Content-Security-Policy" in Client().get("/api/v1/accounts").headers


def test_the_schema_describes_every_route_of_usage() -> None:
    paths = Client().get("/api/v1/schema").json()["paths"]
    assert {
        path: sorted(paths[path]) for path in paths if path.split("/")[3] in ("events", "batches", "metrics")
    } == {
        "/api/v1/events": ["post"],
        "/api/v1/batches/{batch_id}": ["get"],
        "/api/v1/metrics/bulk": ["post"],
    }
    body = paths["/api/v1/events"]["post"]["requestBody"]["content"][JSON]["schema"]
    assert body["properties"]["events"]["maxItems"] == 2000
    assert body["properties"]["events"]["items"]["required"] == ["event"]


def test_accepting_costs_the_same_queries_for_one_event_and_for_many(
    acme: Tenant, sender: dict[str, str], django_assert_num_queries: Any
) -> None:
    send(EVENTS, sender, events("0"))  # its use is noted
    for ids in (["1"], [str(n) for n in range(2, 500)]):
        keys._cache.clear()  # it lasts a second, which may end in between
        with django_assert_num_queries(6) as captured:
            send(EVENTS, sender, events(*ids))
        assert [one["sql"].split()[0] for one in captured.captured_queries] == [
            "SELECT", "SAVEPOINT", "SET", "INSERT", "SET", "RELEASE",
        ]  # fmt: skip


# ── pushed values ───────────────────────────────────────────────────────────────────────────────────────────────


def test_values_are_pushed_with_a_sending_key(acme: Tenant, sender: dict[str, str]) -> None:
    with tenant_scope(acme):
        Account.objects.create(external_id="a", name="A")
        Metric.objects.create(key="seats_used", name="Seats used", kind="pushed", slot=1)
    day = acme.today().isoformat()
    items: list[Any] = [
        {"account_id": "a", "metric": "seats_used", "day": day, "value": 7},
        {"account_id": "nobody", "metric": "seats_used", "day": day, "value": 7},
        {"account_id": "a", "metric": "nothing", "day": day, "value": 7},
        {"account_id": "a", "metric": "seats_used", "day": "tomorrow", "value": 7},
        {"account_id": "a", "metric": "seats_used", "day": day, "value": "seven"},
        "nonsense",
    ]
    said = send("/api/v1/metrics/bulk", sender, {"items": items}).json()
    assert (said["created"], said["updated"]) == (1, 0)
    assert [(one["index"], one["code"]) for one in said["rejected"]] == [
        (1, "unknown_account"), (2, "unknown_metric"), (3, "invalid"), (4, "invalid"), (5, "invalid"),
    ]  # fmt: skip
    again = send("/api/v1/metrics/bulk", sender, {"items": items[:1]}).json()
    assert (again["created"], again["updated"]) == (0, 1)
    assert rows(acme, 'SELECT "values"[1] FROM usage_day WHERE tenant_id = %(tenant)s') == [(7.0,)]


def test_a_push_of_another_shape_is_refused(acme: Tenant, sender: dict[str, str]) -> None:
    path = "/api/v1/metrics/bulk"
    assert error_of(send(path, sender, {"items": {}}))[0] == 400
    assert error_of(send(path, sender, {"items": [{}] * 1001})) == (400, "too_many_items")
    assert error_of(send(path, sender, b'{"items": [{"account_id": "\\u0000"}]}')) == (400, "invalid_text")
    assert error_of(send(path, bearer(raw_key(acme, "read")), {"items": []})) == (403, "forbidden")
