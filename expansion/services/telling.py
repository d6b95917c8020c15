"""What happens to an opportunity is written into the timeline and the audit log, and told to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from expansion.events import OPPORTUNITY_LOST, OPPORTUNITY_OPENED, OPPORTUNITY_WON
from expansion.models import Opportunity
from outreach.services import publish_event

EVENTS = {"opened": OPPORTUNITY_OPENED, "won": OPPORTUNITY_WON, "lost": OPPORTUNITY_LOST}


def write_down(
    tenant: Tenant,
    one: Opportunity,
    kind: str,
    member: Membership | None,
    before: Mapping[str, Any],
    *,
    title: str,
    text: str = "",
    after: Mapping[str, Any] | None = None,
) -> None:
    """One entry on the account's timeline (without a kind: none) and one in the audit log."""
    if kind:
        record_timeline(
            tenant=tenant,
            account_id=one.account_id,
            kind=kind,
            at=timezone.now(),
            title=title,
            actor=member,
            data={"opportunity": one.pk, **({"text": text} if text else {})},
        )
    said = {"stage": one.stage, "value_cents": one.value_cents} if after is None else dict(after)
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1) if kind else "opportunity.edited",
        target=f"opportunity:{one.pk}",
        before=dict(before),
        after={**said, **({"note": text} if text else {})},
    )


def publish(tenant: Tenant, one: Opportunity, what: str) -> int:
    """Tell other systems; the same thing of the same opportunity once for each time that it happened."""
    return publish_event(
        tenant=tenant,
        event_type=EVENTS[what],
        data=event_data(one),
        account=one.account,
        dedupe_key=f"{EVENTS[what]}-{one.pk}-{one.closed_at.isoformat() if one.closed_at else ''}",
    )


def event_data(one: Opportunity) -> dict[str, Any]:
    """An opportunity as other systems get it."""
    return {
        "id": one.pk,
        "account_id": one.account.external_id,
        "type": one.type,
        "what": one.what or None,
        "stage": one.stage,
        "value_cents": one.value_cents,
        "net_cents": one.net_cents,
        "currency": one.currency,
        "recurring": one.recurring,
        "seats": one.seats,
        "probability_pct": one.probability_pct,
        "opened_by": one.opened_by,
        "opened_on": one.opened_on.isoformat(),
        "close_on": one.close_on.isoformat(),
        "closed_on": one.closed_on.isoformat() if one.closed_on else None,
        "lost_reason": one.lost_reason or None,
        "won_mrr_cents": one.won_mrr_cents,
        "evidence": one.evidence,
    }
