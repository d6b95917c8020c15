"""A night that is killed again and again ends with the scores, alerts and tasks of an undisturbed one."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from datetime import date, timedelta

import pytest
from django.db import connection, connections

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job, run_jobs
from accounts.models import Job, Tenant, Ticket
from accounts.services import enqueue_job
from bench.tenants import make_tenant

ACCOUNTS = 600
ACCOUNTS_PER_CHUNK = 20
KILLS_PER_NIGHT = 5
NIGHTS = 10 if os.environ.get("CS_FULL") else 1

RESULTS = {
    "scores": "SELECT kind, account_id, day, version_id, score, band, coverage, points FROM scoring_score ORDER BY 1, 2, 3",
    "current": "SELECT kind, account_id, day, score, band FROM scoring_current ORDER BY 1, 2",
    "alerts": "SELECT rule_id, account_id, subject, state, severity, opened_on FROM alerts_alert ORDER BY 1, 2, 3",
    "tasks": "SELECT account_id, title, due_on, state, assignee_id FROM playbooks_task ORDER BY 1, 2, 3",
    "days": "SELECT day, scored, healthy, at_risk, critical, unknown, mean FROM health_tenant_day ORDER BY 1",
}
EMPTIED = [
    "expansion_stagechange", "expansion_opportunity",
    "playbooks_task", "playbooks_run", "alerts_alert", "scoring_score", "scoring_current", "health_tenant_day",
    "accounts_timelineentry", "accounts_job",
]  # fmt: skip


def results(tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
    with tenant_scope(tenant), connection.cursor() as cursor:
        found = {}
        for name, sql in RESULTS.items():
            cursor.execute(sql.replace(" ORDER BY", f" WHERE tenant_id = {tenant.pk} ORDER BY"))
            found[name] = cursor.fetchall()
        return found


def forget(tenant: Tenant) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        for table in EMPTIED:
            cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant.pk])


def queue(tenant: Tenant, day: date) -> Job:
    with tenant_scope(tenant):
        params = {"day": day.isoformat(), "chunk": ACCOUNTS_PER_CHUNK}
        return enqueue_job(tenant=tenant, kind="nightly", key=day.isoformat(), params=params)


def work(tenant_id: int) -> None:
    """What a worker process does."""
    connections.close_all()
    run_jobs(Tenant.objects.get(pk=tenant_id))


def state(tenant: Tenant, job: Job) -> str:
    with tenant_scope(tenant):
        return Job.objects.get(pk=job.pk).state


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_a_night_survives_sigkills_with_identical_results() -> None:
    tenant, day = make_tenant("night", ACCOUNTS)
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_account WHERE tenant_id = %s ORDER BY id LIMIT 40", [tenant.pk]
        )
        opened = tenant.local_now() - timedelta(days=6)
        Ticket.objects.bulk_create(
            Ticket(tenant=tenant, external_id=f"t{pk}", account_id=pk, opened_at=opened, received_at=opened)
            for (pk,) in cursor.fetchall()
        )
    started = time.monotonic()
    job = queue(tenant, day)
    run_jobs(tenant)
    took = time.monotonic() - started
    undisturbed = results(tenant)
    assert state(tenant, job) == Job.State.DONE
    assert {name: bool(rows) for name, rows in undisturbed.items()} == dict.fromkeys(RESULTS, True)

    seed = random.randrange(2**32)
    print(f"seed {seed}, undisturbed {took:.2f} s")
    dice = random.Random(seed)
    fork = multiprocessing.get_context("fork")
    killed = 0
    for _night in range(NIGHTS):
        forget(tenant)
        job = queue(tenant, day)
        for _kill in range(KILLS_PER_NIGHT):
            connections.close_all()
            worker = fork.Process(target=work, args=(tenant.pk,))
            worker.start()
            worker.join(dice.uniform(0.02, min(took, 6.0) / 3))
            if worker.exitcode is None and worker.pid is not None:
                os.kill(worker.pid, signal.SIGKILL)
                killed += 1
            worker.join()
        # The server may still be busy with a dead worker's statement and hold its chunk.
        assert finish_job(tenant, job.pk, patience_seconds=120).state == Job.State.DONE
        assert results(tenant) == undisturbed
    assert killed >= NIGHTS * KILLS_PER_NIGHT // 2  # the rest found the work already done
