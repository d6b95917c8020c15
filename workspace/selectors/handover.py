"""What a hand-over of a book would move, how its accounts stand, and the hand-overs that were made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from accounts.models import Membership, Tenant
from accounts.visibility import sees_all
from playbooks.models import Handover, HandoverAccount
from scoring.models import KIND_CODES

SHOWN = (
    300  # accounts that can be ticked one by one; of larger books all are handed over, or those of a filter
)
RENEWAL_DAYS = 90
RECENT = 20
MOST = 20_000  # as many as one hand-over moves

# One row per account with what is open at it; each part goes by an index that begins with the account.
_OPEN = """
  (SELECT count(*) FROM playbooks_task t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id
     AND t.state = 'open' AND t.assignee_id = %(member)s) AS tasks,
  (SELECT count(*) FROM alerts_alert x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id
     AND x.state IN ('open', 'snoozed')) AS alerts,
  (SELECT count(*) FROM playbooks_run r WHERE r.tenant_id = a.tenant_id AND r.account_id = a.id
     AND r.state = 'running') AS runs,
  (SELECT count(*) FROM expansion_renewal n WHERE n.tenant_id = a.tenant_id AND n.account_id = a.id
     AND n.state = 'open' AND n.due_on <= %(soon)s) AS renewals,
  (SELECT count(*) FROM qbr_pack p WHERE p.tenant_id = a.tenant_id AND p.account_id = a.id
     AND p.state IN ('draft', 'ready') AND p.due_on <= %(soon)s) AS reviews
"""
_BOOK = """
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
WHERE a.tenant_id = %(tenant)s AND a.owner_id = %(member)s AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
"""
_TOTALS = f"""
SELECT currency, count(*), sum(mrr_cents), sum(tasks), sum(alerts), sum(runs), sum(renewals), sum(reviews)
FROM (SELECT a.currency, a.mrr_cents, {_OPEN} {_BOOK} %(where)s) book GROUP BY 1
"""
_ROWS = f"""
SELECT a.id, a.name, a.segment, a.mrr_cents, a.currency, s.score, s.band, {_OPEN} {_BOOK} %(where)s
ORDER BY a.name_search, a.id LIMIT {SHOWN}
"""
_SUMMARIES = f"""
SELECT a.id, s.score, s.band, {_OPEN},
  (SELECT max(e.at) FROM accounts_timelineentry e WHERE e.tenant_id = a.tenant_id AND e.account_id = a.id
     AND e.actor_id IS NOT NULL) AS touched,
  (SELECT f.value FROM scoring_sentiment f WHERE f.tenant_id = a.tenant_id AND f.account_id = a.id
     AND f.ended_on IS NULL ORDER BY f.id DESC LIMIT 1) AS sentiment,
  a.renewal_on
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class BookRow:
    """One account of a book with what is open at it."""

    pk: int
    name: str
    segment: str
    mrr_cents: int
    currency: str
    score: float | None
    band: int | None
    tasks: int
    alerts: int
    runs: int
    renewals: int
    reviews: int


@dataclass
class Totals:
    """What would go along."""

    accounts: int = 0
    tasks: int = 0
    alerts: int = 0
    runs: int = 0
    renewals: int = 0
    reviews: int = 0
    mrr: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A book before it is handed over."""

    rows: list[BookRow]
    totals: Totals

    @property
    def can_tick(self) -> bool:
        """Whether every account is on the page."""
        return self.totals.accounts <= SHOWN


@dataclass(frozen=True)
class Narrow:
    """Which accounts of a book: of a segment, of a stage, or exactly these."""

    segment: str = ""
    stage: str = ""
    ids: tuple[int, ...] | None = None

    def sql(self) -> str:
        """The conditions beyond the owner."""
        parts = [
            "AND a.segment = %(segment)s" if self.segment else "",
            "AND a.stage = %(stage)s" if self.stage else "",
            "AND a.id = ANY(%(ids)s)" if self.ids is not None else "",
        ]
        return " ".join(part for part in parts if part)


def _params(tenant: Tenant, member_id: int, narrow: Narrow, today: date) -> dict[str, Any]:
    return {
        "tenant": tenant.pk,
        "member": member_id,
        "kind": KIND_CODES["health"],
        "today": today,
        "soon": today + timedelta(days=RENEWAL_DAYS),
        "segment": narrow.segment,
        "stage": narrow.stage,
        "ids": list(narrow.ids or ()),
    }


def preview(tenant: Tenant, member_id: int, narrow: Narrow, today: date) -> Preview:
    """What a member's book holds; two queries."""
    params = _params(tenant, member_id, narrow, today)
    totals = Totals()
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS.replace("%(where)s", narrow.sql()), params)
        for currency, accounts, mrr, *counts in cursor.fetchall():
            totals.accounts += accounts
            totals.mrr[currency] = int(mrr or 0)
            for name, count in zip(("tasks", "alerts", "runs", "renewals", "reviews"), counts, strict=True):
                setattr(totals, name, getattr(totals, name) + int(count))
        cursor.execute(_ROWS.replace("%(where)s", narrow.sql()), params)
        return Preview([BookRow(*row) for row in cursor.fetchall()], totals)


def account_ids(tenant: Tenant, member_id: int, narrow: Narrow, today: date) -> list[int]:
    """The accounts that are meant; one query."""
    sql = f"SELECT a.id {_BOOK} {narrow.sql()} ORDER BY a.id LIMIT {MOST + 1}"
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(tenant, member_id, narrow, today))
        return [pk for (pk,) in cursor.fetchall()]


def summaries(tenant: Tenant, ids: Collection[int], member_id: int) -> dict[int, dict[str, Any]]:
    """How accounts stand at a hand-over, as the timeline keeps it; one query."""
    today = tenant.today()
    params = _params(tenant, member_id, Narrow(ids=tuple(ids)), today)
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARIES, params)
        return {
            pk: {
                "score": score,
                "band": band,
                "tasks": tasks,
                "alerts": alerts,
                "runs": runs,
                "renewals": renewals,
                "reviews": reviews,
                "touched": touched.isoformat() if touched else None,
                "sentiment": sentiment,
                "renewal_on": renewal.isoformat() if renewal else None,
            }
            for pk, score, band, tasks, alerts, runs, renewals, reviews, touched, sentiment, renewal in cursor.fetchall()
        }


@dataclass(frozen=True)
class Owner:
    """Somebody who owns accounts, with how many."""

    member: Membership
    accounts: int


def owners(tenant: Tenant) -> list[Owner]:
    """Everybody who owns accounts, also those who have left; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, count(*) FROM accounts_account WHERE tenant_id = %s AND owner_id IS NOT NULL "
            "AND (churned_on IS NULL OR churned_on > %s) GROUP BY 1",
            [tenant.pk, tenant.today()],
        )
        counts = dict(cursor.fetchall())
    found = Membership.objects.filter(tenant=tenant, pk__in=list(counts)).select_related("user")
    return sorted(
        (Owner(member, counts[member.pk]) for member in found), key=lambda one: str(one.member).lower()
    )


def handovers(tenant: Tenant, member: Membership) -> QuerySet[Handover]:
    """Hand-overs, the newest first; who sees only some accounts sees those that they had a part in."""
    found = Handover.objects.filter(tenant=tenant)
    if not sees_all():
        found = found.filter(Q(from_member=member) | Q(to_member=member) | Q(made_by=member))
    return found.select_related("from_member__user", "to_member__user", "made_by__user", "job").order_by(
        "-id"
    )


@dataclass(frozen=True)
class Counted:
    """How far a hand-over is."""

    chosen: int
    moved: int


def counted(tenant: Tenant, ids: Collection[int]) -> dict[int, Counted]:
    """How many accounts were chosen and moved, by hand-over; one query."""
    rows = HandoverAccount.objects.filter(tenant=tenant, handover_id__in=list(ids)).values("handover_id")
    rows = rows.order_by().annotate(chosen=Count("pk"), moved=Count("pk", filter=Q(moved_at__isnull=False)))
    return {row["handover_id"]: Counted(row["chosen"], row["moved"]) for row in rows}


def accounts_of(tenant: Tenant, handover_id: int) -> list[int]:
    """The accounts that a hand-over moved; one query."""
    moved = HandoverAccount.objects.filter(
        tenant=tenant, handover_id=handover_id, moved_at__isnull=False
    )  # fmt: skip
    return list(moved.order_by("account_id").values_list("account_id", flat=True))


def handed(tenant: Tenant, handover_id: int) -> list[HandoverAccount]:
    """The accounts of a hand-over, by name."""
    rows = HandoverAccount.objects.filter(tenant=tenant, handover_id=handover_id).select_related("account")
    return list(rows.order_by("account__name_search", "account_id")[:SHOWN])
