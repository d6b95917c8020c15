"""Events for other systems: written down with a delivery for each endpoint that asked for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import Account, Outbox, Tenant
from outreach.delivery import WEBHOOK
from outreach.delivery.webhooks import lane_of
from outreach.events import is_known
from outreach.keys import short_key
from outreach.models import Delivery, Endpoint, Event


def publish_event(
    *,
    tenant: Tenant,
    event_type: str,
    data: Mapping[str, Any],
    account: Account | None = None,
    dedupe_key: str,
) -> int:
    """Tell every endpoint that asked for this kind, once per key; returns to how many it goes.

    Raises ValueError for a kind that nobody registered. An endpoint that is paused gets a delivery that can be replayed.
    """
    if not is_known(event_type):
        raise ValueError(
            f"{event_type!r} is no registered event type; see outreach.events.register_event_type."
        )
    wanted = [
        endpoint
        for endpoint in Endpoint.objects.filter(tenant=tenant).exclude(state=Endpoint.State.DISABLED)
        if not endpoint.event_types or event_type in endpoint.event_types
    ]
    if not wanted:
        return 0
    key = short_key(dedupe_key)
    made = Event.objects.bulk_create(
        [
            Event(
                tenant=tenant,
                type=event_type,
                data=dict(data),
                account=account,
                dedupe_key=key,
                at=timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )
    event = Event.objects.get(tenant=tenant, type=event_type, dedupe_key=key)
    if event.uid != made[0].uid:  # it was published before
        return 0
    return deliver(tenant=tenant, event=event, endpoints=wanted)


def deliver(*, tenant: Tenant, event: Event, endpoints: list[Endpoint]) -> int:
    """A delivery for each endpoint; those of active ones go into the outbox."""
    now = timezone.now()
    rows = Delivery.objects.bulk_create(
        [
            Delivery(
                tenant=tenant,
                endpoint=endpoint,
                event=event,
                created_at=now,
                state=Delivery.State.WAITING
                if endpoint.state == Endpoint.State.ACTIVE
                else Delivery.State.SKIPPED,
                next_at=now if endpoint.state == Endpoint.State.ACTIVE else None,
            )
            for endpoint in endpoints
        ]
    )
    waiting = [row for row in rows if row.state == Delivery.State.WAITING]
    queue_deliveries(tenant, waiting, now)
    return len(waiting)


def queue_deliveries(tenant: Tenant, rows: Iterable[Delivery], now: datetime) -> None:
    """Put deliveries into the outbox, due now; one that stands there already stays as it is."""
    Outbox.objects.bulk_create(
        (
            Outbox(
                tenant=tenant,
                kind=WEBHOOK,
                key=str(row.pk),
                payload={},
                lane=lane_of(row.endpoint_id),
                next_at=now,
            )
            for row in rows
        ),
        ignore_conflicts=True,
    )
