"""Conversion by band, and what other thresholds would let through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Tenant
from pql.models import ConversionMonth
from pql.shares import Share
from scoring.models import KIND_CODES, Version

BANDS = (3, 2, 1)  # high, medium, none
CUTS = tuple(range(0, 101, 5))
CONVERTER_DAYS = 365  # converters of the last year say whom a threshold would have caught
BEFORE_DAYS = 90  # their best score in so many days before
MAX_CONVERTERS = 5_000


@dataclass(frozen=True)
class BandMonth:
    """One month and band: the share that converted, and whether the month's 90 days are over for everybody."""

    month: date
    band: int
    share: Share
    waiting: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing can change any more."""
        return self.waiting == 0


def conversion_by_month(tenant: Tenant, months: int = 12) -> list[BandMonth]:
    """Each month's bands, the oldest month first, the best band first: one query."""
    rows = ConversionMonth.objects.filter(tenant=tenant).order_by("month", "-band")
    found = [BandMonth(r.month, r.band, Share(r.converted, r.accounts), r.waiting) for r in rows]
    keep = sorted({row.month for row in found})[-months:]
    return [row for row in found if row.month in keep]


def conversion_by_band(rows: list[BandMonth]) -> dict[int, Share]:
    """All finished months together; an account counts once for each month."""
    done = [row for row in rows if row.is_complete]
    return {
        band: Share(
            sum(r.share.count for r in done if r.band == band),
            sum(r.share.total for r in done if r.band == band),
        )
        for band in BANDS
    }


@dataclass(frozen=True)
class Cut:
    """What a threshold would let through: today's accounts above it, those of them that may become leads, and the share of
    last year's converters that it would have caught."""

    above: int
    accounts: int
    ready: int
    caught: Share


@dataclass(frozen=True)
class Preview:
    """Thresholds as they are, and what each other one would do."""

    version: Version | None
    draft: Version | None
    scored: int
    histogram: list[int]  # accounts in bins of five
    cuts: list[Cut]

    def at(self, above: float) -> Cut | None:
        """The nearest cut at or below a threshold."""
        return next((cut for cut in reversed(self.cuts) if cut.above <= above), None)


SCORES_SQL = """
SELECT c.score, s.activated_on IS NOT NULL AND s.disqualifier_id IS NULL AND s.converted_on IS NULL AND a.churned_on IS NULL
FROM scoring_current c
JOIN accounts_account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
JOIN pql_standing s ON s.tenant_id = c.tenant_id AND s.account_id = c.account_id
WHERE c.tenant_id = %(tenant)s AND c.kind = %(kind)s AND c.band > 0 AND c.score IS NOT NULL AND s.converted_on IS NULL
"""
COUNTS_SQL = f"""
SELECT floor(score)::int, score = floor(score), ready, count(*) FROM ({SCORES_SQL}) AS f(score, ready) GROUP BY 1, 2, 3
"""
CONVERTERS_SQL = """
SELECT max(c.score) FROM (
  SELECT account_id, coalesce(converted_on, paid_on) AS converted_on FROM pql_standing
  WHERE tenant_id = %(tenant)s AND (converted_on > %(since)s OR converted_on IS NULL AND paid_on > %(since)s)
  ORDER BY 2 DESC LIMIT %(most)s
) AS s
JOIN scoring_score c ON c.tenant_id = %(tenant)s AND c.kind = %(kind)s AND c.account_id = s.account_id
  AND c.day >= s.converted_on - %(before)s AND c.day < s.converted_on AND c.score IS NOT NULL
GROUP BY s.account_id
"""


def threshold_preview(tenant: Tenant, version: Version | None, draft: Version | None, today: date) -> Preview:
    """How many pass at each cut, from the newest scores: two queries, whatever the number of accounts."""
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "kind": KIND_CODES["pql"],
        "since": today - timedelta(days=CONVERTER_DAYS),
        "before": BEFORE_DAYS,
        "most": MAX_CONVERTERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTS_SQL, values)
        counts = cursor.fetchall()
        cursor.execute(CONVERTERS_SQL, values)
        best = [row[0] for row in cursor.fetchall()]
    histogram = [0] * len(CUTS[:-1])
    for whole, _exact, _ready, n in counts:
        histogram[min(whole // 5, len(histogram) - 1)] += n
    cuts = []
    for above in CUTS:
        # strictly above, as the band: a score of exactly the threshold stays below it
        passing = [
            (n, ready) for whole, exact, ready, n in counts if whole > above or (whole == above and not exact)
        ]
        cuts.append(
            Cut(
                above,
                sum(n for n, _ready in passing),
                sum(n for n, ready in passing if ready),
                Share(sum(score > above for score in best), len(best)),
            )
        )
    return Preview(version, draft, sum(n for *_rest, n in counts), histogram, cuts)
