"""What the tests of usage share: a tenant with metrics, and a short way from items to rollups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from usage.drain import TurnResult, drain_tenant
from usage.inbox import accept
from usage.services import accept_rows, install_starter_metrics
from usage.wire import api, segment

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
Send = Callable[..., TurnResult]


@pytest.fixture
def shop(acme: Tenant) -> Tenant:
    """Acme with the starter metrics, in New York."""
    acme.timezone = "America/New_York"
    acme.save()
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
    return acme


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    """An item of `POST events`."""
    return {
        "event": "Message Sent",
        "account_id": "a1",
        "user_id": "u1",
        "occurred_at": "2026-03-16T15:00:00Z",
        "event_id": f"e{number}",
    } | fields


def send(
    tenant: Tenant, items: Iterable[dict[str, Any]], *, at: datetime = NOW, source: str = "api"
) -> TurnResult:
    """Post events and drain them."""
    post(tenant, items, at=at, source=source)
    return drain_tenant(tenant)


def post(tenant: Tenant, items: Iterable[dict[str, Any]], *, at: datetime = NOW, source: str = "api") -> None:
    """Post events; they wait in the inbox."""
    with tenant_scope(tenant):
        gated = api.gate(msgspec.json.encode({"events": list(items)}), at)
        accept(tenant_id=tenant.pk, door="api", source=source, gated=gated, received_at=at)


def call(tenant: Tenant, *messages: dict[str, Any], at: datetime = NOW) -> TurnResult:
    """Post a Segment batch and drain it."""
    with tenant_scope(tenant):
        gated = segment.gate(msgspec.json.encode({"batch": list(messages)}), at)
        accept(tenant_id=tenant.pk, door="segment", source="segment", gated=gated, received_at=at)
    return drain_tenant(tenant)


def bring(tenant: Tenant, rows: list[dict[str, Any]], source: str = "import") -> TurnResult:
    """Import rows and drain them."""
    with tenant_scope(tenant):
        accept_rows(tenant=tenant, source=source, rows=rows)
    return drain_tenant(tenant)


def select(tenant: Tenant, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows of a query inside the tenant's scope; `%s` of the tenant comes first."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(sql, [tenant.pk, *params])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def rollups(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the rollup tables, with names in place of ids."""
    account = (
        "(SELECT external_id FROM accounts_account a WHERE a.tenant_id = r.tenant_id AND a.id = r.account_id)"
    )
    contact = (
        "(SELECT user_id FROM accounts_contact c WHERE c.tenant_id = r.tenant_id AND c.id = r.contact_id)"
    )
    features = (
        "ARRAY(SELECT f.key::text FROM usage_feature f WHERE f.tenant_id = r.tenant_id "
        "AND f.id = ANY(r.features) ORDER BY 1)"
    )
    metric = "(SELECT key FROM usage_metric m WHERE m.tenant_id = r.tenant_id AND m.id = r.metric_id)"
    return {
        "days": select(
            tenant, f'SELECT {account}, day, "values" FROM usage_day r WHERE tenant_id = %s ORDER BY 1, 2'
        ),
        "users": select(
            tenant,
            f"SELECT {account}, day, {contact}, events, {features}, metrics FROM usage_user_day r "
            "WHERE tenant_id = %s ORDER BY 1, 2, 3 NULLS FIRST",
        ),
        "dimensions": select(
            tenant,
            f"SELECT {account}, day, {metric}, key, value FROM usage_dim_day r WHERE tenant_id = %s "
            "ORDER BY 1, 2, 3, 4",
        ),
    }


def value(tenant: Tenant, account: str, day: str, metric: str) -> float | None:
    """One number of the daily rollup."""
    rows = select(
        tenant,
        'SELECT d."values"[m.slot] FROM usage_day d JOIN usage_metric m ON m.tenant_id = d.tenant_id '
        "JOIN accounts_account a ON a.tenant_id = d.tenant_id AND a.id = d.account_id "
        "WHERE d.tenant_id = %s AND a.external_id = %s AND d.day = %s AND m.key = %s",
        account,
        day,
        metric,
    )
    return rows[0][0] if rows else None
