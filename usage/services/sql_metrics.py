"""Metrics that an admin defines by SQL: tried before they are saved, computed every night for the day that is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Account, Tenant
from usage.matching import rounded
from usage.models import Metric
from usage.sql import SqlFailed, SqlRefused, run_sql

from .values import write_slot

LIVE_DAYS = 1  # yesterday and today; an older day keeps what was stored then
PREVIEW_ROWS = 20
FRESH = timedelta(hours=26)  # so long the last night's run vouches for a query


@dataclass(frozen=True)
class Trial:
    """What a query gives now: some rows, and figures over all of them; or why it gives nothing."""

    problem: str = ""
    day: date | None = None
    rows: Sequence[tuple[str, str, float | None]] = ()  # external id, name, value
    accounts: int = 0
    missing: int = 0
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    seconds: float = 0.0


def _moment(tenant: Tenant, day: date) -> datetime:
    """The end of the day on the tenant's clock; of a running day, now."""
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=tenant.tz)
    return min(end, timezone.now())


def try_query(*, tenant: Tenant, text: str, decimals: int = 0) -> Trial:
    """Run a query for today and keep nothing of it."""
    day = tenant.today()
    try:
        found = run_sql(tenant, text, day, _moment(tenant, day))
    except (SqlRefused, SqlFailed) as error:
        return Trial(problem=str(error))
    values = {
        account: None if value is None else rounded(value, decimals)
        for account, value in sorted(found.values.items())
    }
    there = [value for value in values.values() if value is not None]
    names = {
        pk: (external_id, name)
        for pk, external_id, name in Account.objects.filter(
            tenant=tenant, pk__in=list(values)[:PREVIEW_ROWS]
        ).values_list("pk", "external_id", "name")
    }
    return Trial(
        day=day,
        rows=[(*names[account], values[account]) for account in list(values)[:PREVIEW_ROWS]],
        accounts=len(values),
        missing=len(values) - len(there),
        low=min(there, default=None),
        mean=sum(there) / len(there) if there else None,
        high=max(there, default=None),
        seconds=found.seconds,
    )


def evaluate_sql_metrics(*, tenant: Tenant, day: date) -> int:
    """Store the value of every SQL metric for a day; how many metrics were computed.

    A day before yesterday keeps what was stored then. A query that fails leaves the day without values and says why at the
    metric; the night goes on.
    """
    if (tenant.today() - day).days > LIVE_DAYS:
        return 0
    done = 0
    for metric in Metric.objects.filter(tenant=tenant, kind=Metric.Kind.SQL, active=True).order_by("id"):
        done += _evaluate(tenant, metric, day)
    return done


def _evaluate(tenant: Tenant, metric: Metric, day: date) -> bool:
    try:
        found = run_sql(tenant, metric.query, day, _moment(tenant, day))
    except (SqlRefused, SqlFailed) as error:
        values: dict[int, float | None] = {}
        metric.query_error, metric.query_seconds = str(error)[:2000], None
    else:
        values = {
            account: None if value is None else rounded(value, metric.decimals)
            for account, value in found.values.items()
        }
        metric.query_error, metric.query_seconds = "", round(found.seconds, 3)
    metric.query_ran_at = timezone.now()
    metric.save(update_fields=["query_error", "query_ran_at", "query_seconds"])
    with connection.cursor() as cursor:
        # Of an earlier run of the same day nothing may stay: it would look like a value of this one.
        cursor.execute(
            f'UPDATE usage_day SET "values"[{int(metric.slot or 0)}] = NULL '
            f'WHERE tenant_id = %s AND day = %s AND "values"[{int(metric.slot or 0)}] IS NOT NULL',
            [tenant.pk, day],
        )
    write_slot(tenant=tenant, day=day, slot=int(metric.slot or 0), values=values)
    return not metric.query_error


def failing_queries(*, tenant: Tenant, keys: Sequence[str]) -> dict[str, str]:
    """Which of these metrics have a query that fails now, and why; one that ran well last night is not run again."""
    since = timezone.now() - FRESH
    failing = {}
    for metric in Metric.objects.filter(tenant=tenant, kind=Metric.Kind.SQL, active=True, key__in=list(keys)):
        if metric.query_ran_at is not None and metric.query_ran_at >= since and not metric.query_error:
            continue
        trial = try_query(tenant=tenant, text=metric.query, decimals=metric.decimals)
        if trial.problem:
            failing[metric.key] = trial.problem
    return failing
