"""Drain workers that are killed at any moment store every acknowledged event exactly once."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from typing import Any

import msgspec
import pytest
from django.db import connection, connections

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from tests.conftest import make_tenant
from tests.usage.conftest import NOW, event, post, rollups
from usage.drain import drain_tenant
from usage.inbox import accept
from usage.management.commands.drain import drain_round
from usage.services import install_starter_metrics, verify_rollups
from usage.wire import api

KILLS = 50 if os.environ.get("CS_FULL") else 5
BATCHES = 6 * KILLS
BATCH = 120
PATIENCE_SECONDS = 60


def batches() -> list[list[dict[str, Any]]]:
    """Events with about a third of repeats, late ones, ratios, amounts and dimensions."""
    dice = random.Random(11)
    names = ["Message Sent", "Reply Received", "Deal Closed", "A/B Test Won", "Dashboard Viewed"]
    found = []
    for _ in range(BATCHES):
        part = []
        for _ in range(BATCH):
            number = dice.randrange(BATCHES * BATCH * 2 // 3)
            part.append(
                event(
                    number, event=names[number % 5], account_id=f"a{number % 23}", user_id=f"u{number % 101}",
                    occurred_at=f"2026-03-{1 + number % 17:02d}T{number % 24:02d}:00:00Z",
                    properties={"amount": number / 10, "product": f"p{number % 4}", "channel": "mail"},
                )
            )  # fmt: skip
        found.append(part)
    return found


def work() -> None:
    """What a drain worker does, without end."""
    connections.close_all()
    while True:
        worked, _failed = drain_round()
        if not worked:
            time.sleep(0.01)


def waiting(tenant: Tenant) -> int:
    """Batches in the inbox."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM usage_inbox WHERE tenant_id = %s", [tenant.pk])
        return int(cursor.fetchone()[0])


def progress(tenant: Tenant) -> tuple[int, int]:
    """Attempts counted and receipts written."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(attempts), 0) FROM usage_inbox WHERE tenant_id = %(t)s), "
            "(SELECT count(*) FROM usage_batch WHERE tenant_id = %(t)s)",
            {"t": tenant.pk},
        )
        attempts, receipts = cursor.fetchone()
        return int(attempts), int(receipts)


def new_tenant(slug: str) -> Tenant:
    """A tenant that counts."""
    tenant = make_tenant(slug)
    with tenant_scope(tenant):
        install_starter_metrics(tenant=tenant)
    return tenant


@pytest.mark.chaos
@pytest.mark.timeout(1800 if os.environ.get("CS_FULL") else 300)
@pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])
def test_events_survive_sigkills_of_drain_workers_exactly_once() -> None:
    parts = batches()
    calm, stormy = new_tenant("calm"), new_tenant("stormy")
    for part in parts:
        post(calm, part)
    started = time.monotonic()
    drain_tenant(calm)
    took = time.monotonic() - started
    undisturbed = rollups(calm)

    seed = random.randrange(2**32)
    print(f"seed {seed}, undisturbed {took:.2f} s")
    dice = random.Random(seed)
    fork = multiprocessing.get_context("fork")
    killed = 0
    left = list(parts)
    for _kill in range(KILLS):
        for part in left[: len(parts) // KILLS]:
            with tenant_scope(stormy):
                gated = api.gate(msgspec.json.encode({"events": part}), NOW)
                accept(tenant_id=stormy.pk, door="api", source="api", gated=gated, received_at=NOW)
        left = left[len(parts) // KILLS :]
        connections.close_all()
        workers = [fork.Process(target=work, daemon=True) for _ in range(2)]
        for worker in workers:
            worker.start()
        before = progress(stormy)
        while progress(stormy) == before and all(worker.is_alive() for worker in workers):
            time.sleep(
                0.005
            )  # they connect first, which would take most of the time in which they are killed
        time.sleep(dice.uniform(0, took * 2 / KILLS))
        for worker in workers:
            assert worker.is_alive(), "a drain worker died by itself"
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            killed += 1
        print(f"{waiting(stormy)} of {len(parts) - len(left)} batches left")
    assert killed == 2 * KILLS
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting(stormy) and time.monotonic() < deadline:
        drain_tenant(stormy)  # returns at once while a killed worker's session still holds the tenant
        time.sleep(0.05)
    assert waiting(stormy) == 0
    sent = {item["event_id"] for part in parts for item in part}
    with tenant_scope(stormy), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT key) FROM usage_event WHERE tenant_id = %s", [stormy.pk]
        )
        assert cursor.fetchone() == (len(sent), len(sent))
        cursor.execute(
            "SELECT sum(stored), sum(stored + duplicates), sum(quarantined) FROM usage_batch WHERE tenant_id = %s",
            [stormy.pk],
        )
        assert cursor.fetchone() == (len(sent), BATCHES * BATCH, 0)
    found = rollups(stormy)
    assert found["days"] == undisturbed["days"]
    assert [row[:5] for row in found["users"]] == [row[:5] for row in undisturbed["users"]]
    assert found["dimensions"] == undisturbed["dimensions"]
    with tenant_scope(stormy):
        assert verify_rollups(tenant=stormy).differing == []
