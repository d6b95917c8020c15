"""Idempotency-Key: the same request again has one effect and one answer."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import idempotency
from accounts.fence.scope import tenant_scope
from accounts.models import IdempotencyRecord, Tenant
from tests.accounts.conftest import JSON, error_of, key_of, put

pytestmark = pytest.mark.django_db


def bulk(client: Client, headers: dict[str, str], key: str, external_id: str = "a") -> Any:
    return client.post(
        "/api/v1/accounts/bulk",
        {"items": [{"external_id": external_id}]},
        content_type=JSON,
        headers={**headers, "Idempotency-Key": key},
    )


def test_the_same_request_again_gets_the_first_answer(client: Client, writer: dict[str, str]) -> None:
    first, again = bulk(client, writer, "k"), bulk(client, writer, "k")
    assert (first.json(), first.headers.get("Idempotency-Replayed")) == (
        {"created": 1, "updated": 0, "rejected": []},
        None,
    )
    assert (again.json(), again.headers.get("Idempotency-Replayed")) == (first.json(), "true")
    assert bulk(client, writer, "other").json()["updated"] == 1


def test_another_request_under_the_same_key_is_refused(client: Client, writer: dict[str, str]) -> None:
    bulk(client, writer, "k")
    assert error_of(bulk(client, writer, "k", "b")) == (422, "idempotency_key_reused")
    assert error_of(put(client, {**writer, "Idempotency-Key": "k"})) == (422, "idempotency_key_reused")


def test_keys_of_two_tenants_or_two_api_keys_do_not_meet(
    acme: Tenant, rival: Tenant, client: Client, writer: dict[str, str]
) -> None:
    assert bulk(client, writer, "k").json()["created"] == 1
    assert bulk(client, key_of(rival), "k", "b").json()["created"] == 1
    assert bulk(client, key_of(acme), "k", "c").json()["created"] == 1


def test_a_refused_request_may_be_tried_again_under_its_key(client: Client, writer: dict[str, str]) -> None:
    headers = {**writer, "Idempotency-Key": "k"}
    assert put(client, headers, {"seats": -1}).status_code == 400
    assert put(client, headers, {"seats": 1}).status_code == 201


def test_an_answer_is_kept_for_a_day(acme: Tenant, client: Client, writer: dict[str, str]) -> None:
    bulk(client, writer, "k")
    with tenant_scope(acme):
        IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert bulk(client, writer, "k", "b").json()["created"] == 1
    with tenant_scope(acme):
        assert IdempotencyRecord.objects.count() == 1
        IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert idempotency.forget_old_answers() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb"])
def test_an_unusable_key_is_named(client: Client, writer: dict[str, str], key: str) -> None:
    assert error_of(bulk(client, writer, key)) == (400, "invalid_idempotency_key")


def test_a_read_ignores_the_key(client: Client, writer: dict[str, str]) -> None:
    headers = {**writer, "Idempotency-Key": "k"}
    assert client.get("/api/v1/accounts", headers=headers).json()["results"] == []
    put(client, writer)
    assert len(client.get("/api/v1/accounts", headers=headers).json()["results"]) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_have_one_effect(acme: Tenant, writer: dict[str, str]) -> None:
    answers: list[Any] = []
    start = threading.Barrier(20)

    def send() -> None:
        start.wait()
        try:
            answers.append(bulk(Client(), writer, "k"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert len(statuses) == 20
    assert set(statuses) <= {200, 409}
    assert {answer.content for answer in answers if answer.status_code == 200} == {
        b'{"created":1,"updated":0,"rejected":[]}'
    }
    assert bulk(Client(), writer, "k").headers["Idempotency-Replayed"] == "true"


def test_a_crash_while_the_answer_is_kept_leaves_no_effect(
    acme: Tenant, client: Client, writer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(idempotency, "keep_answer", crash)
    client.raise_request_exception = False
    assert bulk(client, writer, "k").status_code == 500
    monkeypatch.undo()
    assert bulk(client, writer, "k").json()["created"] == 1
