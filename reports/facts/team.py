"""Facts of what the team carries and does; `workspace/selectors/csm_metrics.py` shows the same live."""

from __future__ import annotations

from .windows import PRESENT, WINDOWS_SQL, inside

UNTOUCHED_DAYS = 30
BOOK = f"""
SELECT a.id AS account_id, 0 AS days, v.part, v.currency, v.numerator, 1::numeric AS denominator
FROM accounts_account a
CROSS JOIN LATERAL (
  SELECT 'accounts', '', 1::numeric
  UNION ALL SELECT 'named', '', 1 WHERE a.touch_model = 'named'
  UNION ALL SELECT 'others', '', 1 WHERE a.touch_model <> 'named'
  UNION ALL SELECT 'mrr', coalesce(nullif(a.currency, ''), %(base)s), a.mrr_cents WHERE a.mrr_cents <> 0
) AS v(part, currency, numerator)
WHERE a.tenant_id = %(tenant)s AND {PRESENT}
  AND coalesce(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s
"""
UNTOUCHED = f"""
SELECT a.id AS account_id, 0 AS days, 'untouched' AS part, '' AS currency,
  (NOT EXISTS (SELECT 1 FROM accounts_timelineentry t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id
     AND t.at >= %(until)s::timestamptz - make_interval(days => {UNTOUCHED_DAYS} + 1) AND t.at < %(until)s
     AND t.actor_id IS NOT NULL))::int::numeric AS numerator, 1::numeric AS denominator
FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND {PRESENT}
  AND coalesce(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s
"""
# Of members, not of accounts: the first column is whose it is.
TASKS = f"""
SELECT x.member_id AS account_id, w.days, x.part, '' AS currency, count(*)::numeric AS numerator,
       count(*)::numeric AS denominator
FROM (
  SELECT t.assignee_id AS member_id, 'overdue' AS part, NULL::date AS on FROM playbooks_task t
  WHERE t.tenant_id = %(tenant)s AND t.due_on < %(day)s AND t.created_at < %(until)s
    AND (t.state = 'open' OR t.completed_at >= %(until)s)
  UNION ALL
  SELECT t.completed_by_id, 'done', (t.completed_at AT TIME ZONE %(zone)s)::date FROM playbooks_task t
  WHERE t.tenant_id = %(tenant)s AND t.state = 'done' AND t.completed_by_id IS NOT NULL
    AND t.completed_at >= %(since)s::timestamptz AND t.completed_at < %(until)s
) x
CROSS JOIN {WINDOWS_SQL}
WHERE x.part = 'overdue' OR {inside("x.on")}
GROUP BY x.member_id, w.days, x.part
"""
SAVES = f"""
SELECT r.account_id, w.days, 'saves' AS part, '' AS currency,
       count(*) FILTER (WHERE r.outcome = 'recovered')::numeric AS numerator, count(*)::numeric AS denominator
FROM playbooks_run r CROSS JOIN {WINDOWS_SQL}
WHERE r.tenant_id = %(tenant)s AND r.outcome <> '' AND {inside("r.finished_on")}
GROUP BY r.account_id, w.days
"""
