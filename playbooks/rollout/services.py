"""Ticks by hand in the rollout guide."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.services import record_audit

from .guide import ITEM_KEYS
from .models import RolloutTick


def tick_rollout(
    *, tenant: Tenant, key: str, note: str = "", member: Membership | None = None
) -> RolloutTick:
    """Say by hand that an item is done; raises `RolloutTick.DoesNotExist` for an item that there is not."""
    if key not in ITEM_KEYS:
        raise RolloutTick.DoesNotExist(key)
    tick, created = RolloutTick.objects.get_or_create(
        tenant=tenant,
        key=key,
        defaults={"note": note.strip()[:1000], "done_by": member, "done_at": timezone.now()},
    )
    if created:
        record_audit(
            tenant=tenant,
            actor=member,
            action="rollout.ticked",
            target=f"rollout:{key}",
            after={"note": tick.note},
        )
    return tick


def untick_rollout(*, tenant: Tenant, key: str, member: Membership | None = None) -> None:
    """Take a tick back."""
    deleted, _by_model = RolloutTick.objects.filter(tenant=tenant, key=key).delete()
    if deleted:
        record_audit(tenant=tenant, actor=member, action="rollout.unticked", target=f"rollout:{key}")
