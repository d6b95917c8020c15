"""Webhooks and their log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Tenant
from outreach.models import Attempt, Delivery, Endpoint
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor


def endpoints(tenant: Tenant) -> list[Endpoint]:
    """Every endpoint, the oldest first."""
    return list(Endpoint.objects.filter(tenant=tenant).order_by("pk"))


def endpoint(tenant: Tenant, pk: int) -> Endpoint | None:
    """One endpoint."""
    return Endpoint.objects.filter(tenant=tenant, pk=pk).select_related("created_by__user").first()


def read_state(parameters: Mapping[str, str]) -> str:
    """The state that the log is narrowed to."""
    state = parameters.get("state", "")
    return state if state in Delivery.State.values else ""


@dataclass(frozen=True)
class DeliveryPage:
    """A page of an endpoint's log."""

    rows: list[Delivery]
    total: int
    next_cursor: Cursor | None


def delivery_page(
    tenant: Tenant, endpoint_id: int, state: str, *, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> DeliveryPage:
    """Deliveries to an endpoint, newest first. Two queries."""
    found = Delivery.objects.filter(tenant=tenant, endpoint=endpoint_id)
    if state:
        found = found.filter(state=state)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found.select_related("event__account").order_by("-pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    return DeliveryPage(rows, total, Cursor(None, rows[-1].pk) if more else None)


def delivery(tenant: Tenant, pk: int) -> Delivery | None:
    """One delivery."""
    return Delivery.objects.filter(tenant=tenant, pk=pk).select_related("endpoint", "event__account").first()


def attempts(tenant: Tenant, delivery_id: int) -> list[Attempt]:
    """What was tried, newest first."""
    return list(Attempt.objects.filter(tenant=tenant, delivery=delivery_id).order_by("-pk")[:50])
