"""The figures of a day over accounts, as SQL: for the night, which stores them, and for whoever sees only some accounts."""

from __future__ import annotations

from health.models import BINS

_BIN = f"least(floor(s.score / {100 // BINS})::int, {BINS - 1})"
FIELDS = (
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


def _bins(value: str) -> str:
    """An array with one aggregate per bin."""
    return "ARRAY[" + ", ".join(f"coalesce({value} FILTER (WHERE r.bin = {n}), 0)" for n in range(BINS)) + "]"


def _mrr_of(band: int) -> str:
    return f"coalesce(sum(r.mrr) FILTER (WHERE r.band = {band}), 0)::bigint"


def summing_sql(days: str) -> str:
    """One row for each day on which somebody was scored, over scores `s`: the day and `FIELDS`; `days` is the condition.

    MRR in another currency than the tenant's is left out: sums of different currencies mean nothing.
    """
    return f"""
SELECT r.day,
  count(*) FILTER (WHERE r.band > 0) AS scored, count(*) FILTER (WHERE r.band = 3) AS healthy,
  count(*) FILTER (WHERE r.band = 2) AS at_risk, count(*) FILTER (WHERE r.band = 1) AS critical,
  count(*) FILTER (WHERE r.band = 0) AS unknown,
  round(avg(r.score::numeric) FILTER (WHERE r.band > 0), 9)::float8 AS mean,
  round(avg(r.coverage::numeric), 9)::float8 AS coverage,
  {_bins("count(*)")} AS histogram, {_bins("sum(r.mrr)")}::bigint[] AS mrr_histogram,
  {_mrr_of(3)} AS mrr_healthy_cents, {_mrr_of(2)} AS mrr_at_risk_cents,
  {_mrr_of(1)} AS mrr_critical_cents, {_mrr_of(0)} AS mrr_unknown_cents,
  mode() WITHIN GROUP (ORDER BY r.version_id) AS version_id
FROM (
  SELECT s.day, s.band, s.score, s.coverage, s.version_id, CASE WHEN s.band > 0 THEN {_BIN} END AS bin,
         CASE WHEN a.currency IN ('', %(currency)s) THEN a.mrr_cents ELSE 0 END AS mrr
  FROM scoring_score AS s
  JOIN accounts_account AS a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
  WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND {days}
    AND (a.churned_on IS NULL OR a.churned_on > s.day)
) AS r
GROUP BY r.day"""
