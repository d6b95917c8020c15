"""Deeds to many accounts as jobs: a portion of five hundred is a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import AccountDeed, AccountDeedPart, Job, Tenant
from workspace.services.bulk import AT_ONCE, KIND, UNDO_KIND, do_part, finish_deed, undo_part


def _deed(tenant: Tenant, job: Job) -> AccountDeed:
    found = AccountDeed.objects.select_for_update(of=("self",)).select_related(
        "member__user", "member__tenant"
    )
    return found.get(tenant=tenant, pk=job.params["deed"])


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    count = len(_deed(tenant, job).account_ids)
    parts = [Chunk(1, "part", {"ordinal": n}) for n in range((count + AT_ONCE - 1) // AT_ONCE)]
    return [*parts, Chunk(2, "finish", {})]


def _part(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    deed, ordinal = _deed(tenant, job), int(params["ordinal"])
    ids = deed.account_ids[ordinal * AT_ONCE : (ordinal + 1) * AT_ONCE]
    with translation.override(deed.member.user.language or tenant.language):
        do_part(tenant=tenant, deed=deed, ordinal=ordinal, ids=ids)


def _finish(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    finish_deed(tenant=tenant, deed=_deed(tenant, job))


def _plan_undo(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    ordinals = AccountDeedPart.objects.filter(tenant=tenant, deed_id=job.params["deed"]).order_by("ordinal")
    return [Chunk(1, "back", {"ordinal": ordinal}) for ordinal in ordinals.values_list("ordinal", flat=True)]


def _back(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    deed = _deed(tenant, job)
    part = AccountDeedPart.objects.get(tenant=tenant, deed=deed, ordinal=params["ordinal"])
    with translation.override(deed.member.user.language or tenant.language):
        undo_part(tenant=tenant, deed=deed, part=part)


def register_bulk_jobs() -> None:
    """Make the jobs known; called when the workspace is ready."""
    register_job_kind(KIND, JobKind(_plan, {"part": Step(_part), "finish": Step(_finish)}))
    register_job_kind(UNDO_KIND, JobKind(_plan_undo, {"back": Step(_back)}))
