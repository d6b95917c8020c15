"""Which way scores go: snapshots of one version a week apart, never across versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from accounts.models import Tenant
from scoring.models import KIND_CODES

TREND_DAYS = 7

# The oldest score of the window that the version of the newest one made, and whether another version made some of it.
_TRENDS = """
SELECT s.account_id,
  (array_agg(s.score - h.score ORDER BY h.day) FILTER (WHERE h.version_id = s.version_id AND h.score IS NOT NULL))[1],
  min(h.day) FILTER (WHERE h.version_id = s.version_id AND h.score IS NOT NULL),
  CASE WHEN bool_or(h.version_id <> s.version_id) THEN max(v.number) END
FROM scoring_current AS s
JOIN scoring_version AS v ON v.tenant_id = s.tenant_id AND v.id = s.version_id
JOIN scoring_score AS h ON h.tenant_id = s.tenant_id AND h.kind = s.kind AND h.account_id = s.account_id
  AND h.day < s.day AND h.day >= s.day - %(days)s
WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.account_id = ANY(%(ids)s) AND s.score IS NOT NULL
GROUP BY s.account_id"""


@dataclass(frozen=True)
class Trend:
    """How much a score moved under the version that made it; `version` is set where that version began meanwhile."""

    change: float | None
    since: date | None
    version: int | None = None


def score_trends(
    tenant: Tenant, account_ids: Sequence[int], *, kind: str = "health", days: int = TREND_DAYS
) -> dict[int, Trend]:
    """The trend of each of these accounts' newest score; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TRENDS,
            {"tenant": tenant.pk, "kind": KIND_CODES[kind], "ids": list(account_ids), "days": days},
        )
        return {account_id: Trend(*found) for account_id, *found in cursor.fetchall()}
