"""Which version of which model scores whom, and since when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from accounts.models import Tenant
from scoring.models import ScoreModel, Version


@dataclass(frozen=True)
class ModelTimeline:
    """A model and its published versions in the order in which they came into force."""

    model: ScoreModel
    starts: tuple[date, ...]
    versions: tuple[Version, ...]
    earliest: Version  # for days before any version; it may itself have been replaced on its first day

    def in_force(self, day: date) -> Version:
        """The version of a day: the newest that was in force then, else the earliest there is."""
        place = bisect_right(self.starts, day)
        return self.versions[place - 1] if place else self.earliest

    def spans(self, days: Sequence[date]) -> list[tuple[Version, tuple[date, ...]]]:
        """Consecutive days under one version."""
        spans: list[tuple[Version, list[date]]] = []
        for day in days:
            version = self.in_force(day)
            if spans and spans[-1][0].pk == version.pk:
                spans[-1][1].append(day)
            else:
                spans.append((version, [day]))
        return [(version, tuple(span)) for version, span in spans]


def model_timelines(tenant: Tenant, kind: str) -> list[ModelTimeline]:
    """The active models of a kind with their published versions, in the order in which they claim accounts.

    Models for a segment, a stage or kinds of plan come first by their position, the default last. A model that is for none
    of these and not the default claims nobody.
    """
    published: dict[int, list[Version]] = {}
    models: dict[int, ScoreModel] = {}
    for version in (
        Version.objects.filter(
            tenant=tenant, model__kind=kind, model__active=True, in_force_from__isnull=False
        )
        .exclude(state=Version.State.DRAFT)
        .select_related("model")
        .order_by("number")
    ):
        models[version.model_id] = version.model
        published.setdefault(version.model_id, []).append(version)
    order = sorted(models.values(), key=lambda model: (model.is_default, model.position, model.pk))
    return [
        _timeline(model, published[model.pk])
        for model in order
        if model.is_default or model.segment or model.stage or model.plan_kinds
    ]


def _timeline(model: ScoreModel, versions: list[Version]) -> ModelTimeline:
    """Of versions published for the same day the last one counts, and a number never goes back."""
    steps: list[tuple[date, Version]] = []
    for version in versions:
        start = version.in_force_from
        assert start is not None  # the query asked for it
        while steps and steps[-1][0] >= start:
            steps.pop()
        steps.append((start, version))
    return ModelTimeline(
        model, tuple(start for start, _ in steps), tuple(version for _, version in steps), versions[0]
    )


def claims(model: ScoreModel, segment: str, stage: str, plan_kind: str) -> bool:
    """Whether a model scores accounts like this one."""
    return (
        (not model.segment or model.segment == segment)
        and (not model.stage or model.stage == stage)
        and (not model.plan_kinds or plan_kind in model.plan_kinds)
    )


def published_version(tenant: Tenant, model_key: str) -> Version | None:
    """The version of a model that scores today."""
    return (
        Version.objects.filter(tenant=tenant, model__key=model_key, state=Version.State.PUBLISHED)
        .select_related("model")
        .order_by("-number")
        .first()
    )


def numbered_version(tenant: Tenant, model_key: str, number: int) -> Version | None:
    """A version of a model by its number, in whatever state."""
    return (
        Version.objects.filter(tenant=tenant, model__key=model_key, number=number)
        .select_related("model")
        .first()
    )


_MARKS = """
SELECT v.in_force_from, m.key, m.name, v.number, v.origin
FROM scoring_version v JOIN scoring_model m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
WHERE v.tenant_id = %s AND v.in_force_from BETWEEN %s AND %s AND v.number > 1 AND v.state <> %s
ORDER BY v.in_force_from, v.number, v.id
"""


def version_marks(tenant: Tenant, first: date, last: date) -> list[dict[str, Any]]:
    """Where a chart over time shows a new version: day, model and number; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, [tenant.pk, first, last, Version.State.DRAFT.value])
        return [
            {"day": day, "model": key, "name": gettext(name), "version": number, "origin": origin}
            for day, key, name, number, origin in cursor.fetchall()
        ]
