"""Which account has what: told each night from subscriptions and usage, so that the whitespace is read and not computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Tenant
from expansion.models import Offering
from usage.models import Metric

USE_DAYS = 28
ADDED = (Metric.Kind.ALL_EVENTS, Metric.Kind.COUNT, Metric.Kind.SUM)


@dataclass(frozen=True)
class HoldingsSummary:
    """How many holdings began and ended."""

    began: int
    ended: int


# What accounts have on the day, since when as far as that is said, and the slot of the usage that shows it: by the plans
# of running subscriptions, by usage, and by what was won as long as its subscription runs (what is paid once, or stands
# on the account's own row, has none and stays).
_FOUND_SQL = """
WITH planned AS (
  SELECT o.id AS offering_id, lower(p.plan) AS plan
  FROM expansion_offering o CROSS JOIN LATERAL unnest(o.plans) AS p(plan)
  WHERE o.tenant_id = %(tenant)s AND o.active AND NOT (o.type = ANY(%(repeatable)s))
), running AS (
  SELECT s.account_id, lower(s.plan) AS plan, s.mrr_cents, s.id,
         coalesce(s.starts_on, (s.received_at AT TIME ZONE %(zone)s)::date) AS since_on
  FROM accounts_subscription s
  WHERE s.tenant_id = %(tenant)s AND coalesce(s.starts_on, %(day)s) <= %(day)s AND (s.ends_on IS NULL OR s.ends_on > %(day)s)
), found AS (
  SELECT r.account_id, p.offering_id, 1 AS rank, 'plan' AS source, sum(r.mrr_cents)::bigint AS mrr_cents,
         min(r.since_on) AS since_on, NULL::int AS slot
  FROM running r JOIN planned p ON p.plan = r.plan GROUP BY 1, 2
  UNION ALL
  SELECT w.account_id, w.offering_id, 2, 'won', sum(w.won_mrr_cents)::bigint, min(w.closed_on), NULL
  FROM expansion_opportunity w JOIN expansion_offering o ON o.tenant_id = w.tenant_id AND o.id = w.offering_id
  WHERE w.tenant_id = %(tenant)s AND w.stage = 'won' AND NOT (o.type = ANY(%(repeatable)s)) AND w.closed_on <= %(day)s
    AND (w.subscription_id IS NULL OR EXISTS (SELECT 1 FROM running r WHERE r.id = w.subscription_id))
  GROUP BY 1, 2
  {used}
)
SELECT DISTINCT ON (f.account_id, f.offering_id) f.account_id, f.offering_id, f.source, f.mrr_cents, f.since_on, f.slot
FROM found f ORDER BY f.account_id, f.offering_id, f.rank
"""
_USED_SQL = """
  UNION ALL
  SELECT u.account_id, n.offering_id, 3, 'metric', NULL, NULL, n.slot
  FROM unnest(%(offerings)s::bigint[], %(slots)s::int[], %(leasts)s::float8[], %(added)s::bool[])
    AS n(offering_id, slot, least, added)
  JOIN (
    SELECT d.account_id, s.slot, sum(d."values"[s.slot]) AS total, max(d."values"[s.slot]) AS most
    FROM usage_day d CROSS JOIN (SELECT DISTINCT unnest(%(slots)s::int[]) AS slot) s
    WHERE d.tenant_id = %(tenant)s AND d.day > %(day)s::date - %(days)s AND d.day <= %(day)s
      AND d."values"[s.slot] IS NOT NULL
    GROUP BY 1, 2
  ) AS u ON u.slot = n.slot AND CASE WHEN n.added THEN u.total ELSE u.most END >= n.least
"""
_END_SQL = """
UPDATE expansion_holding h SET until_on = %(day)s
WHERE h.tenant_id = %(tenant)s AND h.until_on IS NULL AND h.since_on <= %(day)s AND NOT EXISTS (
  SELECT 1 FROM held_now f WHERE f.account_id = h.account_id AND f.offering_id = h.offering_id)
"""
# The first time a thing is seen at an account it is dated by what is known of it: a company that has just begun to look
# did not sell everything today. What had ended before begins anew on the day.
_BEGIN_SQL = """
INSERT INTO expansion_holding (tenant_id, account_id, offering_id, source, since_on, until_on, mrr_cents)
SELECT %(tenant)s, f.account_id, f.offering_id, f.source,
       CASE WHEN before.ended THEN %(day)s
            ELSE least(coalesce(f.since_on, used.first_on, %(day)s), %(day)s) END, NULL, f.mrr_cents
FROM held_now f
LEFT JOIN LATERAL (
  SELECT bool_or(h.until_on IS NULL) AS held, bool_or(h.until_on IS NOT NULL) AS ended FROM expansion_holding h
  WHERE h.tenant_id = %(tenant)s AND h.account_id = f.account_id AND h.offering_id = f.offering_id) before ON TRUE
LEFT JOIN LATERAL (
  SELECT min(d.day) AS first_on FROM usage_day d
  WHERE d.tenant_id = %(tenant)s AND d.account_id = f.account_id AND d."values"[f.slot] > 0
    AND f.slot IS NOT NULL AND before.held IS NULL) used ON TRUE
WHERE before.held IS NOT TRUE
ORDER BY f.account_id, f.offering_id
ON CONFLICT DO NOTHING
"""
_KEEP_SQL = """
UPDATE expansion_holding h SET source = f.source, mrr_cents = f.mrr_cents FROM held_now f
WHERE h.tenant_id = %(tenant)s AND h.until_on IS NULL AND h.account_id = f.account_id AND h.offering_id = f.offering_id
  AND (h.source, h.mrr_cents) IS DISTINCT FROM (f.source, f.mrr_cents)
"""


def note_holdings(*, tenant: Tenant, day: date) -> HoldingsSummary:
    """Bring what accounts have to the end of a day: a fixed number of statements, whatever the accounts and offerings."""
    params = _params(tenant, day)
    found = _FOUND_SQL.format(used=_USED_SQL if params["offerings"] else "")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS held_now "
            "(account_id bigint, offering_id bigint, source text, mrr_cents bigint, since_on date, slot int) "
            "ON COMMIT DELETE ROWS"
        )
        cursor.execute("DELETE FROM held_now")
        cursor.execute(f"INSERT INTO held_now {found}", params)
        cursor.execute(_END_SQL, params)
        ended = cursor.rowcount
        cursor.execute(_BEGIN_SQL, params)
        began = cursor.rowcount
        cursor.execute(_KEEP_SQL, params)
    return HoldingsSummary(began, ended)


def _params(tenant: Tenant, day: date) -> dict[str, Any]:
    offerings = list(
        Offering.objects.filter(tenant=tenant, active=True)
        .exclude(metric_key="")
        .exclude(type__in=list(Offering.REPEATABLE))
    )
    metrics = {
        metric.key: metric
        for metric in Metric.objects.filter(
            tenant=tenant, key__in=[one.metric_key for one in offerings], active=True
        )
        if metric.slot
    }
    read = [(one, metrics[one.metric_key]) for one in offerings if one.metric_key in metrics]
    return {
        "tenant": tenant.pk,
        "day": day,
        "zone": tenant.timezone,
        "days": USE_DAYS,
        "repeatable": sorted(Offering.REPEATABLE),
        "offerings": [one.pk for one, _metric in read],
        "slots": [metric.slot for _one, metric in read],
        "leasts": [one.metric_least for one, _metric in read],
        "added": [metric.kind in ADDED for _one, metric in read],
    }
