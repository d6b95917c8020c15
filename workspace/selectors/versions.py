"""The versions of a score model: who published what when, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Tenant
from scoring.difference import differences
from scoring.models import ScoreModel, Version, WhatIf
from scoring.services import CheckedFile, definition_of
from usage.models import Metric
from workspace.version_words import change_words


@dataclass(frozen=True)
class VersionLine:
    """A version in the list of its model."""

    version: Version
    has_what_if: bool


@dataclass(frozen=True)
class ModelVersions:
    """A model with its versions, newest first."""

    model: ScoreModel
    lines: list[VersionLine]

    @property
    def draft(self) -> Version | None:
        """The version that somebody works on."""
        return next((line.version for line in self.lines if line.version.is_draft), None)

    @property
    def published(self) -> Version | None:
        """The version that scores."""
        return next(
            (line.version for line in self.lines if line.version.state == Version.State.PUBLISHED), None
        )

    def numbered(self, text: str) -> Version | None:
        """The version with this number."""
        return next((line.version for line in self.lines if str(line.version.number) == text), None)


def model_versions(tenant: Tenant, model_id: int) -> ModelVersions | None:
    """A model and all its versions: three queries; None when there is no such model."""
    model = ScoreModel.objects.filter(tenant=tenant, pk=model_id).first()
    if model is None:
        return None
    versions = list(
        Version.objects.filter(tenant=tenant, model=model)
        .select_related("model", "published_by__user")
        .order_by("-number")
    )
    tried = set(
        WhatIf.objects.filter(tenant=tenant, version__in=versions).values_list("version_id", flat=True)
    )
    return ModelVersions(model, [VersionLine(version, version.pk in tried) for version in versions])


def difference_words(tenant: Tenant, old: Version, new: Version) -> list[str]:
    """What the new version says otherwise, a sentence for each difference."""
    metrics = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant)}
    return [change_words(change, metrics) for change in differences(definition_of(old), definition_of(new))]


def file_words(tenant: Tenant, checked: CheckedFile) -> list[str]:
    """What a file says otherwise than the published version, a sentence for each difference."""
    metrics = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant)}
    return [change_words(change, metrics) for change in checked.changes]
