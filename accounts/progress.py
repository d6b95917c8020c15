"""How far one long transaction of a job is. Nobody sees what it writes until it ends, so this stands in the cache."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import redis
from django.core.cache import cache

from accounts.models import Job

logger = logging.getLogger(__name__)
KEPT_SECONDS = 600


@dataclass(frozen=True)
class Within:
    """Rows done of those of the chunk that runs; without a total nobody knows yet how many there are."""

    done: int
    total: int | None

    @property
    def share(self) -> float:
        """How much of the chunk is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def _key(job: Job) -> str:
    return f"job-within:{job.tenant_id}:{job.pk}"


def note_progress(job: Job, done: int, total: int | None = None) -> None:
    """Say how many rows are done. The work goes on where nobody can be told."""
    try:
        cache.set(_key(job), (done, total), KEPT_SECONDS)
    except redis.RedisError:
        logger.warning("Job %s cannot say how far it is: the cache does not answer.", job.pk)


def forget_progress(job: Job) -> None:
    """The chunk is over, however it ended."""
    try:
        cache.delete(_key(job))
    except redis.RedisError:
        logger.warning("Job %s cannot say that a chunk is over: the cache does not answer.", job.pk)


def progress_of(job: Job) -> Within | None:
    """How far the running chunk of a job is; None where it has not said so."""
    if job.state not in (Job.State.QUEUED, Job.State.RUNNING):
        return None
    found = cache.get(_key(job))
    return Within(*found) if found else None
