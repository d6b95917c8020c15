"""Reads of overrides and sentiments; each a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Membership, Tenant
from scoring.bands import BAND_NAMES
from scoring.models import KIND_CODES, CurrentScore, Override, Sentiment
from scoring.overrides.judging import Record, judge, records

HISTORY_SHOWN = 50
SETTLED_DAYS = 30  # so long after its end an override is compared with what came


def standing_override(tenant: Tenant, account_id: int, on: date | None = None) -> Override | None:
    """The override that stands today, or stood on a day; one query."""
    day = on or tenant.today()
    rows = Override.objects.filter(tenant=tenant, account_id=account_id, starts_on__lte=day, until__gt=day)
    for override in rows.select_related("created_by__user").order_by("-id"):
        if override.counts_on(day):
            return override
    return None


def standing_overrides(tenant: Tenant, account_ids: Sequence[int]) -> dict[int, Override]:
    """The overrides that stand today at some accounts, by account; one query."""
    found = Override.objects.filter(
        tenant=tenant, account_id__in=list(account_ids), ended_on=None, until__gt=tenant.today()
    )
    return {override.account_id: override for override in found.order_by("id")}


def override_history(tenant: Tenant, account_id: int, limit: int = HISTORY_SHOWN) -> list[Override]:
    """The overrides of an account, newest first; one query."""
    rows = Override.objects.filter(tenant=tenant, account_id=account_id)
    return list(rows.select_related("created_by__user", "ended_by__user").order_by("-id")[:limit])


def overrides_between(tenant: Tenant, account_id: int, first: date, last: date) -> list[Override]:
    """The overrides that stood on any day of a span, rising; one query."""
    rows = Override.objects.filter(
        tenant=tenant, account_id=account_id, starts_on__lte=last, until__gt=first
    ).order_by("starts_on", "id")
    return [override for override in rows if override.last_on > max(first, override.starts_on)]


def override_body(override: Override | None) -> dict[str, Any] | None:
    """An override as the API gives it beside the computed score."""
    if override is None:
        return None
    return {
        "id": override.pk,
        "band": BAND_NAMES["health"][override.band],
        "score": override.score,
        "reason": override.reason,
        "from": override.starts_on.isoformat(),
        "until": override.until.isoformat(),
        "ended_on": override.ended_on.isoformat() if override.ended_on else None,
        "by": override.created_by.user.email if override.created_by else None,
        "computed_score": override.computed_score,
        "computed_band": BAND_NAMES["health"][override.computed_band],
    }


def sentiment_history(tenant: Tenant, account_id: int, limit: int = HISTORY_SHOWN) -> list[Sentiment]:
    """The sentiments of an account, newest first; the first one counts; one query."""
    rows = Sentiment.objects.filter(tenant=tenant, account_id=account_id)
    return list(rows.select_related("created_by__user").order_by("-id")[:limit])


@dataclass(frozen=True)
class OpenOverride:
    """An override that stands, with the score that is computed now."""

    override: Override
    current: CurrentScore | None


@dataclass(frozen=True)
class OpenOverrides:
    """The overrides that stand, soonest to end first, and how many there are in all."""

    rows: list[OpenOverride]
    total: int


def open_overrides(tenant: Tenant, *, limit: int = HISTORY_SHOWN) -> OpenOverrides:
    """What stands today in the whole tenant; three queries."""
    rows = Override.objects.filter(tenant=tenant, ended_on=None, until__gt=tenant.today())
    found = list(
        rows.select_related("account__owner__user", "created_by__user").order_by("until", "id")[:limit]
    )
    current = {
        score.account_id: score
        for score in CurrentScore.objects.filter(
            tenant=tenant, kind=KIND_CODES["health"], account_id__in=[one.account_id for one in found]
        )
    }
    return OpenOverrides([OpenOverride(one, current.get(one.account_id)) for one in found], rows.count())


# What came of an override: the band that was computed so many days after its end, or that the account was gone by then. By
# the whole key of the history, so that no plan reads more of it than these rows.
_OUTCOMES = """
SELECT o.created_by_id, o.band, o.computed_band, later.band,
       coalesce(a.churned_on <= o.last_on + %(days)s, false)
FROM (
  SELECT *, least(until, ended_on) AS last_on FROM scoring_override WHERE tenant_id = %(tenant)s
) AS o
JOIN accounts_account AS a ON a.tenant_id = o.tenant_id AND a.id = o.account_id
LEFT JOIN scoring_score AS later ON later.tenant_id = o.tenant_id AND later.kind = %(kind)s
  AND later.account_id = o.account_id AND later.day = o.last_on + %(days)s
WHERE o.tenant_id = %(tenant)s AND o.last_on > o.starts_on AND o.last_on <= %(today)s::date - %(days)s
"""


@dataclass(frozen=True)
class MemberRecord:
    """The record of a member; `member` is None for overrides of the API."""

    member: Membership | None
    record: Record


@dataclass(frozen=True)
class Calibration:
    """Were overrides right? Each member's record and everybody's."""

    days: int
    members: list[MemberRecord]
    total: Record


def override_calibration(tenant: Tenant, *, days: int = SETTLED_DAYS) -> Calibration:
    """What came of the overrides that ended at least so many days ago; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OUTCOMES,
            {"tenant": tenant.pk, "kind": KIND_CODES["health"], "today": tenant.today(), "days": days},
        )
        judged = [
            (who or 0, judge(said, computed, later, churned))
            for who, said, computed, later, churned in cursor.fetchall()
        ]
    *each, total = records(judged)
    members = (
        Membership.objects.filter(tenant=tenant)
        .select_related("user")
        .in_bulk([record.who for record in each if record.who])
    )
    return Calibration(days, [MemberRecord(members.get(record.who), record) for record in each], total)


def overridden_since(tenant: Tenant, days: int = 90) -> int:
    """How many overrides were set in the last days; one query."""
    return Override.objects.filter(tenant=tenant, starts_on__gt=tenant.today() - timedelta(days=days)).count()
