"""A what-if over N accounts against the nightly score of the same accounts in the same run."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time

from django.db import connections

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Job, Tenant
from bench.nightly import REPEATS, forget, nightly, owner_sql
from bench.table import Row
from bench.tenants import make_tenant
from scoring.models import Component, Measure, ScoreModel, Version, WhatIf
from scoring.services import create_draft, discard_draft
from scoring.what_if import start_what_if

TARGET = "<= 0.6"
OTHER_WEIGHTS = {"usage": 20.0, "adoption": 30.0}


def _draft(tenant: Tenant, edit: str) -> Version:
    """A draft of the default model that says something else: other weights, or also other windows to read."""
    with tenant_scope(tenant):
        model = ScoreModel.objects.get(kind="health", is_default=True)
        draft = create_draft(tenant=tenant, model=model)
        for key, weight in OTHER_WEIGHTS.items():
            Component.objects.filter(version=draft, key=key).update(weight=weight)
        if edit == "windows":
            Measure.objects.filter(component__version=draft, aggregate="per_week").update(window_days=14)
            Measure.objects.filter(component__version=draft, aggregate="users").update(window_days=14)
        return draft


def _try(tenant_id: int, version_id: int, answer: multiprocessing.Queue[float]) -> None:
    """The whole job as one worker does it; answers with its peak memory in MB."""
    connections.close_all()
    tenant = Tenant.objects.get(pk=tenant_id)
    with tenant_scope(tenant):
        job = start_what_if(tenant=tenant, version=Version.objects.select_related("model").get(pk=version_id))
    if finish_job(tenant, job.pk).state != Job.State.DONE:
        raise RuntimeError("The what-if failed.")
    answer.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _seconds(tenant: Tenant, version: Version) -> tuple[float, float]:
    context = multiprocessing.get_context("fork")
    connections.close_all()
    answer: multiprocessing.Queue[float] = context.Queue()
    started = time.perf_counter()
    process = context.Process(target=_try, args=(tenant.pk, version.pk, answer))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("The what-if failed.")
    return time.perf_counter() - started, answer.get()


def run(sizes: tuple[int, ...] = (10_000, 100_000)) -> list[Row]:
    """Measure each size: a night by one process, then the same accounts tried twice by one process."""
    rows: list[Row] = []
    for size in sizes:
        tenant, day = make_tenant(f"bench-{size}", size)
        owner_sql(
            ["VACUUM ANALYZE usage_day", "VACUUM ANALYZE usage_user_day", "VACUUM ANALYZE accounts_account"]
        )
        nights = []
        for _ in range(REPEATS):
            forget(tenant)
            nights.append(nightly(tenant, day, 1)[0])
        night = statistics.median(nights)
        for edit in ("weights", "windows"):
            draft = _draft(tenant, edit)
            runs = [_seconds(tenant, draft) for _ in range(REPEATS)]
            with tenant_scope(tenant):
                moved = WhatIf.objects.get(version=draft).numbers["moved"]
                discard_draft(tenant=tenant, version=draft)
            seconds = statistics.median(run[0] for run in runs)
            rows.append(
                Row(
                    f"what-if, other {edit}",
                    f"{size:,} accounts, {moved:,} move",
                    f"{seconds:.2f} s, {max(run[1] for run in runs):.0f} MB peak",
                    f"nightly score {night:.2f} s",
                    seconds / night,
                    TARGET,
                )
            )
    return rows
