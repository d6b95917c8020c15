"""Facts of recovery, onboarding, what customers say, and alerts."""

from __future__ import annotations

from .windows import LONGEST, PRESENT, WINDOWS_SQL, inside

HEALTHY_DAYS = 60  # in a row: back to healthy
CRITICAL_DAYS = 7  # before the play started, at most
RECOVERY_PLAYS = "('save_renewal', 'nps_recovery')"  # and every play that repairs a component of the score
# Plays of one case share its end: the first thing after their start that decides it.
CHURN_PREVENTED = f"""
WITH plays AS (
  SELECT r.account_id, r.started_on, a.churned_on
  FROM playbooks_run r
  JOIN playbooks_playbook p ON p.tenant_id = r.tenant_id AND p.id = r.playbook_id
  JOIN accounts_account a ON a.tenant_id = r.tenant_id AND a.id = r.account_id
  WHERE r.tenant_id = %(tenant)s AND r.started_on <= %(day)s AND NOT r.held_out
    AND (p.components <> '{{}}' OR p.key IN {RECOVERY_PLAYS})
    AND (a.churned_on IS NULL OR a.churned_on > r.started_on)
    AND EXISTS (SELECT 1 FROM scoring_score s WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s
                AND s.account_id = r.account_id AND s.band = 1
                AND s.day BETWEEN r.started_on - {CRITICAL_DAYS} AND r.started_on)
), nights AS (
  SELECT s.account_id, s.day, s.band,
         count(*) FILTER (WHERE s.band <> 3) OVER (PARTITION BY s.account_id ORDER BY s.day) AS spell
  FROM scoring_score s
  WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s AND s.account_id IN (SELECT account_id FROM plays)
    AND s.day BETWEEN (SELECT min(started_on) FROM plays) AND %(day)s
), spells AS (
  SELECT account_id, min(day) AS first_on FROM nights WHERE band = 3
  GROUP BY account_id, spell HAVING max(day) - min(day) >= {HEALTHY_DAYS} - 1
), judged AS (
  SELECT p.account_id, p.started_on, CASE WHEN p.churned_on <= %(day)s THEN p.churned_on END AS lost_on,
    least((SELECT min(s.first_on) + {HEALTHY_DAYS} - 1 FROM spells s
           WHERE s.account_id = p.account_id AND s.first_on > p.started_on),
          (SELECT min(n.closed_on) FROM expansion_renewal n WHERE n.tenant_id = %(tenant)s AND n.account_id = p.account_id
             AND n.state = 'renewed' AND n.closed_on > p.started_on AND n.closed_on <= %(day)s)) AS won_on
  FROM plays p
), cases AS (
  SELECT DISTINCT account_id, least(lost_on, won_on) AS decided_on,
         coalesce(won_on < lost_on, won_on IS NOT NULL) AS prevented
  FROM judged
)
SELECT c.account_id, w.days, v.part, '' AS currency, sum(v.numerator) AS numerator, sum(v.denominator) AS denominator
FROM cases c CROSS JOIN {WINDOWS_SQL}
CROSS JOIN LATERAL (
  SELECT 'prevented', c.prevented::int::numeric, 1::numeric WHERE {inside("c.decided_on")}
  UNION ALL SELECT 'lost', 1, 1 WHERE {inside("c.decided_on")} AND NOT c.prevented
  UNION ALL SELECT 'open', 1, 1 WHERE c.decided_on IS NULL
) AS v(part, numerator, denominator)
GROUP BY c.account_id, w.days, v.part
"""
ONBOARDING = f"""
SELECT p.account_id, 0 AS days, v.part, '' AS currency, (p.status = v.part)::int::numeric AS numerator,
       1::numeric AS denominator
FROM playbooks_onboardingplan p JOIN accounts_account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
CROSS JOIN (VALUES ('on_track'), ('behind'), ('stuck')) AS v(part)
WHERE p.tenant_id = %(tenant)s AND p.state = 'running' AND {PRESENT}
"""
# An account may have had more than one plan: the newest of the window counts.
TIME_TO_VALUE = f"""
SELECT p.account_id, p.days, v.part, '' AS currency, v.numerator, 1::numeric AS denominator
FROM (
  SELECT DISTINCT ON (p.account_id, w.days) p.account_id, w.days, p.starts_on,
         CASE WHEN p.value_on <= %(day)s THEN p.value_on END AS value_on
  FROM playbooks_onboardingplan p CROSS JOIN {WINDOWS_SQL}
  WHERE p.tenant_id = %(tenant)s AND p.starts_on BETWEEN %(day)s::date - w.days AND %(day)s
  ORDER BY p.account_id, w.days, p.id DESC
) p
CROSS JOIN LATERAL (
  SELECT 'median', (p.value_on - p.starts_on)::numeric WHERE p.value_on IS NOT NULL
  UNION ALL SELECT 'reached', (p.value_on IS NOT NULL)::int
) AS v(part, numerator)
"""
# Answers count on the day they were given, invitations that arrived on the day on which somebody was asked.
NPS = f"""
SELECT x.account_id, w.days, v.part, '' AS currency, sum(v.numerator) AS numerator, sum(v.denominator) AS denominator
FROM (
  SELECT n.account_id, (n.answered_at AT TIME ZONE %(zone)s)::date AS day, n.category, false AS arrived, false AS answered
  FROM nps_answer n WHERE n.tenant_id = %(tenant)s AND n.kind = 'nps'
    AND n.answered_at >= %(since)s::timestamptz AND n.answered_at < %(until)s
  UNION ALL
  SELECT i.account_id, i.asked_on, '', true, i.answered_at < %(until)s
  FROM nps_invitation i
  JOIN nps_survey s ON s.tenant_id = i.tenant_id AND s.id = i.survey_id
  LEFT JOIN outreach_message m ON m.tenant_id = i.tenant_id AND m.id = i.message_id
  WHERE i.tenant_id = %(tenant)s AND s.kind = 'nps' AND i.asked_on BETWEEN %(day)s::date - {LONGEST} AND %(day)s
    AND (i.delivered_at IS NOT NULL OR i.opened_at IS NOT NULL OR i.answered_at IS NOT NULL OR m.sent_at IS NOT NULL)
) x
CROSS JOIN {WINDOWS_SQL}
CROSS JOIN LATERAL (
  SELECT 'nps', CASE x.category WHEN 'promoter' THEN 1 WHEN 'detractor' THEN -1 ELSE 0 END::numeric, 1::numeric
    WHERE NOT x.arrived
  UNION ALL SELECT p.part, (p.part = x.category || 's')::int, 1
    FROM (VALUES ('promoters'), ('passives'), ('detractors')) AS p(part) WHERE NOT x.arrived
  UNION ALL SELECT 'response', coalesce(x.answered, false)::int, 1 WHERE x.arrived
) AS v(part, numerator, denominator)
WHERE {inside("x.day")}
GROUP BY x.account_id, w.days, v.part
"""
# An alert of a day is there when the day is over, or sooner when the running day was evaluated.
HOURS_TO_ACTION = """greatest(0, extract(epoch FROM
  x.acted_at - least(x.created_at, (x.opened_on + 1)::timestamp AT TIME ZONE %(zone)s)) / 3600)"""
# One row per alert: the median is of alerts.
ALERTS = f"""
SELECT x.account_id, w.days, v.part, '' AS currency, v.numerator, 1::numeric AS denominator
FROM (
  SELECT account_id, opened_on, ended_on, created_at, coalesce(first_action_at, closed_at) AS acted_at
  FROM alerts_alert WHERE tenant_id = %(tenant)s AND account_id IS NOT NULL AND opened_on <= %(day)s
    AND (ended_on IS NULL OR ended_on > %(day)s::date - {LONGEST})
) x
CROSS JOIN {WINDOWS_SQL}
CROSS JOIN LATERAL (
  SELECT 'opened', 1::numeric WHERE {inside("x.opened_on")}
  UNION ALL SELECT 'closed', 1 WHERE {inside("x.ended_on")}
  UNION ALL SELECT 'open', 1 WHERE x.ended_on IS NULL OR x.ended_on > %(day)s
  UNION ALL SELECT 'first_action', {HOURS_TO_ACTION}::numeric
    WHERE x.acted_at < %(until)s AND x.acted_at >= %(until)s::timestamptz - make_interval(days => w.days)
) AS v(part, numerator)
"""
