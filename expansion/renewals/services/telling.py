"""Renewals to other systems, for endpoints that asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Tenant
from expansion.renewals.events import RENEWAL_AT_RISK, RENEWAL_LOST, RENEWAL_RENEWED
from expansion.renewals.models import Renewal
from expansion.renewals.stepping import Standing
from outreach.models import Endpoint
from outreach.services import publish_event


def event_body(renewal: Renewal) -> dict[str, Any]:
    """What every event says of a renewal."""
    return {
        "id": renewal.pk,
        "account_id": renewal.account.external_id,
        "due_on": renewal.due_on.isoformat(),
        "state": renewal.state,
        "category": renewal.category,
        "at_risk": renewal.at_risk,
        "target_cents": renewal.target_cents,
        "forecast_cents": renewal.forecast_cents,
        "final_cents": renewal.final_cents,
        "currency": renewal.currency,
        "reason": renewal.reason or None,
    }


def publish(*, tenant: Tenant, renewal: Renewal, event_type: str, key: str) -> None:
    """Tell one event of one renewal, once per key."""
    publish_event(
        tenant=tenant,
        event_type=event_type,
        data=event_body(renewal),
        account=renewal.account,
        dedupe_key=f"{event_type}:{renewal.pk}:{key}",
    )


def tell(tenant: Tenant, steps: Sequence[tuple[int, Standing, Standing]]) -> None:
    """Tell what a night has closed or found at risk; nothing is read where no endpoint listens."""
    told: dict[int, str] = {}
    for pk, before, after in steps:
        if after.state == Renewal.State.RENEWED and before.state != after.state:
            told[pk] = RENEWAL_RENEWED
        elif after.state == Renewal.State.LOST and before.state != after.state:
            told[pk] = RENEWAL_LOST
        elif after.at_risk and not before.at_risk:
            told[pk] = RENEWAL_AT_RISK
    if not told or not _anybody_listens(tenant, set(told.values())):
        return
    day = tenant.today().isoformat()
    for renewal in Renewal.objects.filter(tenant=tenant, pk__in=list(told)).select_related("account"):
        publish(tenant=tenant, renewal=renewal, event_type=told[renewal.pk], key=day)


def _anybody_listens(tenant: Tenant, types: set[str]) -> bool:
    endpoints = Endpoint.objects.filter(tenant=tenant).exclude(state=Endpoint.State.DISABLED)
    return any(not one.event_types or types & set(one.event_types) for one in endpoints)
