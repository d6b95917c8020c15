"""Facts of growth and of what was kept: MRR, opportunities, holdings, renewals.

What was paid when comes from `expansion.revenue`: the night lays its movements of the months down in `report_movement`.
"""

from __future__ import annotations

from expansion.revenue.selectors import DELTAS, RATES

from .windows import PRESENT, WINDOWS_SQL, inside

MATRIX = "('cross_product', 'cross_department')"  # what the whitespace is made of
# `report_movement(days, account_id, currency, counted, opening, closing, sold)`
EXPANSION = """
SELECT m.account_id, m.days, v.part, m.currency, v.numerator, v.denominator
FROM report_movement m
CROSS JOIN LATERAL (VALUES
  ('share', m.sold::numeric, CASE WHEN m.counted THEN m.opening ELSE 0 END::numeric),
  ('added', m.sold, (m.sold > 0)::int)
) AS v(part, numerator, denominator)
WHERE v.numerator <> 0 OR v.denominator <> 0
"""
GRR = """
SELECT m.account_id, m.days, v.part, v.currency, v.numerator, v.denominator
FROM report_movement m
CROSS JOIN LATERAL (VALUES
  ('rate', m.currency, least(m.opening, m.closing)::numeric, m.opening::numeric),
  ('logos', '', (m.closing > 0)::int, 1)
) AS v(part, currency, numerator, denominator)
WHERE m.counted AND m.opening > 0
"""
NRR = """
SELECT m.account_id, m.days, 'rate' AS part, m.currency, m.closing::numeric AS numerator, m.opening::numeric AS denominator
FROM report_movement m WHERE m.counted AND m.opening > 0
"""
HELD = """EXISTS (SELECT 1 FROM expansion_holding h WHERE h.tenant_id = %(tenant)s AND h.account_id = a.id
  AND h.offering_id = o.id AND h.since_on <= %(day)s AND (h.until_on IS NULL OR h.until_on > %(day)s))"""
# The states of the whitespace: what is not owned and either in the pipeline or for accounts like this one.
COULD_HAVE = f"""EXISTS (
  SELECT 1 FROM expansion_offering o
  WHERE o.tenant_id = %(tenant)s AND o.active AND o.type IN {MATRIX} AND NOT {HELD}
    AND ((o.segments = '{{}}' OR a.segment = ANY(o.segments)) AND (o.plan_kinds = '{{}}' OR a.plan_kind = ANY(o.plan_kinds))
         OR EXISTS (SELECT 1 FROM expansion_opportunity p WHERE p.tenant_id = %(tenant)s AND p.account_id = a.id
                    AND p.type = o.type AND p.what = o.key AND p.opened_on <= %(day)s
                    AND (p.closed_on IS NULL OR p.closed_on > %(day)s))))"""
UPSELL = f"""
SELECT a.id AS account_id, w.days, 'rate' AS part, '' AS currency, (b.won_on IS NOT NULL)::int::numeric AS numerator,
       1::numeric AS denominator
FROM accounts_account a
LEFT JOIN (SELECT account_id, max(closed_on) AS won_on FROM expansion_opportunity
           WHERE tenant_id = %(tenant)s AND stage = 'won' AND closed_on <= %(day)s GROUP BY account_id) l
  ON l.account_id = a.id
CROSS JOIN LATERAL (SELECT {COULD_HAVE} AS could OFFSET 0) c
CROSS JOIN {WINDOWS_SQL}
CROSS JOIN LATERAL (SELECT CASE WHEN {inside("l.won_on")} THEN l.won_on END AS won_on) b
WHERE a.tenant_id = %(tenant)s AND {PRESENT} AND (c.could OR b.won_on IS NOT NULL)
  AND coalesce(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s
"""
USE_CASES = f"""
SELECT a.id AS account_id, w.days, 'rate' AS part, '' AS currency,
       (coalesce(h.now, 0) > coalesce(h.before, 0))::int::numeric AS numerator, 1::numeric AS denominator
FROM accounts_account a CROSS JOIN {WINDOWS_SQL}
LEFT JOIN (
  SELECT h.account_id, w.days,
    count(*) FILTER (WHERE h.since_on <= %(day)s AND (h.until_on IS NULL OR h.until_on > %(day)s)) AS now,
    count(*) FILTER (WHERE h.since_on <= %(day)s::date - w.days
                       AND (h.until_on IS NULL OR h.until_on > %(day)s::date - w.days)) AS before
  FROM expansion_holding h JOIN expansion_offering o ON o.tenant_id = h.tenant_id AND o.id = h.offering_id
  CROSS JOIN {WINDOWS_SQL}
  WHERE h.tenant_id = %(tenant)s AND o.type IN {MATRIX} GROUP BY h.account_id, w.days
) h ON h.account_id = a.id AND h.days = w.days
WHERE a.tenant_id = %(tenant)s AND {PRESENT}
  AND coalesce(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s::date - w.days
"""
# PostgreSQL's least() skips nulls, so open ones are left out before. A sum for each account: it may have several lines.
RENEWALS = f"""
SELECT r.account_id, w.days, v.part, v.currency, sum(v.numerator) AS numerator, sum(v.denominator) AS denominator
FROM expansion_renewal r CROSS JOIN {WINDOWS_SQL}
CROSS JOIN LATERAL (SELECT coalesce(nullif(r.currency, ''), %(base)s) AS currency,
  r.state IN ('renewed', 'lost') AND {inside("r.closed_on")} AS closed,
  (r.state = 'open' OR r.closed_on > %(day)s) AND r.state <> 'void' AND r.opened_on <= %(day)s
    AND r.due_on > %(day)s AND r.due_on <= %(day)s::date + w.days AS due) m
CROSS JOIN LATERAL (
  SELECT 'rate', m.currency, least(r.final_cents, r.target_cents)::numeric, r.target_cents::numeric WHERE m.closed
  UNION ALL SELECT 'logos', '', (r.state = 'renewed')::int, 1 WHERE m.closed
  UNION ALL SELECT 'due', m.currency, r.target_cents, 1 WHERE m.due
  UNION ALL SELECT 'at_risk', m.currency, r.target_cents, 1 WHERE m.due AND r.at_risk
) AS v(part, currency, numerator, denominator)
WHERE r.tenant_id = %(tenant)s
GROUP BY r.account_id, w.days, v.part, v.currency
"""
# Each account by the month in which it first paid: what it paid at the end of that month, and of this one.
_COHORT = f"""
WITH {RATES}, deltas AS ({DELTAS}), begun AS (
  SELECT account_id, date_trunc('month', min("on") FILTER (WHERE amount > 0)) AS month FROM deltas GROUP BY account_id
), paid AS (
  SELECT d.account_id, b.month, d.currency, sum(d.amount) AS now,
         sum(d.amount) FILTER (WHERE d.on < b.month + interval '1 month') AS first
  FROM deltas d JOIN begun b ON b.account_id = d.account_id
  WHERE b.month > %(day)s::date - interval '2 years' GROUP BY d.account_id, b.month, d.currency
)
"""
COHORTS = f"""{_COHORT}
SELECT p.account_id, 0 AS days, v.part, '' AS currency, v.numerator, 1::numeric AS denominator
FROM (SELECT account_id, month, (bool_or(now > 0))::int::numeric AS numerator FROM paid GROUP BY account_id, month) p
CROSS JOIN LATERAL (VALUES ('all', p.numerator), (to_char(p.month, 'YYYY-MM'), p.numerator)) AS v(part, numerator)
"""
COHORT_MRR = f"""{_COHORT}
SELECT p.account_id, 0 AS days, v.part, p.currency, p.now::numeric AS numerator, p.first::numeric AS denominator
FROM paid p CROSS JOIN LATERAL (VALUES ('all'), (to_char(p.month, 'YYYY-MM'))) AS v(part)
WHERE coalesce(p.first, 0) > 0
"""
