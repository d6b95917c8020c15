"""Where usage comes from, what it is counted as, and what could not be taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, F

from accounts.models import Tenant
from usage.models import Feature, Metric, Quarantine, Source, SourceMetric
from usage.selectors import delivered_metrics
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

SPARK_DAYS = 28


@dataclass(frozen=True)
class SourceLine:
    """A source with how fresh it is and what it delivered lately."""

    source: Source
    is_fresh: bool
    metrics: int
    spark: list[float | None]


def sources(tenant: Tenant, now: datetime, today: date) -> list[SourceLine]:
    """Every source, the one heard of last first. Three queries."""
    counts = dict(
        SourceMetric.objects.filter(tenant=tenant)
        .values_list("source_id")
        .annotate(count=Count("pk"))
        .order_by()
    )
    first = today - timedelta(days=SPARK_DAYS - 1)
    sparks: dict[int, list[float | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, received_on, events FROM usage_source_day WHERE tenant_id = %s AND received_on >= %s",
            [tenant.pk, first],
        )
        for source_id, day, events in cursor.fetchall():
            place = (day - first).days
            if place < SPARK_DAYS:
                sparks.setdefault(source_id, [0.0] * SPARK_DAYS)[place] = float(events)
    return [
        SourceLine(
            source=source,
            metrics=counts.get(source.pk, 0),
            spark=sparks.get(source.pk, []),
            is_fresh=source.last_received_at is not None
            and now - source.last_received_at <= timedelta(hours=source.fresh_hours),
        )
        for source in Source.objects.filter(tenant=tenant).order_by(
            F("last_received_at").desc(nulls_last=True), "key"
        )
    ]


def open_quarantine(tenant: Tenant) -> int:
    """How many events wait for somebody, up to the cap."""
    return Quarantine.objects.filter(tenant=tenant, state=Quarantine.State.OPEN)[: COUNT_CAP + 1].count()


@dataclass(frozen=True)
class QuarantineFilter:
    """What the quarantine is narrowed to."""

    state: str = Quarantine.State.OPEN
    code: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {"state": "" if self.state == Quarantine.State.OPEN else self.state, "code": self.code}
        return {name: value for name, value in said.items() if value}


def read_quarantine_filter(parameters: Mapping[str, str]) -> QuarantineFilter:
    """The filter of an address; what cannot be understood is left out."""
    state = parameters.get("state", "")
    return QuarantineFilter(
        state=state if state in Quarantine.State.values else Quarantine.State.OPEN,
        code=parameters.get("code", "").replace("\0", "")[:40],
    )


@dataclass(frozen=True)
class QuarantinePage:
    """A page of the quarantine, and why things are in it."""

    rows: list[Quarantine]
    total: int
    next_cursor: Cursor | None
    reasons: list[tuple[str, int]]


def quarantine_page(
    tenant: Tenant, wanted: QuarantineFilter, *, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> QuarantinePage:
    """Events in quarantine, newest first, with the reasons of all open ones. Three queries."""
    in_state = Quarantine.objects.filter(tenant=tenant, state=wanted.state)
    found = in_state.filter(code=wanted.code) if wanted.code else in_state
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found.order_by("-pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    reasons = in_state.values_list("code").annotate(count=Count("pk")).order_by("-count", "code")
    return QuarantinePage(rows, total, Cursor(None, rows[-1].pk) if more else None, list(reasons))


def quarantined(tenant: Tenant, pk: int) -> Quarantine | None:
    """One event in quarantine."""
    return Quarantine.objects.filter(tenant=tenant, pk=pk).first()


@dataclass(frozen=True)
class MetricLine:
    """A metric and how it comes: `delivered`, `computed` from the account's state, `quiet`, `off` or `none`."""

    metric: Metric
    state: str


def metrics(tenant: Tenant, today: date) -> list[MetricLine]:
    """Every metric: those in use first."""
    delivered = delivered_metrics(tenant, today)
    found = Metric.objects.filter(tenant=tenant).annotate(source_count=Count("sources"))
    return [
        MetricLine(metric, _delivery(metric, metric.source_count > 0, delivered))
        for metric in sorted(found, key=lambda one: (not one.active, str(one).lower(), one.pk))
    ]


def _delivery(metric: Metric, has_source: bool, delivered: set[int]) -> str:
    if not metric.active:
        return "off"
    if metric.kind == Metric.Kind.STATE:
        return "computed"
    if metric.pk in delivered:
        return "delivered"
    return "quiet" if has_source else "none"


def features(tenant: Tenant) -> list[Feature]:
    """Every feature: key ones first."""
    return list(Feature.objects.filter(tenant=tenant).order_by("-is_key", "-active", "name", "pk")[:500])
