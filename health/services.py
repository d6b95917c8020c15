"""The daily summary: the last step of the night."""

from __future__ import annotations

import json
from datetime import date

from django.db import connection

from accounts.models import Tenant
from health.models import BINS
from health.selectors import movers_between
from scoring.models import KIND_CODES

MOVER_DAYS = 7
MOVERS_KEPT = 10

_BIN = f"least(floor(s.score / {100 // BINS})::int, {BINS - 1})"


def _bins(value: str) -> str:
    """An array with one aggregate per bin."""
    return "ARRAY[" + ", ".join(f"coalesce({value} FILTER (WHERE r.bin = {n}), 0)" for n in range(BINS)) + "]"


_FIELDS = (
    "scored",
    "healthy",
    "at_risk",
    "critical",
    "unknown",
    "mean",
    "coverage",
    "histogram",
    "mrr_histogram",
    "mrr_healthy_cents",
    "mrr_at_risk_cents",
    "mrr_critical_cents",
    "mrr_unknown_cents",
    "version_id",
)
# MRR in another currency than the tenant's is left out: sums of different currencies mean nothing.
_SUMMARISE = f"""
INSERT INTO health_tenant_day (tenant_id, day, movers, {", ".join(_FIELDS)})
SELECT %(tenant)s, r.day, '{{}}'::jsonb,
  count(*) FILTER (WHERE r.band > 0), count(*) FILTER (WHERE r.band = 3), count(*) FILTER (WHERE r.band = 2),
  count(*) FILTER (WHERE r.band = 1), count(*) FILTER (WHERE r.band = 0),
  round(avg(r.score::numeric) FILTER (WHERE r.band > 0), 9)::float8, round(avg(r.coverage::numeric), 9)::float8,
  {_bins("count(*)")}, {_bins("sum(r.mrr)")}::bigint[],
  coalesce(sum(r.mrr) FILTER (WHERE r.band = 3), 0), coalesce(sum(r.mrr) FILTER (WHERE r.band = 2), 0),
  coalesce(sum(r.mrr) FILTER (WHERE r.band = 1), 0), coalesce(sum(r.mrr) FILTER (WHERE r.band = 0), 0),
  mode() WITHIN GROUP (ORDER BY r.version_id)
FROM (
  SELECT s.day, s.band, s.score, s.coverage, s.version_id, CASE WHEN s.band > 0 THEN {_BIN} END AS bin,
         CASE WHEN a.currency IN ('', %(currency)s) THEN a.mrr_cents ELSE 0 END AS mrr
  FROM scoring_score AS s
  JOIN accounts_account AS a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
  WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.day BETWEEN %(first)s AND %(last)s
    AND (a.churned_on IS NULL OR a.churned_on > s.day)
) AS r
GROUP BY r.day
ON CONFLICT (tenant_id, day) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FIELDS)}
WHERE ({", ".join(f"health_tenant_day.{name}" for name in _FIELDS)})
  IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _FIELDS)})"""


def summarise_day(*, tenant: Tenant, day: date, first_day: date | None = None) -> int:
    """Write the summary of a day, or of every day from `first_day` to `day`; the number of rows that changed.

    Days on which nobody was scored get no row. Movers are kept with the last day only: nobody opens them for another one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMMARISE,
            {
                "tenant": tenant.pk,
                "kind": KIND_CODES["health"],
                "currency": tenant.currency,
                "first": first_day or day,
                "last": day,
            },
        )
        changed = cursor.rowcount
        moved = json.dumps(movers_between(tenant, day, MOVER_DAYS, limit=MOVERS_KEPT))
        cursor.execute(
            "UPDATE health_tenant_day SET movers = %(moved)s::jsonb "
            "WHERE tenant_id = %(tenant)s AND day = %(day)s AND movers <> %(moved)s::jsonb",
            {"tenant": tenant.pk, "day": day, "moved": moved},
        )
    return int(changed)
