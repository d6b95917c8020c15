"""How far the scores can be trusted, in counts over all accounts; each a constant number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from scoring.models import KIND_CODES, BandWeek, Version

WEEKS_SHOWN = 26
HAIR = 1e-9  # a coverage is a sum of weights: whole may be a hair below 1
COVERAGE_STEPS = ((0, 50), (50, 80), (80, 100), (100, 100))  # percent; the last one is whole coverage


@dataclass(frozen=True)
class VersionShare:
    """How many accounts a version scores now."""

    version: Version
    accounts: int
    share: float


@dataclass(frozen=True)
class Snapshot:
    """The newest scores of the accounts that have not churned."""

    accounts: int
    scored: int  # with a band
    unknown: int  # without one, for want of data
    new: int
    coverage: float | None  # mean, 0-1
    by_coverage: dict[tuple[int, int], int]
    versions: list[VersionShare]
    oldest: date | None  # of the newest scores
    newest: date | None


def _within(low: int, high: int) -> str:
    """Accounts whose coverage lies from one percentage to under another; the same twice is whole coverage."""
    least, under = low / 100 - HAIR, high / 100 + (HAIR if low == high else -HAIR)
    return f"count(*) FILTER (WHERE s.coverage >= {least} AND s.coverage < {under})"


_NOW = f"""
SELECT s.version_id, count(*), count(*) FILTER (WHERE s.band > 0), count(*) FILTER (WHERE s.is_new), sum(s.coverage),
  min(s.day), max(s.day), {", ".join(_within(low, high) for low, high in COVERAGE_STEPS)}
FROM scoring_current AS s
JOIN accounts_account AS a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
GROUP BY s.version_id"""


def score_snapshot(tenant: Tenant) -> Snapshot:
    """Coverage, new accounts and versions of the newest scores; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW, {"tenant": tenant.pk, "kind": KIND_CODES["health"], "today": tenant.today()})
        rows = cursor.fetchall()
    versions = Version.objects.filter(tenant=tenant).select_related("model").in_bulk([row[0] for row in rows])
    accounts = sum(row[1] for row in rows)
    scored = sum(row[2] for row in rows)
    return Snapshot(
        accounts=accounts,
        scored=scored,
        unknown=accounts - scored,
        new=sum(row[3] for row in rows),
        coverage=sum(row[4] for row in rows) / accounts if accounts else None,
        by_coverage={step: sum(row[7 + place] for row in rows) for place, step in enumerate(COVERAGE_STEPS)},
        versions=[
            VersionShare(versions[row[0]], row[1], row[1] / accounts)
            for row in sorted(rows, key=lambda row: -row[1])
        ],
        oldest=min((row[5] for row in rows), default=None),
        newest=max((row[6] for row in rows), default=None),
    )


# The bands at the end of a week and at the end of the week before, Sunday against Sunday; a week at a time, for two days of
# the history are two ranges of its index.
_COUNT_WEEK = """
INSERT INTO scoring_band_week (tenant_id, week, compared, better, worse, better_new_model, worse_new_model)
SELECT %(tenant)s, %(week)s, count(*), count(*) FILTER (WHERE n.band > o.band),
  count(*) FILTER (WHERE n.band < o.band),
  count(*) FILTER (WHERE n.band > o.band AND n.version_id <> o.version_id),
  count(*) FILTER (WHERE n.band < o.band AND n.version_id <> o.version_id)
FROM scoring_score AS n
JOIN scoring_score AS o ON o.tenant_id = %(tenant)s AND o.kind = %(kind)s AND o.day = %(before)s
  AND o.account_id = n.account_id AND o.is_final AND o.band > 0
WHERE n.tenant_id = %(tenant)s AND n.kind = %(kind)s AND n.day = %(last)s AND n.is_final AND n.band > 0
HAVING count(*) > 0
ON CONFLICT (tenant_id, week) DO NOTHING"""


def count_band_weeks(*, tenant: Tenant) -> int:
    """Count the band changes of the complete weeks of half a year that were not counted yet; how many weeks were.

    A week is counted once its Sunday has stored scores that are final: they never change again, nor does the count. One
    statement for each week that is missing, so a night has at most one.
    """
    today = tenant.today()
    monday = today - timedelta(days=today.weekday())
    wanted = [monday - timedelta(weeks=back) for back in range(1, WEEKS_SHOWN + 1)]
    known = set(BandWeek.objects.filter(tenant=tenant, week__gte=wanted[-1]).values_list("week", flat=True))
    counted = 0
    prefer_hash_joins()
    with connection.cursor() as cursor:
        for week in wanted:
            if week in known:
                continue
            cursor.execute(
                _COUNT_WEEK,
                {
                    "tenant": tenant.pk,
                    "kind": KIND_CODES["health"],
                    "week": week,
                    "before": week - timedelta(days=1),
                    "last": week + timedelta(days=6),
                },
            )
            counted += cursor.rowcount
    return counted


def band_weeks(tenant: Tenant) -> list[BandWeek]:
    """The counted weeks of half a year, rising; one query."""
    first = tenant.today() - timedelta(weeks=WEEKS_SHOWN + 1)
    return list(BandWeek.objects.filter(tenant=tenant, week__gte=first).order_by("week"))


@dataclass(frozen=True)
class BandChange:
    """An account whose band changed within a week."""

    account_id: int
    name: str
    owner: str
    mrr_cents: int
    currency: str
    before: int
    after: int
    score_before: float | None
    score_after: float | None
    version_before: int
    version_after: int


_CHANGES = """
SELECT a.id, a.name, coalesce(nullif(u.name, ''), u.email, ''), a.mrr_cents, a.currency,
  o.band, n.band, o.score, n.score, vo.number, vn.number
FROM scoring_score AS n
JOIN scoring_score AS o ON o.tenant_id = n.tenant_id AND o.kind = n.kind AND o.account_id = n.account_id
  AND o.day = %(week)s::date - 1
JOIN accounts_account AS a ON a.tenant_id = n.tenant_id AND a.id = n.account_id
JOIN scoring_version AS vo ON vo.tenant_id = o.tenant_id AND vo.id = o.version_id
JOIN scoring_version AS vn ON vn.tenant_id = n.tenant_id AND vn.id = n.version_id
LEFT JOIN accounts_membership AS m ON m.tenant_id = a.tenant_id AND m.id = a.owner_id
LEFT JOIN accounts_user AS u ON u.id = m.user_id
WHERE n.tenant_id = %(tenant)s AND n.kind = %(kind)s AND n.day = %(week)s::date + 6
  AND n.band > 0 AND o.band > 0 AND n.band <> o.band
ORDER BY a.mrr_cents DESC, a.id DESC LIMIT %(limit)s"""


def band_changes(tenant: Tenant, week: date, *, limit: int = 200) -> list[BandChange]:
    """The accounts whose band changed within a week (its Monday), largest MRR first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGES, {"tenant": tenant.pk, "kind": KIND_CODES["health"], "week": week, "limit": limit}
        )
        return [BandChange(*row) for row in cursor.fetchall()]
