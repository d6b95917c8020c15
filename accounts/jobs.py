"""Running the job ledger: chunks are claimed from PostgreSQL, each is one transaction, a kill at any point changes nothing.

A job is planned into chunks. Chunks of one stage may run side by side; a stage begins when the one before it is done. The
attempt is counted in a commit of its own before the work, so a chunk that kills its worker is given up after `MAX_CLAIMS`
and cannot loop; one that fails with an exception is given up after `MAX_FAILURES`.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Job, JobChunk, Tenant
from accounts.origin import Door, Origin, coming_from

logger = logging.getLogger(__name__)

MAX_FAILURES = 3
MAX_CLAIMS = 7  # more than failures: a worker may die because the machine is shut down
CHUNKS_PER_STAGE = 100_000  # ordinal = stage × this + position


@dataclass(frozen=True)
class Chunk:
    """One transaction's worth of a job."""

    stage: int
    step: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """What a chunk does: `run(tenant, job, params)`.

    With `scoped` it runs inside the transaction that marks the chunk done. Without, it opens its own scopes (many short
    transactions, each repeatable) and the mark follows.
    """

    run: Callable[[Tenant, Job, Mapping[str, Any]], None]
    scoped: bool = True


@dataclass(frozen=True)
class JobKind:
    """How a kind of job is planned (inside the tenant's scope) and what its steps do."""

    plan: Callable[[Tenant, Job], Sequence[Chunk]]
    steps: Mapping[str, Step]


_kinds: dict[str, JobKind] = {}


def register_job_kind(name: str, kind: JobKind) -> None:
    """Make a kind of job known; called from an app's `ready()`."""
    _kinds[name] = kind


def run_jobs(tenant: Tenant, job_id: int | None = None) -> int:
    """Work off the tenant's due jobs (or one of them) until nothing is left to claim; returns the number of chunks done."""
    finished = 0
    while True:
        claimed = _plan_or_claim(tenant, job_id)
        if claimed is None:
            return finished
        job, chunk = claimed
        if chunk is not None:
            origin = Origin(door=Door.SYSTEM, request_id=f"job-{job.pk}", cause=f"{job.kind}: {chunk.step}")
            with coming_from(origin):
                finished += _run_chunk(tenant, job, chunk)


def finish_job(tenant: Tenant, job_id: int, patience_seconds: float = 1800.0) -> Job:
    """Work a job off and wait for chunks that other workers hold; returns it done or failed.

    Raises TimeoutError when it is neither in time.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        run_jobs(tenant, job_id)
        with tenant_scope(tenant):
            job = Job.objects.get(pk=job_id)
        if job.state in (Job.State.DONE, Job.State.FAILED):
            return job
        if time.monotonic() > deadline:
            raise TimeoutError(f"Job {job_id} ({job.kind}) is still {job.state}.")
        time.sleep(0.2)


def _plan_or_claim(tenant: Tenant, job_id: int | None) -> tuple[Job, JobChunk | None] | None:
    """The next chunk to run, its attempt already counted and committed; plans a job that has no chunks yet."""
    with tenant_scope(tenant):
        due = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING], due_at__lte=timezone.now())
        due = due.filter(kind__in=_kinds)
        if job_id is not None:
            due = due.filter(pk=job_id)
        for job in due.order_by("due_at", "id"):
            if job.state == Job.State.QUEUED:
                locked = (
                    Job.objects.select_for_update(skip_locked=True)
                    .filter(pk=job.pk, state=Job.State.QUEUED)
                    .first()
                )
                if locked is None:
                    continue
                _plan(tenant, locked)
                return locked, None
            chunk = _claim(job)
            if chunk is not None:
                return job, chunk
    return None


def _plan(tenant: Tenant, job: Job) -> None:
    """Write the chunks down and mark the job running."""
    JobChunk.objects.filter(job=job).delete()
    chunks = _kinds[job.kind].plan(tenant, job)
    positions: dict[int, int] = {}
    rows = []
    for chunk in chunks:
        position = positions.get(chunk.stage, 0)
        positions[chunk.stage] = position + 1
        rows.append(
            JobChunk(
                tenant=tenant,
                job=job,
                ordinal=chunk.stage * CHUNKS_PER_STAGE + position,
                step=chunk.step,
                params=dict(chunk.params),
            )
        )
    JobChunk.objects.bulk_create(rows)
    job.state, job.total, job.done, job.started_at = Job.State.RUNNING, len(rows), 0, timezone.now()
    if not rows:
        job.state, job.finished_at = Job.State.DONE, timezone.now()
    job.save(update_fields=["state", "total", "done", "started_at", "finished_at"])


CLAIM_SQL = """
UPDATE accounts_jobchunk SET attempts = attempts + 1
WHERE tenant_id = %(tenant)s AND id = (
  SELECT id FROM accounts_jobchunk
  WHERE tenant_id = %(tenant)s AND job_id = %(job)s AND state = 'queued' AND ordinal / %(width)s = (
    SELECT min(ordinal) / %(width)s FROM accounts_jobchunk
    WHERE tenant_id = %(tenant)s AND job_id = %(job)s AND state = 'queued')
  ORDER BY attempts, ordinal LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def _claim(job: Job) -> JobChunk | None:
    """A waiting chunk of the job's current stage, or None when others hold them all."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, {"tenant": job.tenant_id, "job": job.pk, "width": CHUNKS_PER_STAGE})
        row = cursor.fetchone()
    return JobChunk.objects.get(pk=row[0]) if row else None


def _run_chunk(tenant: Tenant, job: Job, chunk: JobChunk) -> int:
    """Do the chunk's work and mark it; a failure is written down and tried again until it is given up."""
    if chunk.attempts > MAX_CLAIMS:
        _give_up(tenant, job, chunk, chunk.message or "The worker died each time.")
        return 0
    step = _kinds[job.kind].steps[chunk.step]
    started = time.monotonic()
    try:
        if not step.scoped:
            step.run(tenant, job, chunk.params)
        with tenant_scope(tenant):
            held = (
                JobChunk.objects.select_for_update(skip_locked=True)
                .filter(pk=chunk.pk, state=Job.State.QUEUED)
                .first()
            )
            if held is None:  # somebody else is doing it, or has done it
                return 0
            if step.scoped:
                step.run(tenant, job, chunk.params)
            held.state = Job.State.DONE
            held.save(update_fields=["state"])
            _count(job)
        logger.info("Job %s (%s) %s: %.2f s", job.pk, job.kind, chunk.step, time.monotonic() - started)
        return 1
    except Exception as error:
        logger.exception(
            "Job %s (%s) of tenant %s failed in step %s", job.pk, job.kind, tenant.slug, chunk.step
        )
        message = "".join(traceback.format_exception_only(error)).strip()[:500]
        if chunk.attempts >= MAX_FAILURES:
            _give_up(tenant, job, chunk, message)
        else:
            with tenant_scope(tenant):
                JobChunk.objects.filter(pk=chunk.pk).update(message=message)
        return 0


COUNT_SQL = """
UPDATE accounts_job j SET done = c.done,
  state = CASE WHEN c.done = j.total AND j.state = 'running' THEN 'done' ELSE j.state END,
  finished_at = CASE WHEN c.done = j.total THEN %(now)s ELSE j.finished_at END
FROM (SELECT count(*) FILTER (WHERE state = 'done') AS done FROM accounts_jobchunk
      WHERE tenant_id = %(tenant)s AND job_id = %(job)s) c
WHERE j.tenant_id = %(tenant)s AND j.id = %(job)s
"""


def _count(job: Job) -> None:
    """Bring the job's progress up to date, holding its row so that two last chunks cannot both miss the end."""
    Job.objects.select_for_update().get(pk=job.pk)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, {"tenant": job.tenant_id, "job": job.pk, "now": timezone.now()})


def _give_up(tenant: Tenant, job: Job, chunk: JobChunk, message: str) -> None:
    """Mark chunk and job failed; what is done stays done."""
    with tenant_scope(tenant):
        JobChunk.objects.filter(pk=chunk.pk).update(state=Job.State.FAILED, message=message)
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.FAILED, message=f"{chunk.step}: {message}"[:500], finished_at=timezone.now()
        )
