"""Preparing many packs as a job of the ledger: all accounts of a CSM whose review is in a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job
from qbr.cadence import LEAST_GAP_DAYS, add_months, next_due
from qbr.models import Pack

from .drafting import draft_packs, lock_packs, reviewed_accounts
from .settings import settings_of
from .writing import Wanted

KIND = "qbr_packs"
PACKS_PER_CHUNK = 25


def prepare_month(
    *, tenant: Tenant, month: date, owner_id: int | None = None, member: Membership | None = None
) -> Job:
    """Draft every pack that is missing for reviews of a month, of one owner's accounts or of all, in the background."""
    month = month.replace(day=1)
    return enqueue_job(
        tenant=tenant,
        kind=KIND,
        key=f"{month.isoformat()}:{owner_id or 'all'}",
        params={"month": month.isoformat(), "owner": owner_id},
        requested_by=member,
        again=True,
    )


def missing_packs(tenant: Tenant, month: date, owner_id: int | None) -> list[Wanted]:
    """Reviews of the month that have no pack yet."""
    end = add_months(month, 1) - timedelta(days=1)
    accounts = reviewed_accounts(tenant, settings_of(tenant), tenant.today())
    if owner_id is not None:
        accounts = accounts.filter(owner_id=owner_id)
    starts = dict(accounts.order_by("pk").values_list("pk", "go_live_on"))
    gap = timedelta(days=LEAST_GAP_DAYS)
    there: dict[int, list[date]] = {}
    packs = Pack.objects.filter(
        tenant=tenant, account_id__in=list(starts), due_on__range=(month - gap, end + gap)
    )
    for account_id, due_on in packs.values_list("account_id", "due_on"):
        there.setdefault(account_id, []).append(due_on)
    found = []
    for account_id, go_live in starts.items():
        if go_live is None:
            continue
        due = next_due(go_live, month)
        near = any(due.on - gap < day < due.on + gap for day in there.get(account_id, []))
        if due.on <= end and not near:
            found.append(Wanted(account_id, due.on, due.begins, due.number))
    return found


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    wanted = missing_packs(tenant, date.fromisoformat(job.params["month"]), job.params["owner"])
    ids = [one.account_id for one in wanted]
    return [
        Chunk(0, "draft", {"accounts": ids[start : start + PACKS_PER_CHUNK]})
        for start in range(0, len(ids), PACKS_PER_CHUNK)
    ]


def _draft(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """A chunk: what somebody else drafted meanwhile is left alone."""
    lock_packs(tenant)
    chosen = set(params["accounts"])
    wanted = missing_packs(tenant, date.fromisoformat(job.params["month"]), job.params["owner"])
    draft_packs(
        tenant=tenant,
        wanted=[one for one in wanted if one.account_id in chosen],
        member=job.requested_by,
    )


def register_jobs() -> None:
    """Make the job known to the ledger."""
    register_job_kind(KIND, JobKind(plan=_plan, steps={"draft": Step(_draft)}))
