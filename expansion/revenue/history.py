"""The history of what accounts pay: a row where the MRR of a line changed. Written each night, set-based."""

from __future__ import annotations

from datetime import date

from django.db import connection

from accounts.models import Tenant
from expansion.renewals.lines import read_lines

# An account that has got subscriptions is told by them from then on: its own line ends where the first of them begins.
HANDED_OVER_SQL = """
WITH own AS (
  SELECT DISTINCT m.account_id FROM expansion_mrrchange m
  WHERE m.tenant_id = %(tenant)s AND m.line_id = 0
    AND NOT EXISTS (SELECT 1 FROM renewal_incoming l WHERE l.account_id = m.account_id AND l.line_id = 0)
), begins AS (
  SELECT o.account_id, min(least(coalesce(l.starts_on, l.known_on), %(day)s)) AS first_on
  FROM own o JOIN renewal_incoming l ON l.account_id = o.account_id GROUP BY o.account_id
)
DELETE FROM expansion_mrrchange m USING begins b
WHERE m.tenant_id = %(tenant)s AND m.account_id = b.account_id AND m.line_id = 0 AND m.on >= b.first_on
  AND NOT (m.on = b.first_on AND m.mrr_cents = 0)
"""
HANDED_OVER_END_SQL = """
INSERT INTO expansion_mrrchange (tenant_id, account_id, line_id, "on", mrr_cents, currency)
SELECT %(tenant)s, n.account_id, 0, n.first_on, 0, n.currency FROM (
  SELECT m.account_id, (array_agg(m.currency ORDER BY m.on DESC))[1] AS currency,
         (array_agg(m.mrr_cents ORDER BY m.on DESC))[1] AS mrr_cents,
         (SELECT min(least(coalesce(l.starts_on, l.known_on), %(day)s)) FROM renewal_incoming l
          WHERE l.account_id = m.account_id) AS first_on
  FROM expansion_mrrchange m
  WHERE m.tenant_id = %(tenant)s AND m.line_id = 0
    AND m.account_id IN (SELECT account_id FROM renewal_incoming GROUP BY account_id HAVING min(line_id) > 0)
  GROUP BY m.account_id
) n WHERE n.mrr_cents > 0
ON CONFLICT (tenant_id, account_id, line_id, "on") DO UPDATE SET mrr_cents = 0
"""
# A line that is seen for the first time is known from its start on, at today's price: what it cost before nobody has said.
FIRST_SQL = """
INSERT INTO expansion_mrrchange (tenant_id, account_id, line_id, "on", mrr_cents, currency)
SELECT %(tenant)s, l.account_id, l.line_id, least(coalesce(l.starts_on, l.known_on), %(day)s), l.mrr_cents, l.currency
FROM renewal_incoming l
WHERE l.mrr_cents > 0 AND coalesce(l.starts_on <= %(day)s, true)
  AND coalesce(l.ended_on > coalesce(l.starts_on, l.known_on), true)
  AND NOT EXISTS (SELECT 1 FROM expansion_mrrchange m
                  WHERE m.tenant_id = %(tenant)s AND m.account_id = l.account_id AND m.line_id = l.line_id)
ON CONFLICT (tenant_id, account_id, line_id, "on") DO NOTHING
"""
NEWEST = """
SELECT DISTINCT ON (account_id, line_id) account_id, line_id, "on", mrr_cents, currency FROM expansion_mrrchange
WHERE tenant_id = %(tenant)s AND "on" <= %(day)s ORDER BY account_id, line_id, "on" DESC
"""
# Another price, another currency, or running again: from today on.
CHANGED_SQL = f"""
INSERT INTO expansion_mrrchange (tenant_id, account_id, line_id, "on", mrr_cents, currency)
SELECT %(tenant)s, l.account_id, l.line_id, %(day)s, l.mrr_cents, l.currency
FROM renewal_incoming l JOIN ({NEWEST}) m ON m.account_id = l.account_id AND m.line_id = l.line_id
WHERE coalesce(l.ended_on > %(day)s, true) AND coalesce(l.starts_on <= %(day)s, true)
  AND (m.mrr_cents, m.currency) IS DISTINCT FROM (l.mrr_cents, l.currency)
  AND NOT (m.mrr_cents = 0 AND l.mrr_cents = 0)
ON CONFLICT (tenant_id, account_id, line_id, "on")
DO UPDATE SET mrr_cents = excluded.mrr_cents, currency = excluded.currency
"""
# An end is noted on the day it happened, which may be told later; what was noted after it did not happen.
ENDED_FORGET_SQL = """
DELETE FROM expansion_mrrchange m USING renewal_incoming l
WHERE m.tenant_id = %(tenant)s AND l.account_id = m.account_id AND l.line_id = m.line_id AND l.ended_on <= %(day)s
  AND m.on > l.ended_on AND m.mrr_cents > 0
"""
ENDED_SQL = f"""
INSERT INTO expansion_mrrchange (tenant_id, account_id, line_id, "on", mrr_cents, currency)
SELECT %(tenant)s, l.account_id, l.line_id, l.ended_on, 0, m.currency
FROM renewal_incoming l JOIN ({NEWEST}) m ON m.account_id = l.account_id AND m.line_id = l.line_id
WHERE l.ended_on <= %(day)s AND m.mrr_cents > 0
ON CONFLICT (tenant_id, account_id, line_id, "on") DO UPDATE SET mrr_cents = 0
"""
# A subscription that its source has deleted pays nothing from today on.
GONE_SQL = f"""
INSERT INTO expansion_mrrchange (tenant_id, account_id, line_id, "on", mrr_cents, currency)
SELECT %(tenant)s, m.account_id, m.line_id, %(day)s, 0, m.currency
FROM ({NEWEST}) m
WHERE m.mrr_cents > 0 AND NOT EXISTS (SELECT 1 FROM renewal_incoming l
                                      WHERE l.account_id = m.account_id AND l.line_id = m.line_id)
ON CONFLICT (tenant_id, account_id, line_id, "on") DO UPDATE SET mrr_cents = 0
"""


def keep_mrr_history(*, tenant: Tenant, day: date) -> int:
    """Note what changed in what accounts pay; how many rows were written. Twice the same day changes nothing."""
    read_lines(tenant)
    written = 0
    with connection.cursor() as cursor:
        params: dict[str, int | date] = {"tenant": tenant.pk, "day": day}
        for statement in (
            HANDED_OVER_SQL,
            HANDED_OVER_END_SQL,
            FIRST_SQL,
            CHANGED_SQL,
            ENDED_FORGET_SQL,
            ENDED_SQL,
            GONE_SQL,
        ):
            cursor.execute(statement, params)
            written += cursor.rowcount
    return written
