"""What the sources delivered, and how fresh they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from accounts.models import Tenant
from usage.models import Quarantine, Source

# A source counts as fresh on a day if something was received within its hours before the day's end.
_DELIVERED = """
WITH fresh AS (
  SELECT DISTINCT sm.metric_id AS id FROM usage_source_metric sm
  JOIN usage_source s ON s.tenant_id = sm.tenant_id AND s.id = sm.source_id
  WHERE sm.tenant_id = %(tenant)s AND sm.first_on <= %(known_on)s AND EXISTS (
    SELECT 1 FROM usage_source_day d WHERE d.tenant_id = s.tenant_id AND d.source_id = s.id
    AND d.received_on <= %(known_on)s AND d.received_on > %(known_on)s - ((s.fresh_hours + 23) / 24 + 1))
)
SELECT id FROM fresh
UNION
SELECT r.id FROM usage_metric r
JOIN usage_metric n ON n.tenant_id = r.tenant_id AND n.key = r.numerator
JOIN usage_metric d ON d.tenant_id = r.tenant_id AND d.key = r.denominator
WHERE r.tenant_id = %(tenant)s AND r.kind = 'ratio'
  AND n.id IN (SELECT id FROM fresh) AND d.id IN (SELECT id FROM fresh)
"""


def delivered_metrics(tenant: Tenant, day: date, known_on: date | None = None) -> set[int]:
    """Ids of the metrics for which a source that delivered them is fresh as of the day: their silence is zero.

    A ratio counts as delivered when both its parts are. With `known_on`, a later day, delivery is judged as of then: what an
    older week holds may have arrived since. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, {"tenant": tenant.pk, "known_on": known_on or day})
        return {row[0] for row in cursor.fetchall()}


_DELIVERED_DAYS = """
SELECT d.day::date FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d(day)
WHERE EXISTS (
  SELECT 1 FROM usage_source_metric sm
  JOIN usage_source s ON s.tenant_id = sm.tenant_id AND s.id = sm.source_id
  JOIN usage_source_day r ON r.tenant_id = s.tenant_id AND r.source_id = s.id
  WHERE sm.tenant_id = %(tenant)s AND sm.metric_id = ANY(%(metrics)s) AND sm.first_on <= d.day
    AND r.received_on <= d.day AND r.received_on > d.day::date - ((s.fresh_hours + 23) / 24 + 1))
"""


def days_delivered(tenant: Tenant, metric_ids: Collection[int], first: date, last: date) -> set[date]:
    """The days on which a fresh source delivered at least one of these metrics: one query for any span."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DELIVERED_DAYS, {"tenant": tenant.pk, "metrics": list(metric_ids), "first": first, "last": last}
        )
        return {row[0] for row in cursor.fetchall()}


@dataclass(frozen=True)
class Freshness:
    """A source, and whether it has gone quiet."""

    source: Source
    is_quiet: bool
    quiet_since: datetime | None


def source_freshness(tenant: Tenant, now: datetime | None = None) -> list[Freshness]:
    """Every source with its freshness; one query."""
    now = now or timezone.now()
    return [_freshness(source, now) for source in Source.objects.filter(tenant=tenant).order_by("key")]


def _freshness(source: Source, now: datetime) -> Freshness:
    last = source.last_received_at
    limit = last + timedelta(hours=source.fresh_hours) if last else None
    return Freshness(
        source,
        is_quiet=limit is None or limit < now,
        quiet_since=last if limit is not None and limit < now else None,
    )


@dataclass(frozen=True)
class SourceState(Freshness):
    """A source with what its page shows."""

    last_days: list[tuple[date, int]]  # events received on each of the last 14 days, oldest first
    open_quarantine: int


def sources_with_state(tenant: Tenant, now: datetime | None = None) -> list[SourceState]:
    """Every source with its freshness, its last days and its open quarantine."""
    now = now or timezone.now()
    today = now.astimezone(tenant.tz).date()
    first = today - timedelta(days=13)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, received_on, events FROM usage_source_day "
            "WHERE tenant_id = %s AND received_on BETWEEN %s AND %s",
            [tenant.pk, first, today],
        )
        received = {(source, day): events for source, day, events in cursor.fetchall()}
    waiting = quarantine_counts(tenant)
    days = [first + timedelta(days=n) for n in range(14)]
    return [
        SourceState(
            source=found.source,
            is_quiet=found.is_quiet,
            quiet_since=found.quiet_since,
            last_days=[(day, received.get((found.source.pk, day), 0)) for day in days],
            open_quarantine=waiting.get(found.source.key, 0),
        )
        for found in source_freshness(tenant, now)
    ]


def quarantine_counts(tenant: Tenant) -> dict[str, int]:
    """Open events in the quarantine, by source key."""
    rows = (
        Quarantine.objects.filter(tenant=tenant, state=Quarantine.State.OPEN)
        .values_list("source")
        .annotate(waiting=Count("id"))
    )
    return dict(rows.order_by("source"))


def unassigned_events(tenant: Tenant, limit: int = 10_001) -> int:
    """How many events wait for an account, counted up to a limit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM usage_event WHERE tenant_id = %s AND account_id IS NULL LIMIT %s) AS e",
            [tenant.pk, limit],
        )
        return int(cursor.fetchone()[0])
