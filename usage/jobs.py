"""The rebuild as a job of the ledger: a month is one chunk, repeatable like everything the ledger runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant
from usage.services.rebuilding import KIND, rebuild, spans_with_data


def plan(tenant: Tenant, job: Job) -> list[Chunk]:
    """The months that have data."""
    return [
        Chunk(0, "rebuild", {"first": first.isoformat(), "last": last.isoformat()})
        for first, last in spans_with_data(tenant=tenant)
    ]


def run(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """One month."""
    rebuild(tenant=tenant, days=(date.fromisoformat(params["first"]), date.fromisoformat(params["last"])))


def register_jobs() -> None:
    """Make the rebuild known to the ledger."""
    register_job_kind(KIND, JobKind(plan=plan, steps={"rebuild": Step(run)}))
