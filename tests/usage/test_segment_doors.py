"""`/v1/*`: what unmodified clients send, and the answers that keep them from dropping or repeating it."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Tenant
from tests.usage.sending import SEGMENT, basic, error_of, raw_key, rows, send, stored_names, waiting
from usage.drain import drain_tenant
from usage.ingest_urls import CALLS

pytestmark = pytest.mark.django_db
ORIGIN = "https://app.example"
TRACK = {"type": "track", "event": "x", "userId": "u", "messageId": "m1"}
SINGLE: dict[str, dict[str, Any]] = {
    "track": {"event": "Report Exported", "userId": "u1"},
    "identify": {"userId": "u1", "traits": {"email": "u1@acme.example", "name": "Una"}},
    "group": {"userId": "u1", "groupId": "g1", "traits": {"name": "Group One"}},
    "page": {"userId": "u1", "name": "Pricing"},
    "screen": {"userId": "u1", "name": "Home"},
    "alias": {"userId": "u1", "previousId": "anon"},
    "batch": {"batch": [TRACK]},
}


@pytest.fixture
def key(acme: Tenant) -> str:
    return raw_key(acme)


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_call_is_taken_under_both_names_and_slash_forms(acme: Tenant, key: str, slash: str) -> None:
    for name, call in CALLS.items():
        answer = send(f"/v1/{name}{slash}", basic(key), SINGLE[call])
        assert (name, answer.status_code, answer.json()) == (name, 200, {"success": True})
    assert waiting(acme) == len(CALLS)
    result = drain_tenant(acme)
    assert (result.quarantined, result.failed) == (0, False)
    assert set(stored_names(acme)) == {"Report Exported", "Page Viewed", "Screen Viewed", "x"}
    with tenant_scope(acme):
        assert Account.objects.values_list("external_id", "name").get() == ("g1", "Group One")
        una = Contact.objects.get(user_id="u1")
        assert (una.email, una.name, una.account.external_id) == ("u1@acme.example", "Una", "g1")


def test_the_key_may_stand_in_the_body_as_browsers_send_it(acme: Tenant, key: str) -> None:
    batch = {"writeKey": key, "batch": [TRACK], "sentAt": "2026-01-05T10:00:00Z"}
    assert send("/v1/b", {}, batch, content_type="text/plain").status_code == 200
    # A token that is none of ours, as with Segment's OAuth, leaves the word to the body.
    assert (
        send(
            "/v1/t", {"Authorization": "Bearer token"}, {**TRACK, "writeKey": key, "messageId": "m2"}
        ).status_code
        == 200
    )
    assert drain_tenant(acme).stored == 2


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"writeKey": ""},
        {"writeKey": 5},
        {"writeKey": None},
        {"writeKey": "csi_x_y"},
        {"writeKey": "é" * 300},
    ],
)
def test_a_body_without_a_valid_key_is_a_401(acme: Tenant, written: dict[str, Any]) -> None:
    assert error_of(send(SEGMENT, {}, {"batch": [TRACK], **written})) == (401, "unauthenticated")
    assert waiting(acme) == 0


def test_a_key_in_the_body_must_be_one_that_may_send(acme: Tenant) -> None:
    body = {"batch": [TRACK], "writeKey": raw_key(acme, "read")}
    assert error_of(send(SEGMENT, {}, body)) == (403, "forbidden")
    assert waiting(acme) == 0


def test_the_library_s_own_figures_are_thanked_for_and_dropped(acme: Tenant) -> None:
    assert send("/v1/m", {}, {"series": [{"type": "Counter"}]}, content_type="text/plain").json() == {
        "success": True
    }
    assert waiting(acme) == 0


def test_nothing_is_redirected_and_other_methods_are_refused(key: str) -> None:
    client = Client()
    for path in ("/v1/batch", "/v1/batch/", "/v1/m", "/v1/m/", "/v1/t", "/v1/t/"):
        answer = client.get(path, headers=basic(key))
        assert error_of(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST, OPTIONS"
    for path in ("/v1/nothing", "/v1/", "/v1/batch/more"):
        assert error_of(send(path, basic(key), {"batch": []})) == (404, "not_found")


def test_a_browser_may_ask_before_it_sends(key: str) -> None:
    for name in [*CALLS, "m", f"projects/{key}/settings"]:
        for slash in ("", "/"):
            answer = Client().options(
                f"/v1/{name}{slash}",
                headers={"Origin": ORIGIN, "Access-Control-Request-Headers": "authorization,content-type"},
            )
            assert (name, answer.status_code, answer.content) == (name, 200, b"")
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert int(answer.headers["Access-Control-Max-Age"]) > 0
            allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
            assert {"authorization", "content-type", "x-retry-count"} <= allowed
            assert answer.headers["Vary"] == "Origin"


def test_a_browser_may_read_every_answer(acme: Tenant, key: str) -> None:
    origin = {"Origin": ORIGIN}
    answers = [
        send(SEGMENT, basic(key) | origin, {"batch": [TRACK]}),
        send(SEGMENT, basic(key) | origin, b"nonsense"),
        send(SEGMENT, origin, {"batch": []}),
        send(SEGMENT, basic(raw_key(acme, "read")) | origin, {"batch": []}),
    ]
    assert [one.status_code for one in answers] == [200, 400, 401, 403]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert "Access-Control-Allow-Origin" not in send(SEGMENT, basic(key), {"batch": []}).headers


def test_the_browser_library_is_told_to_send_here(acme: Tenant, key: str) -> None:
    answer = Client(headers={"Host": "cs.example"}).get(
        f"/v1/projects/{key}/settings", headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    said = answer.json()
    assert said["integrations"] == {
        "Segment.io": {"apiKey": key, "apiHost": "cs.example/v1", "protocol": "http"}
    }
    assert said["plan"] == {"track": {"__default": {"enabled": True}}}
    for wrong in ("nothing", raw_key(acme, "read")):
        assert Client().get(f"/v1/projects/{wrong}/settings").status_code == 404


def test_an_oversized_message_waits_in_the_quarantine_and_the_sender_hears_200(
    acme: Tenant, key: str
) -> None:
    large = {**TRACK, "messageId": "m2", "properties": {"pad": "x" * 40_000}}
    assert send(SEGMENT, basic(key), {"batch": [large, TRACK]}).json() == {"success": True}
    drain_tenant(acme)
    assert stored_names(acme) == ["x"]
    assert rows(acme, "SELECT code FROM usage_quarantine WHERE tenant_id = %(tenant)s") == [("too_large",)]


def test_recorded_requests_of_the_python_library_replay(acme: Tenant, key: str, shared_data: Path) -> None:
    recorded = [
        json.loads(line)
        for line in (shared_data / "wire-fixtures" / "py_segment.jsonl").read_text().splitlines()
    ]
    sent: list[dict[str, Any]] = []
    for _ in range(2):  # the second time everything is known
        for request in recorded:
            body = b64decode(request["body_b64"])
            answer = send(request["target"], basic(key), body, request["headers"]["content-type"])
            assert (answer.status_code, answer.json()) == (200, {"success": True})
            sent += json.loads(body)["batch"]
        drain_tenant(acme)
    messages = {one["messageId"]: one for one in sent}
    usage = sorted(one["event"] for one in messages.values() if one["type"] == "track")
    pages = [{"page": "Page Viewed", "screen": "Screen Viewed"}[one["type"]] for one in messages.values()
             if one["type"] in ("page", "screen")]  # fmt: skip
    assert stored_names(acme) == sorted(usage + pages)
    [(stored, duplicates, quarantined)] = rows(
        acme,
        "SELECT sum(stored), sum(duplicates), sum(quarantined) FROM usage_batch WHERE tenant_id = %(tenant)s",
    )
    assert (stored, duplicates, quarantined) == (len(messages), len(sent) - len(messages), 0)
    groups = {one["groupId"]: one["traits"]["name"] for one in messages.values() if one["type"] == "group"}
    with tenant_scope(acme):
        assert dict(Account.objects.values_list("external_id", "name")) == groups
