"""The job ledger: work is written down here first, then a worker is rung."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Job, JobChunk, Membership, Tenant


def enqueue_job(
    *,
    tenant: Tenant,
    kind: str,
    key: str,
    params: dict[str, Any] | None = None,
    requested_by: Membership | None = None,
    due_at: datetime | None = None,
    again: bool = False,
) -> Job:
    """Write a job down once; the same kind and key gives the job that is already there.

    With `again`, one that is finished is queued anew (a recompute that a person asks for twice).
    """
    job, created = Job.objects.get_or_create(
        tenant=tenant,
        kind=kind,
        key=key,
        defaults={
            "params": params or {},
            "requested_by": requested_by,
            "due_at": due_at or timezone.now(),
        },
    )
    if not created and again and job.state in (Job.State.DONE, Job.State.FAILED):
        job.state, job.params, job.requested_by = Job.State.QUEUED, params or {}, requested_by
        job.total = job.done = job.attempts = 0
        job.message, job.started_at, job.finished_at, job.due_at = "", None, None, due_at or timezone.now()
        job.save()
    return job


def resume_job(*, tenant: Tenant, job: Job) -> Job:
    """Let a job that was given up go on with what is left; what is done stays done.

    Raises a ValidationError where it did not fail.
    """
    held = Job.objects.select_for_update().get(tenant=tenant, pk=job.pk)
    if held.state != Job.State.FAILED:
        raise ValidationError(_("This did not fail; there is nothing to try again."))
    chunks = JobChunk.objects.filter(tenant=tenant, job=held)
    chunks.filter(state=Job.State.FAILED).update(state=Job.State.QUEUED, attempts=0, message="")
    held.state = Job.State.RUNNING if chunks.exists() else Job.State.QUEUED
    held.message, held.finished_at, held.due_at = "", None, timezone.now()
    held.save(update_fields=["state", "message", "finished_at", "due_at"])
    return held
