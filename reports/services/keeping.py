"""The night's part: the sums of every report for a day, a statement each, whatever the number of accounts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from expansion.renewals.services import rates_of, settings_of
from expansion.revenue.retention import Period
from expansion.revenue.selectors import movements_sql, period_params
from reports.days import MONTHS, WINDOWS, last_month_end, months_before
from reports.definitions import REPORTS
from reports.facts import FACTS
from reports.shape import Report
from scoring.models import KIND_CODES

KEPT_DAYS = 400  # then the last days of weeks stay for another while, and those of months
KEPT_WEEKS = 800
SLICES = 50  # segments and plans with so many names are no dimension: the largest are kept
DAY, MONTH = "day", "month"

BOOK_SQL = f"""
CREATE TEMPORARY TABLE report_book ON COMMIT DROP AS
SELECT a.id AS account_id, coalesce(a.owner_id::text, '') AS owner_key, s.segment, p.plan
FROM accounts_account a
LEFT JOIN (SELECT segment FROM accounts_account WHERE tenant_id = %(tenant)s
           GROUP BY segment ORDER BY count(*) DESC, segment LIMIT {SLICES}) s ON s.segment = a.segment
LEFT JOIN (SELECT plan FROM accounts_account WHERE tenant_id = %(tenant)s
           GROUP BY plan ORDER BY count(*) DESC, plan LIMIT {SLICES}) p ON p.plan = a.plan
WHERE a.tenant_id = %(tenant)s
"""
_INSERT = """
INSERT INTO reports_day (tenant_id, day, metric, days, part, dimension, key, currency, numerator, denominator, n, median,
                         is_final)
"""
_ONCE = "ON CONFLICT (tenant_id, metric, dimension, key, days, day, part, currency) DO NOTHING"  # two nights at once
SUMS = f"""{_INSERT}
SELECT %(tenant)s, %(day)s, %(metric)s, f.days, f.part,
  CASE WHEN grouping(b.owner_key) = 0 THEN 'owner' WHEN grouping(b.segment) = 0 THEN 'segment'
       WHEN grouping(b.plan) = 0 THEN 'plan' ELSE 'all' END,
  coalesce(b.owner_key, b.segment, b.plan, ''), f.currency,
  round(sum(f.numerator), 6), round(sum(f.denominator), 6), count(*) FILTER (WHERE f.denominator <> 0),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY f.numerator::float8) FILTER (WHERE f.part = ANY(%(medians)s)), %(is_final)s
FROM ({{facts}}) AS f JOIN report_book b ON b.account_id = f.account_id
GROUP BY GROUPING SETS ((f.days, f.part, f.currency), (f.days, f.part, f.currency, b.owner_key),
                        (f.days, f.part, f.currency, b.segment), (f.days, f.part, f.currency, b.plan))
HAVING NOT (grouping(b.segment) = 0 AND b.segment IS NULL) AND NOT (grouping(b.plan) = 0 AND b.plan IS NULL)
{_ONCE}"""
MEMBER_SUMS = f"""{_INSERT}
SELECT %(tenant)s, %(day)s, %(metric)s, f.days, f.part, CASE WHEN grouping(f.account_id) = 0 THEN 'owner' ELSE 'all' END,
  CASE WHEN grouping(f.account_id) = 0 THEN coalesce(f.account_id::text, '') ELSE '' END, f.currency,
  sum(f.numerator), sum(f.denominator), sum(f.denominator), NULL, %(is_final)s
FROM ({{facts}}) AS f
GROUP BY GROUPING SETS ((f.days, f.part, f.currency), (f.days, f.part, f.currency, f.account_id))
{_ONCE}"""
# A team's sums are those of its members: an owner may be in several teams, a median is nobody's.
TEAM_SUMS = f"""{_INSERT}
SELECT %(tenant)s, r.day, r.metric, r.days, r.part, 'team', t.team_id::text, r.currency, sum(r.numerator),
  sum(r.denominator), sum(r.n), CASE WHEN count(*) = 1 THEN max(r.median) END, %(is_final)s
FROM reports_day r JOIN accounts_teammember t ON t.tenant_id = r.tenant_id AND t.member_id::text = r.key
WHERE r.tenant_id = %(tenant)s AND r.day = %(day)s AND r.dimension = 'owner' AND r.metric = ANY(%(metrics)s)
GROUP BY r.day, r.metric, r.days, r.part, t.team_id, r.currency
{_ONCE}"""
FORGET_SQL = """
DELETE FROM reports_day WHERE tenant_id = %(tenant)s AND is_final AND (
  day < %(weeks)s AND day <> (date_trunc('month', day) + interval '1 month - 1 day')::date
  OR day < %(days)s AND extract(isodow FROM day) <> 7
    AND day <> (date_trunc('month', day) + interval '1 month - 1 day')::date)
"""


def keep_reports(*, tenant: Tenant, day: date) -> int:
    """Keep the figures of a day, and of the month before it where that has not been done; how many rows were written.

    A day that has ended is made once; the running day is made anew each time. What has no history is left out for days
    before yesterday.
    """
    prefer_hash_joins()
    written = _keep(tenant, day, DAY, [report for report in REPORTS if not report.monthly])
    month = last_month_end(day)
    if month >= tenant.today():  # a month counts when it is over
        month = last_month_end(month.replace(day=1) - timedelta(days=1))
    written += _keep(tenant, month, MONTH, [report for report in REPORTS if report.monthly])
    with connection.cursor() as cursor:
        cursor.execute(
            FORGET_SQL,
            {
                "tenant": tenant.pk,
                "days": tenant.today() - timedelta(days=KEPT_DAYS),
                "weeks": tenant.today() - timedelta(days=KEPT_WEEKS),
            },
        )
    return written


def facts_params(tenant: Tenant, day: date) -> dict[str, Any]:
    """The values that the facts of a day read."""
    until = datetime.combine(day + timedelta(days=1), time.min, tenant.tz)
    return {
        "tenant": tenant.pk,
        "day": day,
        "until": until,
        "since": datetime.combine(day - timedelta(days=max(WINDOWS) - 1), time.min, tenant.tz),
        "zone": tenant.timezone,
        "base": tenant.currency,
        "health": KIND_CODES["health"],
        "month": day.replace(day=1),
        "month_before": months_before(day, 1),
        # of the alerts' statements about people and features
        "first": day - timedelta(days=27),
        "features": _key_features(tenant),
        # of the history of MRR
        "after": day + timedelta(days=1),
        **_rates(tenant),
    }


def _rates(tenant: Tenant) -> dict[str, Any]:
    rates = rates_of(settings_of(tenant))
    return {"currencies": list(rates), "rates": list(rates.values())}


def _key_features(tenant: Tenant) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM usage_feature WHERE tenant_id = %s AND active AND is_key ORDER BY id", [tenant.pk]
        )
        return [row[0] for row in cursor.fetchall()]


def lay_down_movements(tenant: Tenant, day: date, windows: Iterable[int] = WINDOWS) -> None:
    """What each account paid as the last months began and ended, as the temporary table that the facts of MRR read."""
    rates = rates_of(settings_of(tenant))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS report_movement")
        cursor.execute(
            "CREATE TEMPORARY TABLE report_movement (days integer, account_id bigint, currency text, counted boolean, "
            "opening bigint, closing bigint, sold bigint) ON COMMIT DROP"
        )
        for days in windows:
            period = Period(months_before(day, MONTHS[days] - 1), day)
            params = period_params(tenant, period, rates) | {"days": days}
            cursor.execute(
                "INSERT INTO report_movement SELECT %(days)s, m.account_id, coalesce(nullif(m.currency, ''), %(base)s), "
                f"m.counted, m.opening, m.closing, m.sold FROM ({movements_sql(period)}) m "
                "WHERE m.opening > 0 OR m.sold > 0 ON CONFLICT DO NOTHING",
                params,
            )
        cursor.execute("ANALYZE report_movement")


def _keep(tenant: Tenant, day: date, kind: str, reports: list[Report]) -> int:
    today = tenant.today()
    is_final = day < today
    with connection.cursor() as cursor:
        mark: dict[str, Any] = {"tenant": tenant.pk, "day": day, "kind": kind, "is_final": is_final}
        cursor.execute(
            "SELECT is_final FROM reports_day WHERE tenant_id = %(tenant)s AND metric = '' AND day = %(day)s "
            "AND part = %(kind)s",
            mark,
        )
        if (True,) in cursor.fetchall():
            return 0
        made = [report for report in reports if not report.now_only or (today - day).days <= 1]
        keys = [report.key for report in made]
        cursor.execute(
            "DELETE FROM reports_day WHERE tenant_id = %(tenant)s AND day = %(day)s AND NOT is_final "
            "AND (metric = ANY(%(keys)s) OR metric = '' AND part = %(kind)s)",
            mark | {"keys": keys},
        )
        cursor.execute("DROP TABLE IF EXISTS report_book")
        cursor.execute(BOOK_SQL, {"tenant": tenant.pk})
        cursor.execute("ANALYZE report_book")
        if kind == MONTH:
            lay_down_movements(tenant, day)
        params = facts_params(tenant, day) | {"is_final": is_final}
        written: int = 0
        for report in made:
            medians = [part.key for part in report.parts if part.kind == "median"]
            statement = MEMBER_SUMS if report.by_member else SUMS
            cursor.execute(
                statement.format(facts=FACTS[report.key]),
                params | {"metric": report.key, "medians": medians},
            )
            written += cursor.rowcount
        cursor.execute(TEAM_SUMS, mark | {"metrics": keys})
        written += cursor.rowcount
        cursor.execute(
            f"{_INSERT} VALUES (%(tenant)s, %(day)s, '', 0, %(kind)s, 'all', '', '', 0, 0, 0, NULL, %(is_final)s) {_ONCE}",
            mark,
        )
    return written
