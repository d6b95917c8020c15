"""Endpoints of other systems: adding, changing, secrets, sending again."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Outbox, Tenant
from accounts.sealing import seal
from accounts.services import record_audit
from outreach import http
from outreach.delivery import WEBHOOK
from outreach.events import TEST, is_known
from outreach.models import Delivery, Endpoint, Event
from outreach.services.publishing import deliver, queue_deliveries
from outreach.words import refusal

OVERLAP = timedelta(hours=24)  # both secrets sign for so long after a rotation
MOST_ENDPOINTS = 20
REPLAYS = 1000  # at once; more is said and asked for again


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def add_endpoint(
    *,
    tenant: Tenant,
    actor: Membership | None,
    url: str,
    description: str = "",
    event_types: Sequence[str] = (),
) -> tuple[Endpoint, str]:
    """Add an endpoint; the secret is given once and stored sealed."""
    if Endpoint.objects.filter(tenant=tenant).count() >= MOST_ENDPOINTS:
        raise ValidationError(_("There are %(most)s webhooks already.") % {"most": MOST_ENDPOINTS})
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        tenant=tenant,
        url=_checked(url),
        description=description[:200],
        event_types=_known(event_types),
        secret_sealed=seal(secret),
        created_by=actor,
    )
    _audit(tenant, actor, "webhook.added", endpoint, after=_said(endpoint))
    return endpoint, secret


def change_endpoint(
    *,
    tenant: Tenant,
    actor: Membership | None,
    endpoint_id: int,
    url: str,
    description: str,
    event_types: Sequence[str],
) -> Endpoint:
    """Change where it leads and what it is told; raises `Endpoint.DoesNotExist`."""
    endpoint = Endpoint.objects.select_for_update().get(tenant=tenant, pk=endpoint_id)
    before = _said(endpoint)
    endpoint.url, endpoint.description = _checked(url), description[:200]
    endpoint.event_types = _known(event_types)
    endpoint.save(update_fields=["url", "description", "event_types"])
    _audit(tenant, actor, "webhook.changed", endpoint, before=before, after=_said(endpoint))
    return endpoint


def switch_endpoint(*, tenant: Tenant, actor: Membership | None, endpoint_id: int, on: bool) -> Endpoint:
    """Pause it, or let it go on (also after it was switched off); raises `Endpoint.DoesNotExist`."""
    endpoint = Endpoint.objects.select_for_update().get(tenant=tenant, pk=endpoint_id)
    before = endpoint.state
    endpoint.state = Endpoint.State.ACTIVE if on else Endpoint.State.PAUSED
    endpoint.cause, endpoint.failing_since = "", None
    endpoint.save(update_fields=["state", "cause", "failing_since"])
    _audit(
        tenant,
        actor,
        "webhook.resumed" if on else "webhook.paused",
        endpoint,
        before={"state": before},
        after={"state": endpoint.state},
    )
    return endpoint


def remove_endpoint(*, tenant: Tenant, actor: Membership | None, endpoint_id: int) -> Endpoint:
    """Take it away with its log; raises `Endpoint.DoesNotExist`."""
    endpoint = Endpoint.objects.get(tenant=tenant, pk=endpoint_id)
    _audit(tenant, actor, "webhook.removed", endpoint, before=_said(endpoint))
    Endpoint.objects.filter(tenant=tenant, pk=endpoint_id).delete()
    return endpoint


def rotate_secret(*, tenant: Tenant, actor: Membership | None, endpoint_id: int) -> tuple[Endpoint, str]:
    """A new secret, given once; for 24 hours the one before signs too. Raises `Endpoint.DoesNotExist`."""
    endpoint = Endpoint.objects.select_for_update().get(tenant=tenant, pk=endpoint_id)
    secret = new_secret()
    endpoint.old_secret_sealed, endpoint.old_secret_until = endpoint.secret_sealed, timezone.now() + OVERLAP
    endpoint.secret_sealed = seal(secret)
    endpoint.save(update_fields=["secret_sealed", "old_secret_sealed", "old_secret_until"])
    _audit(tenant, actor, "webhook.secret_rotated", endpoint)
    return endpoint, secret


def send_test(*, tenant: Tenant, actor: Membership | None, endpoint_id: int) -> Delivery:
    """An event that says nothing, to this endpoint alone; raises `Endpoint.DoesNotExist`."""
    endpoint = Endpoint.objects.get(tenant=tenant, pk=endpoint_id)
    event = Event.objects.create(
        tenant=tenant,
        type=TEST,
        data={"tenant": tenant.slug, "sent_by": str(actor) if actor else ""},
        dedupe_key=str(uuid.uuid4()),
        at=timezone.now(),
    )
    deliver(tenant=tenant, event=event, endpoints=[endpoint])
    return Delivery.objects.get(tenant=tenant, event=event, endpoint=endpoint)


def replay_delivery(*, tenant: Tenant, actor: Membership | None, delivery_id: int) -> Delivery:
    """Send one again, with the same id; raises `Delivery.DoesNotExist`, and a ValidationError while it is on its way."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("endpoint")
        .get(tenant=tenant, pk=delivery_id)
    )
    if delivery.state == Delivery.State.WAITING:
        raise ValidationError(_("It is on its way already."))
    if delivery.endpoint.state != Endpoint.State.ACTIVE:
        raise ValidationError(_("Switch the webhook on first."))
    _queue(tenant, [delivery])
    _audit(tenant, actor, "webhook.replayed", delivery.endpoint, after={"delivery": delivery.pk})
    return delivery


def replay_failed(*, tenant: Tenant, actor: Membership | None, endpoint_id: int, since: datetime) -> int:
    """Send again what failed or was skipped since then, oldest first; returns how many. Raises as the others do."""
    endpoint = Endpoint.objects.get(tenant=tenant, pk=endpoint_id)
    if endpoint.state != Endpoint.State.ACTIVE:
        raise ValidationError(_("Switch the webhook on first."))
    rows = list(
        Delivery.objects.select_for_update()
        .filter(
            tenant=tenant,
            endpoint=endpoint,
            created_at__gte=since,
            state__in=[Delivery.State.FAILED, Delivery.State.SKIPPED],
        )
        .order_by("created_at", "id")[:REPLAYS]
    )
    _queue(tenant, rows)
    _audit(
        tenant, actor, "webhook.replayed", endpoint, after={"since": since.isoformat(), "count": len(rows)}
    )
    return len(rows)


def _queue(tenant: Tenant, rows: Sequence[Delivery]) -> None:
    """Back into the outbox, from the first attempt; the item of before is taken anew, so its id stays."""
    now = timezone.now()
    keys = [str(row.pk) for row in rows]
    Delivery.objects.filter(tenant=tenant, pk__in=[row.pk for row in rows]).update(
        state=Delivery.State.WAITING, next_at=now, finished_at=None
    )
    Outbox.objects.filter(tenant=tenant, kind=WEBHOOK, key__in=keys).update(
        state=Outbox.State.WAITING, attempts=0, next_at=now, claim=None, error=""
    )
    queue_deliveries(tenant, rows, now)


def _checked(url: str) -> str:
    url = url.strip()
    try:
        return http.check_reachable(url)
    except http.Forbidden as error:
        raise ValidationError({"url": refusal(error)}) from error


def _known(names: Sequence[str]) -> list[str]:
    wrong = [name for name in names if not is_known(name)]
    if wrong:
        raise ValidationError(
            {"event_types": _("Nobody sends the event %(name)s.") % {"name": wrong[0][:60]}}
        )
    return sorted(set(names))


def _said(endpoint: Endpoint) -> dict[str, object]:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
    }


def _audit(
    tenant: Tenant,
    actor: Membership | None,
    action: str,
    endpoint: Endpoint,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    record_audit(
        tenant=tenant, actor=actor, action=action, target=endpoint.url[:200], before=before, after=after
    )
