"""Metrics that reviews write for others to read: written when they change, and once in every month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Account, Tenant
from scoring.overrides.services import push_by_team
from usage.models import Metric

ROI_METRIC = "roi_cents"
SCHEDULED_METRIC = "qbr_scheduled"

STANDING_SQL = """
SELECT DISTINCT ON (p.account_id) p.account_id, p.value FROM usage_pushed_value p
WHERE p.tenant_id = %(tenant)s AND p.metric_id = %(metric)s AND p.key = '' AND p.account_id = ANY(%(ids)s)
  AND p.day BETWEEN %(month)s AND %(day)s
ORDER BY p.account_id, p.day DESC
"""


def push_values(*, tenant: Tenant, key: str, rows: Mapping[tuple[int, date], float | None]) -> None:
    """Write a pushed metric: {(account id, day): value}; None clears. A metric that is switched off is left alone."""
    if not rows or not Metric.objects.filter(tenant=tenant, key=key, active=True).exists():
        return
    names = dict(
        Account.objects.filter(tenant=tenant, pk__in={pk for pk, _ in rows}).values_list("pk", "external_id")
    )
    items: list[dict[str, Any]] = [
        {"account_id": names[pk], "metric": key, "day": day, "value": value}
        for (pk, day), value in rows.items()
        if pk in names
    ]
    push_by_team(tenant=tenant, items=items)


def push_where_new(*, tenant: Tenant, key: str, day: date, values: Mapping[int, float]) -> int:
    """Write a day's values of accounts whose newest one of this month is another, or missing; how many were written."""
    metric = Metric.objects.filter(tenant=tenant, key=key, active=True).first()
    if metric is None or not values:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            STANDING_SQL,
            {
                "tenant": tenant.pk,
                "metric": metric.pk,
                "ids": sorted(values),
                "month": day.replace(day=1),
                "day": day,
            },
        )
        standing = dict(cursor.fetchall())
    fresh = {(pk, day): value for pk, value in values.items() if standing.get(pk) != value}
    push_values(tenant=tenant, key=key, rows=fresh)
    return len(fresh)
