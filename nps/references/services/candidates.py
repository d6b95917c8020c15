"""The night's look: who could be asked, who no longer could, who has rested enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from scoring.bands import BAND_NAMES
from scoring.models import KIND_CODES
from usage.models import Metric

from .settings import reference_settings

HEALTHY = BAND_NAMES["health"].index("healthy")

MONTH = 31  # what is counted from events is counted over as many days, as ROI is per month
STATE_DAYS = 3  # a state that was not written for longer is not known
METRICS = ("roi_cents", "nps")
_ADDED = (Metric.Kind.ALL_EVENTS, Metric.Kind.COUNT, Metric.Kind.SUM)
_PEOPLE = (Metric.Kind.DISTINCT_USERS, Metric.Kind.ACTIVE_DAYS, Metric.Kind.FEATURES_USED)

# The newest pushed value of each account that still holds on the day.
_PUSHED = """
  SELECT DISTINCT ON (p.account_id) p.account_id, p.value, p.day
  FROM usage_pushed_value p
  WHERE p.tenant_id = %(tenant)s AND p.metric_id = {pk} AND p.key = '' AND p.value IS NOT NULL
    AND p.day <= %(day)s AND p.day > %(day)s::date - {days}
  ORDER BY p.account_id, p.day DESC
"""
# What is counted, or told each night by a state or by an admin's SQL.
_COMPUTED = """
  SELECT u.account_id, {value} AS value, max(u.day) FILTER (WHERE {there}) AS day FROM usage_day u
  WHERE u.tenant_id = %(tenant)s AND u.day <= %(day)s AND u.day > %(day)s::date - {days}
  GROUP BY 1 HAVING {value} IS NOT NULL
"""
_NOTHING = "SELECT NULL::bigint AS account_id, NULL::float8 AS value, NULL::date AS day WHERE false"
_FIT_SQL = """
WITH roi AS MATERIALIZED ({roi_cents}), nps AS MATERIALIZED ({nps})
SELECT a.id AS account_id, left(a.segment, 100) AS industry, lower(a.name) AS name, jsonb_build_object(
    'roi_cents', roi.value::bigint, 'currency', a.currency, 'roi_on', roi.day, 'score', round(c.score::numeric, 1),
    'scored_on', c.day, 'nps', nps.value, 'nps_on', nps.day) AS evidence
FROM roi
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = roi.account_id
JOIN scoring_current c ON c.tenant_id = %(tenant)s AND c.account_id = roi.account_id AND c.kind = %(health)s
LEFT JOIN nps ON nps.account_id = roi.account_id
WHERE roi.value >= %(roi_min)s AND c.band = %(healthy)s AND c.score > %(score_above)s
  AND (NOT %(needs_nps)s OR nps.value >= %(nps_min)s) AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
  AND NOT EXISTS (
    SELECT 1 FROM scoring_override o
    WHERE o.tenant_id = %(tenant)s AND o.account_id = a.id AND o.band <> %(healthy)s AND o.starts_on <= %(day)s
      AND o.until > %(day)s AND o.ended_on IS NULL)
"""
# A customer that declined, or stopped fitting, is a candidate again once it fits and its days are over.
FOUND_SQL = """
INSERT INTO nps_reference (tenant_id, account_id, state, evidence, by_hand, found_on, types, industry, products,
  use_cases, region, language, quote, note, rest_reason, never_ask, search, updated_at)
SELECT %(tenant)s, f.account_id, 'candidate', f.evidence, false, %(day)s, '{}', f.industry, '{}', '{}', '', '',
  '', '', '', false, f.name || ' ' || lower(f.industry), %(now)s
FROM reference_fit f
ON CONFLICT (tenant_id, account_id) DO UPDATE
SET state = CASE WHEN nps_reference.state IN ('lapsed', 'declined') THEN 'candidate' ELSE nps_reference.state END,
    found_on = CASE WHEN nps_reference.state IN ('lapsed', 'declined') THEN excluded.found_on
                    ELSE nps_reference.found_on END,
    evidence = excluded.evidence, updated_at = excluded.updated_at
WHERE NOT nps_reference.never_ask AND (
  nps_reference.state IN ('lapsed', 'declined')
    AND (nps_reference.ask_again_on IS NULL OR nps_reference.ask_again_on <= %(day)s)
  OR nps_reference.state = 'candidate' AND nps_reference.evidence IS DISTINCT FROM excluded.evidence)
RETURNING (xmax = 0), state
"""
LAPSED_SQL = """
UPDATE nps_reference r SET state = 'lapsed', updated_at = %(now)s
WHERE r.tenant_id = %(tenant)s AND r.state = 'candidate' AND NOT r.by_hand
  AND NOT EXISTS (SELECT 1 FROM reference_fit f WHERE f.account_id = r.account_id)
"""
# Who churned speaks for nobody, whatever was agreed.
CHURNED_SQL = """
UPDATE nps_reference r SET state = 'lapsed', rest_until = NULL, updated_at = %(now)s
FROM accounts_account a
WHERE r.tenant_id = %(tenant)s AND a.tenant_id = %(tenant)s AND a.id = r.account_id AND a.churned_on <= %(day)s
  AND r.state IN ('candidate', 'agreed', 'active', 'resting')
"""
WOKEN_SQL = """
UPDATE nps_reference SET state = 'active', rest_until = NULL, rest_reason = '', updated_at = %(now)s
WHERE tenant_id = %(tenant)s AND state = 'resting' AND rest_until <= %(day)s
"""


@dataclass(frozen=True)
class FoundReferences:
    """What a night changed."""

    found: int
    lapsed: int
    woken: int


def find_references(*, tenant: Tenant, day: date) -> FoundReferences:
    """Bring candidates up to date with a day: a fixed number of statements for any number of accounts.

    ROI and NPS are read as other rules read metrics: pushed values as long as they hold, counted ones over a month, states
    and SQL as of the last night. Twice the same day changes nothing more.
    """
    settings = reference_settings(tenant)
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "day": day,
        "now": timezone.now(),
        "health": KIND_CODES["health"],
        "healthy": HEALTHY,
        "roi_min": settings.roi_min_cents,
        "score_above": settings.score_above,
        "needs_nps": settings.needs_nps,
        "nps_min": settings.nps_min,
    }
    prefer_hash_joins()
    with connection.cursor() as cursor:
        cursor.execute(CHURNED_SQL, values)
        churned = cursor.rowcount
        _note_who_fits(tenant, cursor, values)
        cursor.execute(FOUND_SQL, values)
        found = sum(fresh for fresh, _state in cursor.fetchall())
        cursor.execute(LAPSED_SQL, values)
        lapsed = cursor.rowcount
        cursor.execute(WOKEN_SQL, values)
        woken = cursor.rowcount
    return FoundReferences(found, lapsed + churned, woken)


def _note_who_fits(tenant: Tenant, cursor: Any, values: dict[str, Any]) -> None:
    """Who fits stands in a temporary table: finding and letting go read the same answer."""
    cursor.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS reference_fit (account_id bigint, industry text, name text, evidence jsonb) "
        "ON COMMIT DELETE ROWS"
    )
    cursor.execute("DELETE FROM reference_fit")
    found = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant, active=True)}
    sources = {key: _source(found.get(key), found) for key in METRICS}
    cursor.execute(f"INSERT INTO reference_fit {_FIT_SQL.format(**sources)}", values)


def _source(metric: Metric | None, metrics: Mapping[str, Metric]) -> str:
    """Account, value and day of a metric, as a SELECT; a count of people is neither money nor an answer."""
    if metric is None:
        return _NOTHING
    if metric.kind == Metric.Kind.PUSHED:
        return _PUSHED.format(pk=int(metric.pk), days=int(metric.hold_days))
    if metric.kind == Metric.Kind.RATIO:
        parts = [metrics.get(metric.numerator), metrics.get(metric.denominator)]
        cells = [f'u."values"[{int(part.slot)}]' for part in parts if part is not None and part.slot]
        if len(cells) < len(parts):
            return _NOTHING
        top, bottom = cells
        value = f"sum({top}) / nullif(sum({bottom}), 0)"
        return _COMPUTED.format(value=value, there=f"{bottom} IS NOT NULL", days=MONTH)
    if metric.slot is None or metric.kind in _PEOPLE:
        return _NOTHING
    cell = f'u."values"[{int(metric.slot)}]'
    there = f"{cell} IS NOT NULL"
    if metric.kind in _ADDED:
        return _COMPUTED.format(value=f"sum({cell})", there=there, days=MONTH)
    if metric.kind == Metric.Kind.MAX:
        return _COMPUTED.format(value=f"max({cell})", there=there, days=MONTH)
    newest = f"(array_agg({cell} ORDER BY u.day DESC) FILTER (WHERE {there}))[1]"
    return _COMPUTED.format(
        value=newest, there=there, days=MONTH if metric.kind == Metric.Kind.LAST else STATE_DAYS
    )
