"""What the tests of the ingest doors share: keys, requests, and what the tables hold afterwards."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
from django.db import connection
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Tenant

JSON = "application/json"
EVENTS = "/api/v1/events"
SEGMENT = "/v1/batch"


def raw_key(tenant: Tenant, scope: str = "ingest") -> str:
    return make_key(tenant=tenant, name="test", scope=scope)[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


def send(path: str, headers: dict[str, str], body: Any, content_type: str = JSON) -> Any:
    """Post bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Client().post(path, data, content_type=content_type, headers=headers)


def error_of(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert list(body) == ["error"]
    assert sorted(body["error"]) == ["code", "details", "message"]
    return answer.status_code, body["error"]["code"]


def rows(tenant: Tenant, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a tenant; the statement names it by `%(tenant)s`."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": tenant.pk})
        return list(cursor.fetchall())


def stored_names(tenant: Tenant) -> list[str]:
    """Names of the stored events, sorted."""
    return [
        row[0]
        for row in rows(tenant, "SELECT name FROM usage_event WHERE tenant_id = %(tenant)s ORDER BY name")
    ]


def waiting(tenant: Tenant) -> int:
    """How many batches wait in the inbox."""
    return int(rows(tenant, "SELECT count(*) FROM usage_inbox WHERE tenant_id = %(tenant)s")[0][0])
