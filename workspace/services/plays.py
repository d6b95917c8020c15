"""Switching plays on and off."""

from __future__ import annotations

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from playbooks.models import Playbook


def switch_play(*, tenant: Tenant, actor: Membership, playbook_id: int, enabled: bool) -> Playbook | None:
    """Let a play be started or not; None when there is no such play."""
    book = Playbook.objects.select_for_update().filter(tenant=tenant, pk=playbook_id).first()
    if book is not None and book.enabled != enabled:
        book.enabled = enabled
        book.save(update_fields=["enabled"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="playbook.switched",
            target=f"playbook:{book.key}",
            before={"enabled": not enabled},
            after={"enabled": enabled},
        )
    return book
