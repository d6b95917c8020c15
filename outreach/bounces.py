"""What a mail provider says about a mail afterwards: it bounced, or somebody called it spam."""

from __future__ import annotations

import logging
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from outreach.models import Suppression
from outreach.services.suppressing import suppress

logger = logging.getLogger(__name__)

# A full mailbox or a server that is down comes back; what is listed here does not.
FOR_GOOD = {RejectReason.BOUNCED, RejectReason.INVALID}


def note_tracking(sender: Any, event: AnymailTrackingEvent, esp_name: str, **more: Any) -> None:
    """Receiver of anymail's signal: never write again to an address that does not exist or that complained."""
    cause = cause_of(event)
    if cause is None or not event.recipient:
        return
    said = (event.metadata or {}).get("tenant", "")
    tenant = Tenant.objects.filter(pk=int(said)).first() if str(said).isdigit() else None
    if tenant is None:
        logger.warning("%s reported %s for a mail whose tenant is not known", esp_name, event.event_type)
        return
    with tenant_scope(tenant):
        suppress(
            tenant=tenant,
            address=event.recipient,
            cause=cause,
            note=f"{esp_name}: {event.description or event.mta_response or event.event_type}",
        )


def cause_of(event: AnymailTrackingEvent) -> str | None:
    """Why the address must not be written to again; None for everything that passes."""
    if event.event_type == EventType.COMPLAINED:
        return Suppression.Cause.COMPLAINED
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED) and event.reject_reason in FOR_GOOD:
        return Suppression.Cause.BOUNCED
    if event.event_type == EventType.UNSUBSCRIBED:
        return Suppression.Cause.UNSUBSCRIBED
    return None
