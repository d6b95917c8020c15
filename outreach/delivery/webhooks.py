"""Signed deliveries as Standard Webhooks 1.0 says: signature, schedule, 410, five days of failure."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from standardwebhooks.webhooks import Webhook

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role, Tenant
from accounts.outbox import Channel, LaneDown, Refused, Settle
from accounts.sealing import unseal
from accounts.services import record_audit, record_timeline
from outreach import http, notices, timeline
from outreach.models import Attempt, Delivery, Endpoint, Event

# The first attempt is at once; then after these seconds: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h.
SCHEDULE = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
JITTER = 0.1
DISABLE_AFTER = timedelta(days=5)
UNREACHABLE_PAUSE = timedelta(seconds=30)  # after an endpoint did not answer, the others in its lane wait
EXCERPT = 1000


class NotTaken(ConnectionError):
    """The endpoint answered something else than 2xx."""


@dataclass(frozen=True)
class _Call:
    """What is sent, read inside the scope."""

    delivery_id: int
    lane: str
    url: str
    body: bytes
    headers: dict[str, str]


def lane_of(endpoint_id: int) -> str:
    """What deliveries to one endpoint share in the outbox."""
    return f"webhook-{endpoint_id}"


def wait_after(attempts: int) -> float:
    """Seconds after the n-th attempt, a little more or less so that receivers do not get everything at once."""
    base = SCHEDULE[min(attempts, len(SCHEDULE)) - 1]
    return base * random.uniform(1 - JITTER, 1 + JITTER)


def body_of(event: Event) -> bytes:
    """The payload: type, time, data; the same bytes for every attempt."""
    said = {
        "type": event.type,
        "timestamp": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": event.data,
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def secrets_of(endpoint: Endpoint, now: datetime) -> list[str]:
    """The secrets that sign now: the newest first, the one before while both hold."""
    found = [unseal(endpoint.secret_sealed)]
    if endpoint.old_secret_sealed and endpoint.old_secret_until and endpoint.old_secret_until > now:
        found.append(unseal(endpoint.old_secret_sealed))
    return found


def headers_of(event: Event, endpoint: Endpoint, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers that a receiver verifies."""
    signatures = [
        Webhook(secret).sign(event.webhook_id, now.astimezone(UTC), body.decode())
        for secret in secrets_of(endpoint, now)
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": event.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def send_delivery(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> Settle | None:
    """Outbox handler: sign, post, write the attempt down; anything but 2xx is a failure."""
    with tenant_scope(tenant):
        call = _prepare(tenant, int(key))
    if call is None:
        return None
    at = timezone.now()
    try:
        answer = http.post(call.url, body=call.body, headers=call.headers)
    except (http.Forbidden, http.Unreachable) as error:
        spent = int((timezone.now() - at).total_seconds() * 1000)
        with tenant_scope(tenant):
            _note_attempt(tenant, call, at, spent, error=str(error))
        until = timezone.now() + UNREACHABLE_PAUSE
        raise LaneDown(str(error), lane=call.lane, until=until) from error
    with tenant_scope(tenant):
        _note_attempt(tenant, call, at, answer.milliseconds, status=answer.status, response=answer.excerpt)
        if answer.status == 410:
            _disable(tenant, call.delivery_id, Endpoint.Cause.GONE)
    if answer.status == 410:
        raise Refused("The receiver answered 410: it wants no more of these.")
    if not 200 <= answer.status < 300:
        raise NotTaken(f"The receiver answered {answer.status}.")
    return partial(_mark_delivered, tenant, call.delivery_id)


def _prepare(tenant: Tenant, pk: int) -> _Call | None:
    """What to send; None when the endpoint was paused, switched off or taken away meanwhile."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("endpoint", "event")
        .filter(tenant=tenant, pk=pk, state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return None
    endpoint, event, now = delivery.endpoint, delivery.event, timezone.now()
    if endpoint.state != Endpoint.State.ACTIVE:
        delivery.state, delivery.finished_at, delivery.next_at = Delivery.State.SKIPPED, now, None
        delivery.save(update_fields=["state", "finished_at", "next_at"])
        return None
    body = body_of(event)
    return _Call(
        delivery.pk, lane_of(endpoint.pk), endpoint.url, body, headers_of(event, endpoint, body, now)
    )


def _note_attempt(
    tenant: Tenant,
    call: _Call,
    at: datetime,
    milliseconds: int,
    *,
    status: int | None = None,
    response: str = "",
    error: str = "",
) -> None:
    """One line of the log; the delivery and the endpoint remember the newest answer."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("endpoint")
        .filter(tenant=tenant, pk=call.delivery_id)
        .first()
    )
    if delivery is None:
        return
    Attempt.objects.create(
        tenant=tenant,
        delivery=delivery,
        at=at,
        milliseconds=milliseconds,
        status=status,
        request=call.body.decode()[:EXCERPT],
        response=response[:EXCERPT],
        error=error[:300],
    )
    delivery.attempts, delivery.status = delivery.attempts + 1, status
    delivery.save(update_fields=["attempts", "status"])
    went_well = status is not None and 200 <= status < 300
    if went_well:
        Endpoint.objects.filter(tenant=tenant, pk=delivery.endpoint_id).update(
            failing_since=None, last_success_at=at
        )
        return
    Endpoint.objects.filter(tenant=tenant, pk=delivery.endpoint_id, failing_since=None).update(
        failing_since=at
    )
    since = delivery.endpoint.failing_since
    if since is not None and at - since >= DISABLE_AFTER:
        _disable(tenant, delivery.pk, Endpoint.Cause.FAILING)


def _disable(tenant: Tenant, delivery_id: int, cause: str) -> None:
    """Switch the endpoint off and tell the admins, once."""
    from outreach.services.notifying import notify_members

    endpoint = (
        Endpoint.objects.select_for_update()
        .filter(tenant=tenant, deliveries=delivery_id, state=Endpoint.State.ACTIVE)
        .first()
    )
    if endpoint is None:
        return
    endpoint.state, endpoint.cause = Endpoint.State.DISABLED, cause
    endpoint.save(update_fields=["state", "cause"])
    record_audit(
        tenant=tenant,
        actor=None,
        action="webhook.disabled",
        target=endpoint.url[:200],
        after={"cause": cause},
    )
    admins = Membership.objects.filter(tenant=tenant, role=Role.ADMIN, is_active=True).select_related("user")
    with override(tenant.language):
        notify_members(
            tenant=tenant,
            members=list(admins),
            kind=notices.WEBHOOK_OFF,
            title=_("The webhook %(name)s was switched off") % {"name": str(endpoint)[:120]},
            body=str(endpoint.get_cause_display()),
            url=f"/webhooks/{endpoint.pk}/",
            dedupe_key=f"webhook-off-{endpoint.pk}-{timezone.now():%Y%m%d%H%M%S}",
            email=True,
        )


def _mark_delivered(tenant: Tenant, pk: int) -> None:
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("event", "endpoint")
        .filter(tenant=tenant, pk=pk)
        .first()
    )
    if delivery is None or delivery.state == Delivery.State.DELIVERED:
        return
    delivery.state, delivery.finished_at, delivery.next_at = Delivery.State.DELIVERED, timezone.now(), None
    delivery.save(update_fields=["state", "finished_at", "next_at"])
    _tell(tenant, delivery, timeline.WEBHOOK_SENT)


def note_failure(
    tenant: Tenant, key: str, payload: Mapping[str, Any], error: str, next_at: datetime | None
) -> None:
    """An attempt failed: when the next one is, or that there is none."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("event", "endpoint")
        .filter(tenant=tenant, pk=int(key), state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return
    delivery.next_at = next_at
    if next_at is None:
        delivery.state, delivery.finished_at = Delivery.State.FAILED, timezone.now()
        _tell(tenant, delivery, timeline.WEBHOOK_FAILED)
    delivery.save(update_fields=["next_at", "state", "finished_at"])


def _tell(tenant: Tenant, delivery: Delivery, kind: str) -> None:
    if delivery.event.account_id is None:
        return
    record_timeline(
        tenant=tenant,
        account_id=delivery.event.account_id,
        kind=kind,
        at=timezone.now(),
        title=f"{delivery.event.type} → {delivery.endpoint}",
        data={"delivery": delivery.pk},
    )


CHANNEL = Channel(
    send_delivery, waits=tuple(float(seconds) for seconds in SCHEDULE), wait=wait_after, failed=note_failure
)
