"""Why an account has its score: the stored arrays laid beside the version that made them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Prefetch, Q

from accounts.models import Tenant
from scoring.models import Component, CurrentScore, Measure, StoredScore, Version
from usage.models import Metric
from workspace.bands import band_of
from workspace.wording import measure_text, metric_figure

HEALTH = 1


@dataclass(frozen=True)
class MeasureLine:
    """A measure: what was counted, and what it was worth (0–100)."""

    label: str
    text: str
    scaled: float | None


@dataclass(frozen=True)
class ComponentLine:
    """A component: its value (0–100), its points out of its weight, and its measures."""

    key: str
    label: str
    weight: float
    effective: float
    value: float | None
    points: float | None
    band: str
    policy: str
    measures: list[MeasureLine] = field(default_factory=list)

    @property
    def is_missing(self) -> bool:
        """Whether nothing was known of it."""
        return self.value is None


def versions_with_parts(
    tenant: Tenant, version_ids: Collection[int], *, live_of: int | None = None
) -> dict[int, Version]:
    """Versions with their components and measures in the order of the stored arrays. Three queries.

    With `live_of`, a model, also its draft and what it has published last.
    """
    measures = Measure.objects.filter(tenant=tenant).order_by("position", "id")
    components = (
        Component.objects.filter(tenant=tenant)
        .order_by("position", "id")
        .prefetch_related(Prefetch("measures", queryset=measures))
    )
    wanted = Q(pk__in=version_ids)
    if live_of is not None:
        wanted |= Q(model_id=live_of, state__in=(Version.State.DRAFT, Version.State.PUBLISHED))
    found = Version.objects.filter(wanted, tenant=tenant).select_related("model", "published_by__user")
    return found.prefetch_related(Prefetch("components", queryset=components)).in_bulk()


def metric_book(tenant: Tenant) -> dict[str, Metric]:
    """Every metric by key. One query."""
    return {metric.key: metric for metric in Metric.objects.filter(tenant=tenant)}


def explained(
    row: CurrentScore | StoredScore, version: Version, metrics: dict[str, Metric], currency: str
) -> list[ComponentLine]:
    """The components of a stored score with points and raw values. No query."""
    lines: list[ComponentLine] = []
    place = 0
    for index, component in enumerate(version.components.all()):
        measures = []
        for measure in component.measures.all():
            metric = metrics.get(measure.metric_key)
            look = {
                "key": measure.metric_key,
                "unit": metric.unit if metric else "",
                "kind": metric.kind if metric else "",
                "currency": currency,
            }
            target = row.targets[place] if row.targets else None
            raw = row.raw[place]
            measures.append(
                MeasureLine(
                    label=str(metric) if metric else measure.metric_key,
                    text=""
                    if raw is None
                    else measure_text(
                        metric_figure(raw, **look),
                        aggregate=measure.aggregate,
                        window_days=measure.window_days,
                        baseline_days=measure.baseline_days,
                        target="" if target is None else metric_figure(target, **look),
                    ),
                    scaled=row.scaled[place],
                )
            )
            place += 1
        value = row.components[index]
        lines.append(
            ComponentLine(
                key=component.key,
                label=component.label,
                weight=component.weight,
                effective=row.effective[index] or 0,
                value=value,
                points=row.points[index],
                measures=measures,
                policy=component.get_missing_policy_display(),
                band=_tone(value, version),
            )
        )
    return lines


def _tone(value: float | None, version: Version) -> str:
    if value is None:
        return "unknown"
    return (
        "healthy"
        if value > version.healthy_above
        else "critical"
        if value < version.critical_below
        else "at_risk"
    )


@dataclass(frozen=True)
class Change:
    """What a component did to the score between two days; points before and now."""

    label: str
    before: float
    now: float

    @property
    def difference(self) -> float:
        """Points won or lost."""
        return self.now - self.before


@dataclass(frozen=True)
class ScorePanel:
    """The score of an account with its explanation, and what moved since a day before."""

    row: CurrentScore
    version: Version
    lines: list[ComponentLine]
    since: date | None
    score_before: float | None
    changes: list[Change]
    same_version: bool
    metrics: dict[str, Metric]

    @property
    def band(self) -> str:
        """Key of the band."""
        return band_of(self.row.band).key

    @property
    def weakest(self) -> ComponentLine | None:
        """The component that costs most points."""
        known = [line for line in self.lines if line.points is not None]
        return max(known, key=lambda line: line.effective - (line.points or 0), default=None)

    @property
    def missing(self) -> list[ComponentLine]:
        """Components that nothing was known of."""
        return [line for line in self.lines if line.is_missing]

    @property
    def difference(self) -> float | None:
        """How much the score moved since then."""
        if self.row.score is None or self.score_before is None:
            return None
        return self.row.score - self.score_before


def score_panel(
    tenant: Tenant, row: CurrentScore | None, currency: str, *, days_back: int = 30
) -> ScorePanel | None:
    """The explanation of the newest score and what moved against `days_back` days before. Five queries."""
    if row is None:
        return None
    version = versions_with_parts(tenant, [row.version_id])[row.version_id]
    metrics = metric_book(tenant)
    lines = explained(row, version, metrics, currency)
    earlier = (
        StoredScore.objects.filter(
            tenant=tenant,
            kind=HEALTH,
            account_id=row.account_id,
            day__lte=row.day - timedelta(days=days_back),
            day__gt=row.day - timedelta(days=days_back + 7),
            score__isnull=False,
        )
        .order_by("-day")
        .first()
    )
    same = earlier is not None and earlier.version_id == row.version_id
    changes = []
    if earlier is not None and same:
        pairs = zip(lines, earlier.points, row.points, strict=True)
        changes = [Change(line.label, before or 0, now or 0) for line, before, now in pairs]
        changes = sorted((c for c in changes if round(c.difference, 1)), key=lambda c: c.difference)
    return ScorePanel(
        row=row,
        version=version,
        lines=lines,
        since=earlier.day if earlier else None,
        score_before=earlier.score if earlier else None,
        changes=changes,
        same_version=same,
        metrics=metrics,
    )
