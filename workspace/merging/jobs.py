"""A merge as a job: usage month by month, then everything else at once, then the score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import AccountMerge, Job, Tenant
from usage.services import spans_of_account

from .services import JOB, move_records, move_usage, score_again


def _merge(tenant: Tenant, job: Job) -> AccountMerge:
    return AccountMerge.objects.select_related("requested_by__user").get(
        tenant=tenant, pk=job.params["merge"]
    )


def plan(tenant: Tenant, job: Job) -> list[Chunk]:
    """The months in which something is known of the account that goes, then the rest."""
    spans = spans_of_account(tenant=tenant, account_id=_merge(tenant, job).absorbed_id)
    months = [
        Chunk(0, "usage", {"first": first.isoformat(), "last": last.isoformat()}) for first, last in spans
    ]
    return [*months, Chunk(1, "records", {}), Chunk(2, "score", {})]


def _usage(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    days = (date.fromisoformat(params["first"]), date.fromisoformat(params["last"]))
    move_usage(tenant=tenant, merge=_merge(tenant, job), days=days)


def _records(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    move_records(tenant=tenant, merge=_merge(tenant, job))


def _score(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    score_again(tenant=tenant, merge=_merge(tenant, job))


def register_jobs() -> None:
    """Make the merge known to the ledger."""
    register_job_kind(
        JOB,
        JobKind(plan=plan, steps={"usage": Step(_usage), "records": Step(_records), "score": Step(_score)}),
    )
