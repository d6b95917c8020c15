"""The what-if as a job of the ledger: ten thousand accounts a chunk, each chunk adds its part to the sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant
from scoring.selectors.facts import CHUNK

from .running import KIND, compare_range, finish, prepare

_STARTS = """
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_account WHERE tenant_id = %s) AS a
WHERE n %% %s = 1 ORDER BY id
"""
_IDS = """
SELECT id FROM accounts_account
WHERE tenant_id = %(tenant)s AND id >= %(first)s AND (%(last)s::bigint IS NULL OR id < %(last)s) ORDER BY id
"""


def ranges(tenant: Tenant, size: int = CHUNK) -> list[dict[str, int | None]]:
    """Ranges of account ids, `first` included, `last` excluded; the last one is open."""
    with connection.cursor() as cursor:
        cursor.execute(_STARTS, [tenant.pk, size])
        starts = [row[0] for row in cursor.fetchall()]
    ends: list[int | None] = [*starts[1:], None]
    return [{"first": first, "last": last} for first, last in zip(starts, ends, strict=False)]


def plan(tenant: Tenant, job: Job) -> list[Chunk]:
    """Empty the old result, compare all accounts, say that it is complete."""
    return [
        Chunk(0, "prepare", {}),
        *[Chunk(1, "compare", params) for params in ranges(tenant)],
        Chunk(2, "finish", {}),
    ]


def _prepare(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    prepare(tenant=tenant, job=job)


def _compare(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_IDS, {"tenant": tenant.pk, "first": params["first"], "last": params["last"]})
        ids = [row[0] for row in cursor.fetchall()]
    compare_range(tenant=tenant, version_id=job.params["version"], account_ids=ids)


def _finish(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    finish(tenant=tenant, version_id=job.params["version"])


def register_jobs() -> None:
    """Make the what-if known to the ledger."""
    steps = {"prepare": Step(_prepare), "compare": Step(_compare), "finish": Step(_finish)}
    register_job_kind(KIND, JobKind(plan=plan, steps=steps))
