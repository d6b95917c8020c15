"""Where score, sentiment and NPS contradict each other: the accounts that somebody should look at, by MRR."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from scoring.models import KIND_CODES

SENTIMENT_DAYS = 90  # an older sentiment is no opinion any more
NPS_METRIC = "nps"
LOW_SENTIMENT, HIGH_SENTIMENT = 2, 4
# NPS comes as answers of 0 to 10 or as a balance of -100 to 100; what the tenant sends says which.
DETRACTOR_BELOW, PROMOTER_FROM = 7, 9
BALANCE_BAD_BELOW, BALANCE_GOOD_FROM = 0, 50

# The newest sentiment and NPS of each account, reduced to good (1), bad (-1) or neither (0), beside the computed band.
_VIEWS = f"""
WITH feeling AS (
  SELECT DISTINCT ON (account_id) account_id, value, day, note, created_by_id
  FROM scoring_sentiment WHERE tenant_id = %(tenant)s AND day > %(today)s::date - {SENTIMENT_DAYS}
    AND ended_on IS NULL
  ORDER BY account_id, id DESC
), metric AS (
  SELECT id, greatest(hold_days, 1) AS hold FROM usage_metric
  WHERE tenant_id = %(tenant)s AND key = '{NPS_METRIC}' AND kind = 'pushed' AND active
), answer AS (
  SELECT DISTINCT ON (p.account_id) p.account_id, p.value, p.day
  FROM usage_pushed_value AS p JOIN metric AS m ON m.id = p.metric_id
  WHERE p.tenant_id = %(tenant)s AND p.key = '' AND p.value IS NOT NULL
    AND p.day > %(today)s::date - m.hold AND p.day <= %(today)s
  ORDER BY p.account_id, p.day DESC
), balance AS (
  SELECT coalesce(bool_or(value < 0 OR value > 10), false) AS wide FROM answer
), asked AS (
  SELECT account_id FROM feeling UNION SELECT account_id FROM answer
), seen AS (
  SELECT a.id, a.name, a.owner_id, a.mrr_cents, a.currency, s.score, s.band, s.coverage, s.day AS scored_on,
    f.value AS sentiment, f.day AS sentiment_on, f.note, n.value AS nps, n.day AS nps_on,
    CASE s.band WHEN 3 THEN 1 WHEN 1 THEN -1 ELSE 0 END AS says_score,
    CASE WHEN f.value <= {LOW_SENTIMENT} THEN -1 WHEN f.value >= {HIGH_SENTIMENT} THEN 1 ELSE 0 END AS says_team,
    CASE WHEN n.value < CASE WHEN b.wide THEN {BALANCE_BAD_BELOW} ELSE {DETRACTOR_BELOW} END THEN -1
         WHEN n.value >= CASE WHEN b.wide THEN {BALANCE_GOOD_FROM} ELSE {PROMOTER_FROM} END THEN 1
         ELSE 0 END AS says_customer
  FROM asked AS q
  JOIN accounts_account AS a ON a.tenant_id = %(tenant)s AND a.id = q.account_id
  CROSS JOIN balance AS b
  LEFT JOIN scoring_current AS s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
  LEFT JOIN feeling AS f ON f.account_id = a.id
  LEFT JOIN answer AS n ON n.account_id = a.id
  WHERE (a.churned_on IS NULL OR a.churned_on > %(today)s)
    AND NOT EXISTS (
      SELECT 1 FROM scoring_override AS o WHERE o.tenant_id = a.tenant_id AND o.account_id = a.id
        AND o.ended_on IS NULL AND o.until > %(today)s)
), apart AS (
  SELECT * FROM seen
  WHERE greatest(says_score, says_team, says_customer) = 1 AND least(says_score, says_team, says_customer) = -1
)
"""
_PAGE = (
    _VIEWS
    + """
SELECT apart.*, coalesce(nullif(u.name, ''), u.email, '') AS owner
FROM apart
LEFT JOIN accounts_membership AS m ON m.tenant_id = %(tenant)s AND m.id = apart.owner_id
LEFT JOIN accounts_user AS u ON u.id = m.user_id
WHERE (%(mine)s::bigint IS NULL OR apart.owner_id = %(mine)s)
  AND (%(after_mrr)s::bigint IS NULL OR (apart.mrr_cents, apart.id) < (%(after_mrr)s, %(after_id)s))
ORDER BY apart.mrr_cents DESC, apart.id DESC LIMIT %(limit)s"""
)
_COUNT = (
    _VIEWS
    + """SELECT count(*), coalesce(sum(mrr_cents) FILTER (WHERE currency IN ('', %(currency)s)), 0) FROM apart
WHERE (%(mine)s::bigint IS NULL OR owner_id = %(mine)s)"""
)


@dataclass(frozen=True)
class Disagreement:
    """An account about which score, team and customer say different things; each says 1 good, -1 bad, 0 neither."""

    id: int
    name: str
    owner_id: int | None
    mrr_cents: int
    currency: str
    score: float | None
    band: int | None
    coverage: float | None
    scored_on: date | None
    sentiment: int | None
    sentiment_on: date | None
    note: str | None
    nps: float | None
    nps_on: date | None
    says_score: int
    says_team: int
    says_customer: int
    owner: str


@dataclass(frozen=True)
class Disagreements:
    """A page of the queue and how much there is in all."""

    rows: list[Disagreement]
    more: bool
    total: int
    mrr_cents: int


def disagreements(
    tenant: Tenant,
    *,
    owner_id: int | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 20,
) -> Disagreements:
    """Accounts where one says good and another bad, largest MRR first, without those that are overridden.

    Three statements. The cost grows with the accounts that have a sentiment or an NPS, not with all accounts.
    """
    prefer_hash_joins()
    given: dict[str, Any] = {
        "tenant": tenant.pk,
        "today": tenant.today(),
        "kind": KIND_CODES["health"],
        "currency": tenant.currency,
        "mine": owner_id,
        "after_mrr": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, given)
        rows = [Disagreement(*row) for row in cursor.fetchall()]
        cursor.execute(_COUNT, given)
        total, mrr_cents = cursor.fetchone()
    return Disagreements(rows[:limit], len(rows) > limit, int(total), int(mrr_cents))
