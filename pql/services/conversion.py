"""Who converted from which band: the ground on which thresholds can be judged."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Tenant
from scoring.models import KIND_CODES

WINDOW_DAYS = 90
MONTHS_SHOWN = 13
DAYS_BACK = 31 * MONTHS_SHOWN

# The best band that an account reached in a month, and when first; days after its conversion say nothing any more.
MONTHS_SQL = """
INSERT INTO pql_accountmonth (tenant_id, account_id, month, band, reached_on)
SELECT %(tenant)s, f.account_id, f.month, f.band, f.day FROM (
  SELECT DISTINCT ON (c.account_id, date_trunc('month', c.day)) c.account_id, date_trunc('month', c.day)::date AS month,
         c.band, c.day
  FROM scoring_score c JOIN pql_standing s ON s.tenant_id = c.tenant_id AND s.account_id = c.account_id
  WHERE c.tenant_id = %(tenant)s AND c.kind = %(kind)s AND c.day BETWEEN %(first)s AND %(last)s AND c.band > 0
    AND (s.converted_on IS NULL OR s.converted_on > c.day)
  ORDER BY c.account_id, date_trunc('month', c.day), c.band DESC, c.day
) AS f
ON CONFLICT (tenant_id, month, account_id) DO UPDATE SET band = excluded.band, reached_on = excluded.reached_on
WHERE pql_accountmonth.band < excluded.band
"""
COUNT_SQL = """
INSERT INTO pql_conversionmonth (tenant_id, month, band, accounts, converted, waiting)
SELECT %(tenant)s, m.month, m.band, count(*),
       count(*) FILTER (WHERE bought.yes),
       count(*) FILTER (WHERE m.reached_on + %(window)s > %(day)s AND NOT bought.yes)
FROM pql_accountmonth m JOIN pql_standing s ON s.tenant_id = m.tenant_id AND s.account_id = m.account_id
CROSS JOIN LATERAL (
  SELECT coalesce(s.converted_on > m.reached_on AND s.converted_on <= m.reached_on + %(window)s, false)
      OR coalesce(s.paid_on > m.reached_on AND s.paid_on <= m.reached_on + %(window)s, false) AS yes
) AS bought
WHERE m.tenant_id = %(tenant)s AND m.month > %(day)s::date - %(back)s AND m.month <= %(day)s
  AND (s.converted_on IS NULL OR s.converted_on > m.reached_on)
GROUP BY 2, 3
ON CONFLICT (tenant_id, month, band) DO UPDATE
SET accounts = excluded.accounts, converted = excluded.converted, waiting = excluded.waiting
"""


def count_conversions(*, tenant: Tenant, day: date, first_day: date | None = None) -> None:
    """Add the days' bands to their months, and count anew who converted within 90 days of reaching theirs.

    The first night takes in the history there is; later ones add a day.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "tenant": tenant.pk,
            "kind": KIND_CODES["pql"],
            "day": day,
            "last": day,
            "first": first_day or _first_day(tenant, day),
            "window": WINDOW_DAYS,
            "back": DAYS_BACK,
        }
        cursor.execute(MONTHS_SQL, values)
        # a month whose last account of a band has gone is not written again
        cursor.execute("DELETE FROM pql_conversionmonth WHERE tenant_id = %(tenant)s", values)
        cursor.execute(COUNT_SQL, values)


def _first_day(tenant: Tenant, day: date) -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pql_accountmonth WHERE tenant_id = %s)", [tenant.pk])
        (begun,) = cursor.fetchone()
    return day if begun else day - timedelta(days=DAYS_BACK)
