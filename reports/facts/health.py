"""Facts of health and use, from the stored scores and the days of people."""

from __future__ import annotations

from alerts.probes.features import PEOPLE_SQL, USED_SQL

from .windows import PRESENT, WINDOWS_SQL

KEY_FEATURES = 20  # so many are kept by name; all of them count together
# MRR in another currency stands by itself, as on the page of health.
DISTRIBUTION = f"""
SELECT s.account_id, 0 AS days, v.part, v.currency, v.numerator, v.denominator
FROM scoring_score s
JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
CROSS JOIN LATERAL (SELECT coalesce(nullif(a.currency, ''), %(base)s) AS currency, (s.band > 0)::int AS known) m
CROSS JOIN LATERAL (
  SELECT 'healthy'::text, ''::text, (s.band = 3)::int::numeric, m.known::numeric
  UNION ALL SELECT 'at_risk', '', (s.band = 2)::int::numeric, m.known::numeric
  UNION ALL SELECT 'critical', '', (s.band = 1)::int::numeric, m.known::numeric
  UNION ALL SELECT 'unknown', '', (s.band = 0)::int::numeric, 1::numeric
  UNION ALL SELECT 'mean', '', CASE WHEN s.band > 0 THEN s.score::numeric ELSE 0 END, m.known::numeric
  UNION ALL SELECT 'coverage', '', s.coverage::numeric, 1::numeric
  UNION ALL SELECT 'mrr_healthy', m.currency, ((s.band = 3)::int * a.mrr_cents)::numeric, (m.known * a.mrr_cents)::numeric
  UNION ALL SELECT 'mrr_at_risk', m.currency, ((s.band = 2)::int * a.mrr_cents)::numeric, (m.known * a.mrr_cents)::numeric
  UNION ALL SELECT 'mrr_critical', m.currency, ((s.band = 1)::int * a.mrr_cents)::numeric, (m.known * a.mrr_cents)::numeric
) AS v(part, currency, numerator, denominator)
WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s AND s.day = %(day)s AND {PRESENT} AND v.denominator <> 0
"""
# The mean of an account's month, of accounts that have one in both months.
TREND = f"""
SELECT m.account_id, 0 AS days, v.part, '' AS currency, v.numerator, 1::numeric AS denominator
FROM (
  SELECT s.account_id, avg(s.score::numeric) FILTER (WHERE s.day >= %(month)s) AS now,
         avg(s.score::numeric) FILTER (WHERE s.day < %(month)s) AS before
  FROM scoring_score s JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
  WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s AND s.day BETWEEN %(month_before)s AND %(day)s AND s.band > 0
    AND {PRESENT}
  GROUP BY s.account_id
) m
CROSS JOIN LATERAL (VALUES ('change', m.now - m.before), ('now', m.now), ('before', m.before)) AS v(part, numerator)
WHERE m.now IS NOT NULL AND m.before IS NOT NULL
"""
MOVERS = f"""
SELECT n.account_id, w.days, v.part, '' AS currency, v.numerator, 1::numeric AS denominator
FROM {WINDOWS_SQL}
JOIN scoring_score n ON n.tenant_id = %(tenant)s AND n.kind = %(health)s AND n.day = %(day)s AND n.band > 0
JOIN scoring_score o ON o.tenant_id = %(tenant)s AND o.kind = %(health)s AND o.account_id = n.account_id
  AND o.day = %(day)s::date - w.days AND o.band > 0 AND o.version_id = n.version_id
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = n.account_id
CROSS JOIN LATERAL (VALUES ('worse', (n.band < o.band)::int::numeric), ('better', (n.band > o.band)::int::numeric))
  AS v(part, numerator)
WHERE {PRESENT}
"""
# Who has access and who used it are the alerts' own statements (alerts/probes/features.py).
ADOPTION = f"""
SELECT p.account_id, 0 AS days, v.part, '' AS currency, sum(v.users)::numeric AS numerator,
       sum(v.people)::numeric AS denominator
FROM ({PEOPLE_SQL}) AS p(account_id, everybody, admins)
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = p.account_id
CROSS JOIN (
  SELECT id, key, access, row_number() OVER (ORDER BY name, id) <= {KEY_FEATURES} AS named
  FROM usage_feature WHERE tenant_id = %(tenant)s AND active AND is_key
) f
LEFT JOIN ({USED_SQL.format(table="%(user_day)s")}) AS u(account_id, feature_id, users, admins)
  ON u.account_id = p.account_id AND u.feature_id = f.id
CROSS JOIN LATERAL (SELECT CASE WHEN f.access = 'admins' THEN p.admins ELSE p.everybody END AS people,
                           coalesce(CASE WHEN f.access = 'admins' THEN u.admins ELSE u.users END, 0) AS users) n
CROSS JOIN LATERAL (SELECT 'all', least(n.users, n.people), n.people
                    UNION ALL SELECT f.key, least(n.users, n.people), n.people WHERE f.named) AS v(part, users, people)
WHERE n.people > 0 AND {PRESENT}
GROUP BY p.account_id, v.part
""".replace("%(user_day)s", "(SELECT *, day AS known_on FROM usage_user_day WHERE tenant_id = %(tenant)s)")
# Components of which every measure reads a metric that is counted in events; nothing that is pushed, or of tickets or bills.
ENGAGEMENT = f"""
SELECT s.account_id, 0 AS days, 'score' AS part, '' AS currency,
       (sum(c.weight * v.value) / sum(c.weight))::numeric AS numerator, 1::numeric AS denominator
FROM scoring_score s
JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
CROSS JOIN LATERAL unnest(s.components) WITH ORDINALITY AS v(value, place)
JOIN (
  SELECT c.version_id, c.weight, row_number() OVER (PARTITION BY c.version_id ORDER BY c.position, c.id) AS place,
    (SELECT bool_and(t.kind NOT IN ('pushed', 'state', 'sql')) FROM scoring_measure m
     JOIN usage_metric t ON t.tenant_id = m.tenant_id AND t.key = m.metric_key
     WHERE m.tenant_id = c.tenant_id AND m.component_id = c.id) AS of_usage
  FROM scoring_component c WHERE c.tenant_id = %(tenant)s
) c ON c.version_id = s.version_id AND c.place = v.place
WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s AND s.day = %(day)s AND {PRESENT}
  AND c.of_usage AND c.weight > 0 AND v.value IS NOT NULL
GROUP BY s.account_id
"""
