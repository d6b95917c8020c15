"""The timeline and the audit log, written in the business transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import AuditEntry, Membership, Tenant, TimelineEntry
from accounts.origin import current_origin


def record_timeline(
    *,
    tenant: Tenant,
    account_id: int,
    kind: str,
    at: datetime,
    title: str,
    data: dict[str, Any] | None = None,
    actor: Membership | None = None,
) -> TimelineEntry:
    """Add one entry to an account's timeline."""
    return TimelineEntry.objects.create(
        tenant=tenant,
        account_id=account_id,
        kind=kind,
        at=at,
        title=title[:300],
        data=data or {},
        actor=actor,
    )


def record_audit(
    *,
    tenant: Tenant,
    actor: Membership | None,
    action: str,
    target: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write who changed what, and from where; rows of this table can be added and read, never changed."""
    label = str(actor.user) if actor else current_origin().label or "system"
    return AuditEntry.objects.create(
        tenant=tenant,
        actor=actor,
        actor_label=label[:200],
        action=action[:100],
        target=target[:200],
        before=before,
        after=after,
    )
