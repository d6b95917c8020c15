"""The nightly score of N accounts × 90 days against the sequential scan of the rows it reads."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from datetime import date

from django.db import connection, connections

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from bench.table import Row
from bench.tenants import make_tenant
from cs_platform.pipeline import account_chunks
from scoring.services import score_accounts

REPEATS = 3
SCAN_SQL = 'SELECT sum(("values")[1]), count(*) FROM usage_day WHERE tenant_id = %s'
SCAN_USERS_SQL = "SELECT sum(events), count(*) FROM usage_user_day WHERE tenant_id = %s"


def owner_sql(statements: list[str]) -> list[int]:
    """Run as the owner of the tables, outside a transaction and the fence; the first number of each answer."""
    import os

    import psycopg2

    owner = psycopg2.connect(os.environ["DATABASE_URL_MIGRATE"])
    owner.autocommit = True
    numbers = []
    with owner.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            numbers += [cursor.fetchone()[0]] if cursor.description else []
    owner.close()
    return numbers


def scan_seconds(tenant: Tenant) -> float:
    """Seconds to read both rollups once from end to end, in one process; other tenants' share of the tables taken off."""
    seconds = 0.0
    for table, sql in (("usage_day", SCAN_SQL), ("usage_user_day", SCAN_USERS_SQL)):
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            cursor.execute("SET LOCAL enable_indexscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            started = time.perf_counter()
            cursor.execute(sql, [tenant.pk])
            took = time.perf_counter() - started
            own = cursor.fetchone()[1]
        seconds += took * own / max(owner_sql([f"SELECT count(*) FROM {table}"])[0], 1)
    return seconds


def forget(tenant: Tenant) -> None:
    """Take all scores of a tenant away, so that the next night writes them anew."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        for table in ("scoring_score", "scoring_current"):
            cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant.pk])
    owner_sql(["VACUUM ANALYZE scoring_score", "VACUUM ANALYZE scoring_current"])


def _score_share(
    tenant_id: int, day: date, share: int, shares: int, answer: multiprocessing.Queue[float]
) -> None:
    """Score every `shares`-th chunk, each in its own transaction as the worker does; answers with peak memory in MB."""
    connections.close_all()
    tenant = Tenant.objects.get(pk=tenant_id)
    with tenant_scope(tenant):
        chunks = account_chunks(tenant)[share::shares]
    for chunk in chunks:
        with tenant_scope(tenant):
            ids = Account.objects.filter(pk__gte=chunk["first"])
            if chunk["last"] is not None:
                ids = ids.filter(pk__lt=chunk["last"])
            score_accounts(
                tenant=tenant, day=day, kinds=("health",), account_ids=list(ids.values_list("pk", flat=True))
            )
    answer.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def nightly(tenant: Tenant, day: date, workers: int) -> tuple[float, float]:
    """Seconds of a whole night with this many worker processes, and the largest worker's memory in MB."""
    context = multiprocessing.get_context("fork")
    connections.close_all()
    answer: multiprocessing.Queue[float] = context.Queue()
    started = time.perf_counter()
    running = [
        context.Process(target=_score_share, args=(tenant.pk, day, share, workers, answer))
        for share in range(workers)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    seconds = time.perf_counter() - started
    if any(process.exitcode for process in running):
        raise RuntimeError("A scoring process failed.")
    return seconds, max(answer.get() for _ in running)


def run(sizes: tuple[int, ...] = (10_000, 100_000)) -> list[Row]:
    """Measure each size; the last row is the slope between the sizes."""
    rows: list[Row] = []
    took: dict[int, float] = {}
    for size in sizes:
        tenant, day = make_tenant(f"bench-{size}", size)
        owner_sql(
            ["VACUUM ANALYZE usage_day", "VACUUM ANALYZE usage_user_day", "VACUUM ANALYZE accounts_account"]
        )
        floor = statistics.median(scan_seconds(tenant) for _ in range(REPEATS))
        for workers, target in ((1, "<= 7"), (2, "<= 4.5")):
            runs = []
            for _ in range(REPEATS):
                forget(tenant)
                runs.append(nightly(tenant, day, workers))
            seconds = statistics.median(run[0] for run in runs)
            rows.append(
                Row(
                    f"nightly health score, {workers} process{'es' if workers > 1 else ''}",
                    f"{size:,} accounts × 90 days",
                    f"{seconds:.2f} s, {max(run[1] for run in runs):.0f} MB peak",
                    f"sequential scan {floor:.2f} s",
                    seconds / floor,
                    target,
                )
            )
            if workers == 2:
                took[size] = seconds
    if len(sizes) == 2:
        small, large = sizes
        rows.append(
            Row(
                "nightly slope",
                f"{small:,} → {large:,} accounts",
                f"{took[large]:.2f} s",
                f"{took[small]:.2f} s",
                took[large] / took[small],
                "<= 14",
            )
        )
    return rows
