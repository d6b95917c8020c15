"""What the dashboards read: rows of `tenant_day`; the accounts only for whoever sees just some of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Account, Tenant
from accounts.visibility import seeing_everything, sees_all
from health.models import TenantDay, share_pct
from health.summing import FIELDS, summing_sql
from scoring.models import KIND_CODES, Version
from scoring.selectors import version_marks

HEALTHY_TARGET_PCT = 70.0


def summary(tenant: Tenant, on: date | None = None, *, with_version: bool = True) -> TenantDay | None:
    """The newest summary, or the newest one by a day; for whoever sees only some accounts, summed up over those."""
    with seeing_everything():
        rows = TenantDay.objects.filter(tenant=tenant).order_by("-day")
        rows = rows.select_related("version__model") if with_version else rows
        row = (rows.filter(day__lte=on) if on else rows).first()
    if row is None or sees_all():
        return row
    return next(iter(_summed(tenant, [row.day])), None)


def _summed(tenant: Tenant, days: Sequence[date]) -> list[TenantDay]:
    """Summaries of days over the accounts that may be shown, rising; not stored; one query, and one for the versions."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{summing_sql('s.day = ANY(%(days)s)')} ORDER BY r.day",
            {
                "tenant": tenant.pk,
                "kind": KIND_CODES["health"],
                "currency": tenant.currency,
                "days": list(days),
            },
        )
        rows = cursor.fetchall()
    found = [
        TenantDay(tenant=tenant, day=day, **dict(zip(FIELDS, values, strict=True))) for day, *values in rows
    ]
    versions = (
        Version.objects.filter(tenant=tenant)
        .select_related("model")
        .in_bulk({row.version_id for row in found})
    )
    for row in found:
        row.version = versions.get(row.version_id or 0)
    return found


def distribution(tenant: Tenant, on: date | None = None) -> dict[str, Any]:
    """How the accounts are spread over the bands, as the API gives it; percentages are of the scored accounts.

    With `on`, the newest summary by that day; the answer says which day it is of.
    """
    row = summary(tenant, on)
    if row is None:
        return {
            "on": on.isoformat() if on else None,
            "scored": 0,
            "healthy": 0,
            "at_risk": 0,
            "critical": 0,
            "unknown": 0,
            "mean": None,
            "healthy_pct": None,
            "mrr": _mrr(tenant, 0, 0, 0, 0),
        }
    return {
        "on": row.day.isoformat(),
        "scored": row.scored,
        "healthy": row.healthy,
        "at_risk": row.at_risk,
        "critical": row.critical,
        "unknown": row.unknown,
        "mean": None if row.mean is None else round(row.mean, 6),
        "healthy_pct": row.healthy_pct,
        "mrr": _mrr(
            tenant,
            row.mrr_healthy_cents,
            row.mrr_at_risk_cents,
            row.mrr_critical_cents,
            row.mrr_unknown_cents,
        ),
    }


def _mrr(tenant: Tenant, healthy: int, at_risk: int, critical: int, unknown: int) -> dict[str, Any]:
    scored = healthy + at_risk + critical
    return {
        "currency": tenant.currency,
        "scored_cents": scored,
        "healthy_cents": healthy,
        "at_risk_cents": at_risk,
        "critical_cents": critical,
        "unknown_cents": unknown,
        "healthy_pct": share_pct(healthy, scored),
    }


TREND_FIELDS = (
    "day",
    "scored",
    "unknown",
    "mean",
    "coverage",
    "healthy",
    "at_risk",
    "critical",
    "version_id",
)
TREND_SQL = f"""
SELECT DISTINCT ON (date_trunc('week', day)) {", ".join(TREND_FIELDS)}
FROM health_tenant_day WHERE tenant_id = %s AND day BETWEEN %s AND %s ORDER BY date_trunc('week', day), day DESC
"""


def trend(tenant: Tenant, weeks: int = 26, until: date | None = None) -> list[dict[str, Any]]:
    """Shares per band by week, rising: each week by its last summarised day."""
    last = until or tenant.today()
    monday = last - timedelta(days=last.weekday())
    first = monday - timedelta(weeks=weeks - 1)
    with seeing_everything(), connection.cursor() as cursor:
        cursor.execute(TREND_SQL, [tenant.pk, first, last])
        rows = cursor.fetchall()
    if not sees_all():
        rows = [
            tuple(getattr(row, name) for name in TREND_FIELDS)
            for row in _summed(tenant, [values[0] for values in rows])
        ]
    return [
        {
            "week": day - timedelta(days=day.weekday()),
            "day": day,
            "scored": scored,
            "unknown": unknown,
            "mean": mean,
            "coverage": known,
            "healthy_pct": share_pct(healthy, scored),
            "at_risk_pct": share_pct(at_risk, scored),
            "critical_pct": share_pct(critical, scored),
            "version_id": version_id,
        }
        for day, scored, unknown, mean, known, healthy, at_risk, critical, version_id in rows
    ]


def trend_marks(tenant: Tenant, weeks: int = 26, until: date | None = None) -> list[dict[str, Any]]:
    """Where the trend shows a new model version."""
    last = until or tenant.today()
    return version_marks(tenant, last - timedelta(weeks=weeks), last)


def movers(
    tenant: Tenant,
    day: date | None = None,
    *,
    days: int = 7,
    limit: int = 5,
    owner_id: int | None = None,
    row: TenantDay | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """The accounts that fell and rose most within some days: `{"down": […], "up": […]}`, two queries.

    For the whole tenant and a week they are kept with the day's summary (`row`, when the caller has read it already);
    for one owner they are looked up.
    """
    row = row or summary(tenant, day)
    if row is None:
        return {"down": [], "up": []}
    kept = owner_id is None and days == 7 and row.movers and sees_all()
    found = row.movers if kept else movers_between(tenant, row.day, days, limit=limit, owner_id=owner_id)
    ids = [line["account_id"] for lines in found.values() for line in lines]
    names = Account.objects.filter(tenant=tenant).in_bulk(ids)
    return {
        direction: [
            {**line, "account": names[line["account_id"]], "name": names[line["account_id"]].name}
            for line in lines
            if line["account_id"] in names
        ][:limit]
        for direction, lines in found.items()
    }


def movers_between(
    tenant: Tenant, day: date, days: int, *, limit: int, owner_id: int | None = None
) -> dict[str, list[dict[str, Any]]]:
    """The largest falls and rises from `days` before to a day, of accounts that one version scored on both days."""
    owned = "AND a.owner_id = %(owner)s" if owner_id is not None else ""
    sql = f"""
        WITH moved AS (
          SELECT n.account_id, n.score, o.score AS before, n.band, o.band AS band_before, n.score - o.score AS change
          FROM scoring_score AS n
          JOIN scoring_score AS o ON o.tenant_id = n.tenant_id AND o.kind = n.kind AND o.account_id = n.account_id
            AND o.day = %(before)s
          JOIN accounts_account AS a ON a.tenant_id = n.tenant_id AND a.id = n.account_id
          WHERE n.tenant_id = %(tenant)s AND n.kind = %(kind)s AND n.day = %(day)s AND n.band > 0 AND o.band > 0
            AND n.score <> o.score AND n.version_id = o.version_id
            AND (a.churned_on IS NULL OR a.churned_on > %(day)s) {owned}
        )
        (SELECT 'down', * FROM moved WHERE change < 0 ORDER BY change, account_id LIMIT %(limit)s)
        UNION ALL
        (SELECT 'up', * FROM moved WHERE change > 0 ORDER BY change DESC, account_id LIMIT %(limit)s)"""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "tenant": tenant.pk,
                "kind": KIND_CODES["health"],
                "day": day,
                "before": day - timedelta(days=days),
                "limit": limit,
                "owner": owner_id,
            },
        )
        rows = cursor.fetchall()
    out: dict[str, list[dict[str, Any]]] = {"down": [], "up": []}
    for direction, account_id, score, before, band, band_before, change in rows:
        out[direction].append(
            {
                "account_id": account_id,
                "score": score,
                "before": before,
                "band": band,
                "band_before": band_before,
                "change": change,
            }
        )
    return out


def coverage(tenant: Tenant, on: date | None = None) -> dict[str, Any]:
    """How much of the weight is known on average, and how many accounts have no band for want of data."""
    row = summary(tenant, on)
    if row is None:
        return {"on": None, "coverage_pct": None, "scored": 0, "unknown": 0}
    pct = None if row.coverage is None else round(100 * row.coverage, 1)
    return {"on": row.day, "coverage_pct": pct, "scored": row.scored, "unknown": row.unknown}
