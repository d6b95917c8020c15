"""Ways to call the API as acme's writer and to see what was stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import (
    Account,
    Tenant,
)

Post = Callable[..., Any]
JSON = "application/json"


@pytest.fixture
def post(acme: Tenant, client: Client) -> Post:
    """Send a bulk as acme's writer and give the answer's JSON."""
    _key, raw = make_key(tenant=acme, name="test", scope="write")

    def send(resource: str, *items: Any, status: int = 200) -> Any:
        answer = client.post(
            f"/api/v1/{resource}/bulk",
            {"items": list(items)},
            content_type="application/json",
            headers={"Authorization": f"Bearer {raw}"},
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    return send


def accounts(tenant: Tenant, *fields: str) -> list[Any]:
    with tenant_scope(tenant):
        return list(Account.objects.order_by("external_id").values_list(*fields))


def key_of(tenant: Tenant, scope: str = "write") -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(tenant=tenant, name='test', scope=scope)[1]}"}


@pytest.fixture
def writer(acme: Tenant) -> dict[str, str]:
    return key_of(acme)


def put(client: Client, headers: dict[str, str], body: Any = None, external_id: str = "a") -> Any:
    return client.put(
        f"/api/v1/accounts/{external_id}", orjson.dumps(body or {}), content_type=JSON, headers=headers
    )


def error_of(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert list(body) == ["error"]
    assert sorted(body["error"]) == ["code", "details", "message"]
    return answer.status_code, body["error"]["code"]
