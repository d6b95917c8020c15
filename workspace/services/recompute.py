"""Scoring again when somebody asks for it."""

from __future__ import annotations

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job, record_audit
from scoring.services import score_accounts

RECOMPUTE = "recompute"


def ask_recompute(*, tenant: Tenant, actor: Membership) -> Job:
    """Write the job down that scores the running day; one that waits already is the same one."""
    day = tenant.today()
    job = enqueue_job(
        tenant=tenant,
        kind=RECOMPUTE,
        key=day.isoformat(),
        params={"day": day.isoformat()},
        requested_by=actor,
        again=True,
    )
    record_audit(tenant=tenant, actor=actor, action="scores.recompute", target=day.isoformat())
    return job


def recompute_account(*, tenant: Tenant, account_id: int) -> None:
    """Score one account with what is known now."""
    score_accounts(tenant=tenant, day=tenant.today(), account_ids=[account_id])
