"""Ten rules over N accounts × 90 days as one pass, against the sequential scan of the rows it reads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from unittest import mock

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from alerts.models import Alert, Rule
from alerts.probes import night
from alerts.services import evaluate_rules
from bench.nightly import REPEATS, owner_sql, scan_seconds
from bench.table import Row
from bench.tenants import make_tenant

FIRST_TARGET, AGAIN_TARGET = "<= 3", "<= 1"


def _metric(metric: str, **comparison: Any) -> dict[str, Any]:
    return {"any": [{"fact": "metric", "metric": metric, **comparison}]}


# Over several metrics, windows and ways to compare; together they find something at about one account in ten each.
CONDITIONS: tuple[dict[str, Any], ...] = (
    _metric("all_events", days=7, complete_weeks=True, op="under", past=0.7, times=4, least=3),
    _metric("sends", days=7, op="under", value=30),
    _metric("demos_booked", days=28, op="over", value=290),
    _metric("reports", days=14, op="under", past=0.8, times=2),
    _metric("variations", days=7, op="over", versus="reports", share=1.4),
    _metric("invites", days=28, op="under", value=190),
    {
        "all": [
            {"fact": "metric", "metric": "closes", "days": 7, "op": "under", "value": 40},
            {"fact": "field", "field": "mrr", "op": "at_least", "value": 3000},
        ]
    },
    {
        "all": [
            {"fact": "score", "op": "under", "value": 60},
            {"fact": "field", "field": "segment", "op": "is", "values": ["enterprise"]},
        ]
    },
    _metric("active_users", days=7, op="under", value=4),
    _metric("reply_rate", days=7, op="under", past=0.6, times=4),
)


def _prepare(size: int) -> tuple[Tenant, date]:
    tenant, day = make_tenant(f"bench-rules-{size}", size)
    with tenant_scope(tenant):
        Rule.objects.update(enabled=False)
        Rule.objects.filter(key__startswith="bench").delete()
        Rule.objects.bulk_create(
            Rule(
                tenant=tenant,
                key=f"bench_{n}",
                name=f"Bench {n}",
                kind=Rule.Kind.CONDITIONS,
                params={"tree": tree},
                play=Rule.Play.NONE,
                position=n,
            )
            for n, tree in enumerate(CONDITIONS)
        )
    return tenant, day


def _forget(tenant: Tenant) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_timelineentry WHERE tenant_id = %s", [tenant.pk])
        cursor.execute("DELETE FROM alerts_alert WHERE tenant_id = %s", [tenant.pk])
    owner_sql(["VACUUM ANALYZE alerts_alert", "VACUUM ANALYZE accounts_timelineentry"])


@contextmanager
def _reading() -> Iterator[list[float]]:
    """The seconds that reading the rollups takes, one entry a call: what a pass cannot do without."""
    took: list[float] = []
    read = night.read_windows

    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        found = read(*args)
        took.append(time.perf_counter() - started)
        return found

    with mock.patch.object(night, "read_windows", timed):
        yield took


def _timed(tenant: Tenant, day: date) -> tuple[float, float, int]:
    """Seconds of a pass, those of them that reading the rollups took, and how many alerts opened."""
    started = time.perf_counter()
    with tenant_scope(tenant), _reading() as reading:
        prefer_hash_joins()
        opened = evaluate_rules(tenant=tenant, day=day, suppress_deliveries=True).opened
    return time.perf_counter() - started, sum(reading), opened


def run(sizes: tuple[int, ...] = (10_000, 100_000)) -> list[Row]:
    """A first night, in which everything opens; the same night again, which changes nothing; and the night after it."""
    rows = []
    for size in sizes:
        tenant, day = _prepare(size)
        owner_sql(
            ["VACUUM ANALYZE usage_day", "VACUUM ANALYZE usage_user_day", "VACUUM ANALYZE accounts_account"]
        )
        floor = statistics.median(scan_seconds(tenant) for _ in range(REPEATS))
        took: dict[str, list[float]] = {}
        opened = 0
        for _ in range(REPEATS if size <= 10_000 else 1):
            _forget(tenant)
            seconds, _read, opened = _timed(tenant, day)
            took.setdefault(f"first night, {opened:,} alerts", []).append(seconds)
            again, read, changed = _timed(tenant, day)
            assert changed == 0
            took.setdefault("again", []).append(again)
            took.setdefault("again, beyond reading the rollups", []).append(again - read)
            took.setdefault("next night", []).append(_timed(tenant, day + timedelta(days=1))[0])
        with tenant_scope(tenant):
            assert Alert.objects.filter(opened_on=day).count() == opened
        for name, times in took.items():
            seconds = statistics.median(times)
            target = (
                AGAIN_TARGET if name.startswith("again") else FIRST_TARGET if name.startswith("first") else ""
            )
            rows.append(
                Row(
                    f"ten rules, {name}",
                    f"{size:,} accounts × 90 days",
                    f"{seconds:.2f} s",
                    f"sequential scan {floor:.2f} s",
                    seconds / floor,
                    target,
                )
            )
    return rows
