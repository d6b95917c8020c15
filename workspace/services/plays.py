"""Switching plays on and off, and starting one at many accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

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


NOT_YOURS, RUNNING = "not_yours", "running"  # beside the reasons that the play itself has


@dataclass(frozen=True)
class PlayStart:
    """What became of starting a play at many accounts."""

    started: int = 0  # with those that are held out
    held_out: int = 0  # watched without anything being done, to compare with
    left_out: Mapping[str, int] = field(default_factory=dict)  # why → at how many

    def plus(self, other: PlayStart) -> PlayStart:
        """This and what became of another portion."""
        left = Counter(self.left_out) + Counter(other.left_out)
        return PlayStart(self.started + other.started, self.held_out + other.held_out, dict(left))


def start_play_at(
    *, tenant: Tenant, actor: Membership, playbook_key: str, account_ids: Collection[int]
) -> PlayStart:
    """Start a play at those of these accounts that the member may work on; says why it did not start at the others."""
    wanted = set(account_ids)
    accounts = list(Account.objects.filter(tenant=tenant, pk__in=wanted).order_by("pk"))
    mine = [account for account in accounts if may_work_on(actor, account)]
    if accounts and not mine:
        raise PermissionDenied
    found = start_many(
        tenant=tenant,
        starts=[RunStart(playbook_key, account.pk) for account in mine],
        started_on=tenant.today(),
        member=actor,
    )
    left = Counter(refusal.code for refusal in found.refused.values())
    left[RUNNING] = len(found.runs) - len(found.fresh)
    left[NOT_YOURS] = len(wanted) - len(mine)
    return PlayStart(
        len(found.fresh), sum(run.held_out for run in found.fresh), {why: n for why, n in left.items() if n}
    )
