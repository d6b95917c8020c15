"""Accepting and draining events against COPY of the same rows, everything distinct, on a server that syncs its writes.

Accepting: batches of 500 over HTTP through gunicorn, eight kept-alive connections from processes of their own. Draining:
one process, from the inbox to stored, deduplicated events and rollups; every tenth batch was sent twice, the repeats count
as work and not as events. The floor is COPY of the same rows in the same batches, a commit each, on one connection, into
a plain logged table without indexes.
"""

from __future__ import annotations

import http.client
import io
import multiprocessing
import os
import resource
import statistics
import threading
import time
from multiprocessing.synchronize import Barrier
from typing import Any

import django
import psycopg2
from django.db import connection

from accounts.fence.scope import tenant_scope
from bench.events import BATCH, Stream, stream
from bench.serving import web_server
from bench.table import Row

EVENTS = 200_000
REPEATS = 3
LOADERS, CONNECTIONS = 2, 4  # processes, connections of each
RESENT_EVERY = 10
Result = dict[str, float]

FLOOR_SQL = """
CREATE TABLE bench_floor (
  tenant_id bigint, account_id bigint, user_id bigint, name text, occurred_at timestamptz, key uuid, properties jsonb
)
"""


def _load(port: int, key: str, events: Stream, numbers: list[int], start: Barrier, done: Any) -> None:
    """A loader process: make the bodies, wait for the signal, post them; says what went wrong, or nothing."""
    shares = [[events.body(number) for number in numbers[place::CONNECTIONS]] for place in range(CONNECTIONS)]
    problems: list[str] = []
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Host": "localhost"}

    def post(bodies: list[bytes]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        line.request("GET", "/healthz", headers={"Host": "localhost"})
        line.getresponse().read()
        start.wait()
        expected = b'"accepted":%d,"rejected":[]}' % BATCH
        for body in bodies:
            line.request("POST", "/api/v1/events", body, headers)
            response = line.getresponse()
            answer = response.read()
            if response.status != 200 or not answer.endswith(expected):
                problems.append(f"{response.status} {answer[:200]!r}")
                return

    threads = [threading.Thread(target=post, args=(bodies,)) for bodies in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.put(problems)


def _accept(port: int, key: str, events: Stream, numbers: list[int]) -> float:
    """Seconds until all of these batches are acknowledged."""
    context = multiprocessing.get_context("spawn")
    start, done = context.Barrier(LOADERS * CONNECTIONS + 1), context.Queue()
    loaders = [
        context.Process(target=_load, args=(port, key, events, numbers[place::LOADERS], start, done))
        for place in range(LOADERS)
    ]
    for loader in loaders:
        loader.start()
    start.wait(300)
    started = time.perf_counter()
    problems = [problem for _ in loaders for problem in done.get(timeout=600)]
    seconds = time.perf_counter() - started
    for loader in loaders:
        loader.join()
    if problems:
        raise RuntimeError(f"The server answered {problems[0]}")
    return seconds


def _drain(tenant_id: int, answer: Any) -> None:
    """A drain process: seconds, events stored, and its peak memory in MB."""
    os.environ["CS_PROCESS"] = "drain"
    django.setup()
    from accounts.models import Tenant
    from usage.drain import drain_tenant

    tenant = Tenant.objects.get(pk=tenant_id)
    started = time.perf_counter()
    result = drain_tenant(tenant)
    seconds = time.perf_counter() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.put({"seconds": seconds, "stored": result.stored, "again": result.duplicates, "memory": megabytes})


def _drained(tenant_id: int) -> Result:
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_drain, args=(tenant_id, answer))
    process.start()
    result: Result = answer.get(timeout=1800)
    process.join()
    return result


def _copy(events: Stream) -> float:
    """Seconds of COPY of the same rows."""
    parts = [events.copy_lines(number) for number in range(events.batches)]
    owner = psycopg2.connect(os.environ["DATABASE_URL_MIGRATE"])
    try:
        with owner, owner.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_floor")
            cursor.execute(FLOOR_SQL)
        started = time.perf_counter()
        for part in parts:
            with owner, owner.cursor() as cursor:
                cursor.copy_expert("COPY bench_floor FROM STDIN", io.BytesIO(part))
        seconds = time.perf_counter() - started
        with owner, owner.cursor() as cursor:
            cursor.execute("DROP TABLE bench_floor")
    finally:
        owner.close()
    return seconds


def _check(tenant_id: int, expected: int) -> None:
    """Every event is stored once and counted once."""
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM usage_event WHERE tenant_id = %(t)s), "
            "(SELECT sum(events) FROM usage_user_day WHERE tenant_id = %(t)s), "
            "(SELECT count(*) FROM usage_inbox WHERE tenant_id = %(t)s)",
            {"t": tenant_id},
        )
        found = cursor.fetchone()
    if found != (expected, expected, 0):
        raise RuntimeError(f"{expected} events were sent; stored, counted, left over: {found}")


def _measure(port: int, size: int) -> tuple[Result, int]:
    """Medians of a size."""
    from accounts.keys import make_key
    from accounts.services.tenants import create_tenant

    tenant = create_tenant(slug=f"ingest-{size}", name="Ingest", timezone="UTC", language="en")
    _key, raw = make_key(tenant=tenant, name="bench", scope="ingest")
    found: list[Result] = []
    for run in range(REPEATS):
        events = stream(run, size)
        numbers = list(range(events.batches))
        floor = _copy(events)
        accepted = _accept(port, raw, events, numbers)
        _accept(port, raw, events, numbers[::RESENT_EVERY])
        drained = _drained(tenant.pk)
        _check(tenant.pk, size * (run + 1))
        found.append(
            {"floor": floor, "accept": accepted, "drain": drained["seconds"], "memory": drained["memory"]}
        )
    result = {name: statistics.median(one[name] for one in found) for name in ("floor", "accept", "drain")}
    return result | {"memory": max(one["memory"] for one in found)}, size


def run(small: bool = False) -> list[Row]:
    """A size and a tenth of it; the last rows are the slopes between them."""
    large = EVENTS // 10 if small else EVENTS
    with web_server(API_REQUESTS_PER_MINUTE="1000000000") as port:  # requests are counted as always
        measured = [_measure(port, size) for size in (large // 10, large)]
    rows: list[Row] = []
    for result, size in measured:
        floor = f"COPY {size / result['floor']:,.0f} rows/s"
        for name, field, target in (("accept", "accept", ">= 1.5"), ("drain", "drain", ">= 0.2")):
            value = f"{size / result[field]:,.0f} events/s"
            target = target if size == large else ""  # a tenth is here for the slope: it is few requests
            if field == "drain":
                value += f", {result['memory']:.0f} MB peak"
            rows.append(
                Row(f"{name} events, batches of {BATCH}", f"{size:,} events", value, floor,
                    result["floor"] / result[field], target)
            )  # fmt: skip
    (tenth, few), (whole, many) = measured
    for name, field, unit, target in (
        ("accept slope", "accept", "s", "<= 13"),
        ("drain slope", "drain", "s", "<= 13"),
        ("drain memory", "memory", "MB", "<= 1.5"),
    ):
        rows.append(
            Row(name, f"{few:,} → {many:,} events", f"{whole[field]:.2f} {unit}", f"{tenth[field]:.2f} {unit}",
                whole[field] / tenth[field], target)
        )  # fmt: skip
    return rows
