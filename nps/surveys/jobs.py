"""The jobs of surveys, and the part of the night that is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Job, Tenant

from .events import ANSWER_JOB, WAVE_JOB
from .services import (
    ask_wave,
    handle_all,
    handle_answers,
    invite,
    propose_surveys,
    refresh_metrics,
    write_mails,
)


def _answer(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    handle_answers(tenant=tenant, answer_ids=[int(job.params["answer"])])


def _ask(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    ask_wave(tenant=tenant, wave_id=int(job.params["wave"]), on=tenant.today())


def write_all_mails(tenant: Tenant) -> int:
    """Write every mail that is waiting to be written, some hundreds in each transaction; outside a scope."""
    written = 0
    while True:
        with tenant_scope(tenant):
            turn = write_mails(tenant=tenant)
        written += turn
        if not turn:
            return written


def _mails(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    write_all_mails(tenant)


def keep_surveys(*, tenant: Tenant, day: date) -> None:
    """The night, before scoring: answers nobody has handled, metrics, who is asked today. Mails follow in their own step."""
    propose_surveys(tenant=tenant)
    handle_all(tenant=tenant)
    refresh_metrics(tenant=tenant, day=day)
    invite(tenant=tenant, on=tenant.today())


def register_jobs() -> None:
    """Make our jobs known to the ledger."""
    register_job_kind(
        ANSWER_JOB,
        JobKind(plan=lambda tenant, job: [Chunk(0, "answer", {})], steps={"answer": Step(_answer)}),
    )
    register_job_kind(
        WAVE_JOB, JobKind(plan=_plan_wave, steps={"ask": Step(_ask), "mails": Step(_mails, scoped=False)})
    )


def _plan_wave(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    return [Chunk(0, "ask", {}), Chunk(1, "mails", {})]
