"""Switching plays on and off, and starting one at many accounts."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import PermissionDenied

from accounts.access import may_work_on
from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit
from playbooks.models import Playbook
from playbooks.services import RunStart, start_many


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


def start_play_at(
    *, tenant: Tenant, actor: Membership, playbook_key: str, account_ids: Collection[int]
) -> tuple[int, int]:
    """Start a play at those of these accounts that the member may work on; how many started, how many were left out."""
    accounts = list(Account.objects.filter(tenant=tenant, pk__in=set(account_ids)).order_by("pk"))
    mine = [account for account in accounts if may_work_on(actor, account)]
    if accounts and not mine:
        raise PermissionDenied
    found = start_many(
        tenant=tenant,
        starts=[RunStart(playbook_key, account.pk) for account in mine],
        started_on=tenant.today(),
        member=actor,
    )
    return len(found.fresh), len(set(account_ids)) - len(found.fresh)
