"""Choosing how much alerts may interrupt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from alerts.models import Attention, MemberAttention
from alerts.selectors import attention_of


def save_attention(*, tenant: Tenant, actor: Membership | None, values: Mapping[str, Any]) -> Attention:
    """Keep the company's rules of interruption."""
    row = attention_of(tenant)
    before = {name: getattr(row, name) for name in values}
    if row.pk is not None and before == dict(values):
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    record_audit(
        tenant=tenant,
        actor=actor,
        action="attention.changed",
        target="attention",
        before=before,
        after=dict(values),
    )
    return row


def save_my_attention(
    *,
    tenant: Tenant,
    member: Membership,
    budget: int | None,
    digest_hour: int | None,
    wants_digest: bool,
) -> MemberAttention:
    """Keep what one member wants otherwise."""
    row, _created = MemberAttention.objects.update_or_create(
        tenant=tenant,
        member=member,
        defaults={"budget": budget, "digest_hour": digest_hour, "wants_digest": wants_digest},
    )
    return row
