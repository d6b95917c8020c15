"""The rebuild as a job of the ledger: a month is one chunk, repeatable like everything the ledger runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant
from accounts.services.settings import REDATE
from usage.services.rebuilding import KIND, rebuild, redate, spans_with_data


def plan(tenant: Tenant, job: Job) -> list[Chunk]:
    """The months that have data."""
    return [
        Chunk(0, "rebuild", {"first": first.isoformat(), "last": last.isoformat()})
        for first, last in spans_with_data(tenant=tenant)
    ]


def run(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """One month."""
    rebuild(tenant=tenant, days=(date.fromisoformat(params["first"]), date.fromisoformat(params["last"])))


def plan_redate(tenant: Tenant, job: Job) -> list[Chunk]:
    """All at once: between two chunks an event would stand on no day's side."""
    return [Chunk(0, REDATE, {})]


def run_redate(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Every event on its day in the tenant's time zone."""
    redate(tenant=tenant)


def register_jobs() -> None:
    """Make the rebuild and the change of the time zone known to the ledger."""
    register_job_kind(REDATE, JobKind(plan=plan_redate, steps={REDATE: Step(run_redate)}))
    register_job_kind(KIND, JobKind(plan=plan, steps={"rebuild": Step(run)}))
