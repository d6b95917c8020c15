"""What each account did in the last 7 and 28 days, one row per account: lists find and sort accounts by it.

Adding up the rollups of 100,000 accounts takes the better part of a second, so the night does it once; a list says that it
is as of last night. Values stand at the metric's slot. Every account has a row, also one that did nothing, so that a list
can be found among these rows alone; an account (or a metric) that was not there last night has nothing until the next.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from usage.models import Metric

TABLE = "usage_recent"
CREATE = f"""
CREATE TABLE {TABLE} (
  tenant_id bigint NOT NULL,
  account_id bigint NOT NULL,
  through date NOT NULL,                     -- the last day that is in it
  week double precision[] NOT NULL,          -- by slot, the 7 days up to it
  month double precision[] NOT NULL,         -- by slot, the 28 days up to it
  PRIMARY KEY (tenant_id, account_id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts_account (tenant_id, id) ON DELETE CASCADE
)
"""
ADDED = frozenset({Metric.Kind.ALL_EVENTS, Metric.Kind.COUNT, Metric.Kind.SUM})
NEWEST = frozenset({Metric.Kind.LAST, Metric.Kind.PUSHED, Metric.Kind.STATE, Metric.Kind.SQL})
WINDOWS = {"week": 7, "month": 28}

REFRESH = """
INSERT INTO usage_recent AS r (tenant_id, account_id, through, week, month)
SELECT a.tenant_id, a.id, %(last)s, {week}, {month}
FROM accounts_account a LEFT JOIN usage_day d ON d.tenant_id = %(tenant)s AND d.account_id = a.id
  AND d.day > %(before)s AND d.day <= %(last)s
WHERE a.tenant_id = %(tenant)s
GROUP BY a.tenant_id, a.id
ON CONFLICT (tenant_id, account_id) DO UPDATE
SET through = excluded.through, week = excluded.week, month = excluded.month
"""


def place_of(metric: Metric | None) -> int | None:
    """Where a metric stands in the arrays; None for one that is computed from people and days."""
    if metric is None or metric.slot is None:
        return None
    return metric.slot if metric.kind in ADDED | NEWEST | {Metric.Kind.MAX} else None


def _cell(metric: Metric | None, days: int) -> str:
    if metric is None:
        return "NULL"
    value = f'd."values"[{int(metric.slot or 0)}]'
    recent = f"d.day > %(last)s - {days}"
    if metric.kind in ADDED:
        return f"coalesce(sum({value}) FILTER (WHERE {recent}), 0)"  # an account that fell silent did it zero times
    if metric.kind == Metric.Kind.MAX:
        return f"max({value}) FILTER (WHERE {recent})"
    return f"(array_agg({value} ORDER BY d.day DESC) FILTER (WHERE {value} IS NOT NULL AND {recent}))[1]"


def refresh_recent(*, tenant: Tenant, day: date) -> int:
    """Write the windows that end with this day for every account; returns how many.

    Two statements whatever the number of accounts; a day before the one that is stored changes nothing.
    """
    metrics = {
        m.slot: m for m in Metric.objects.filter(tenant=tenant, active=True).exclude(slot=None) if place_of(m)
    }
    slots = range(1, max((slot for slot in metrics if slot is not None), default=0) + 1)
    arrays = {
        name: f"ARRAY[{', '.join(_cell(metrics.get(slot), days) for slot in slots)}]::double precision[]"
        for name, days in WINDOWS.items()
    }
    prefer_hash_joins()
    values: dict[str, int | date] = {"tenant": tenant.pk, "last": day, "before": day - timedelta(days=28)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(through) FROM usage_recent WHERE tenant_id = %s", [tenant.pk])
        newest = cursor.fetchone()[0]
        if newest is not None and newest > day:
            return 0
        cursor.execute(REFRESH.format(**arrays), values)
        return int(cursor.rowcount)
