"""From the tables to the engine: a version as a specification, and where each of its measures is read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import Tenant

from .engine import Bands, ComponentSpec, Kind, MeasureSpec, ModelSpec, SpecError
from .models import KIND_CODES, Component, Measure, Version
from .scales import Problem, ScaleError, scale_from_dict


@dataclass(frozen=True)
class MeasureSource:
    """Which metric a measure reads and how its days become one number."""

    metric_key: str
    aggregate: str
    window_days: int = 7
    baseline_days: int = 28
    half_life_days: int = 90


@dataclass(frozen=True)
class LoadedVersion:
    """A version that can score: the engine's specification and its sources, column by column."""

    id: int
    number: int
    model_key: str
    kind: str
    spec: ModelSpec
    sources: tuple[MeasureSource, ...]

    @property
    def kind_code(self) -> int:
        """The kind as it is stored."""
        return KIND_CODES[self.kind]


def measure_source(measure: Measure) -> MeasureSource:
    """Where one measure is read from."""
    return MeasureSource(
        measure.metric_key,
        measure.aggregate,
        measure.window_days,
        measure.baseline_days,
        measure.half_life_days,
    )


def build_spec(version: Version, parts: Sequence[tuple[Component, Sequence[Measure]]]) -> ModelSpec:
    """The engine's specification; raises `SpecError` with every fault of every scale, weight and threshold."""
    problems: list[Problem] = []
    components = []
    for component, measures in parts:
        specs = []
        for measure in measures:
            try:
                specs.append(MeasureSpec(measure.metric_key, scale_from_dict(measure.scale), measure.weight))
            except ScaleError as error:
                problems += [
                    (f"{component.key}.{measure.metric_key}.{path}", text) for path, text in error.problems
                ]
        components.append(
            ComponentSpec(
                component.key,
                component.name,
                component.weight,
                tuple(specs),
                component.missing_policy,
                component.hold_days,
                component.combine,
            )
        )
    kind: Kind = "pql" if version.model.kind == "pql" else "health"
    bands = Bands(kind, version.healthy_above, version.critical_below)
    try:
        spec = ModelSpec(tuple(components), bands, version.coverage_min)
    except SpecError as error:
        raise SpecError([*problems, *error.problems]) from error
    if problems:
        raise SpecError(problems)
    return spec


def version_parts(
    tenant: Tenant, versions: Iterable[Version]
) -> dict[int, list[tuple[Component, list[Measure]]]]:
    """Components and measures of these versions, in order: two queries however many there are."""
    ids = [version.pk for version in versions]
    parts: dict[int, list[tuple[Component, list[Measure]]]] = {pk: [] for pk in ids}
    measures: dict[int, list[Measure]] = {}
    components = list(Component.objects.filter(tenant=tenant, version_id__in=ids).order_by("position", "id"))
    for measure in Measure.objects.filter(
        tenant=tenant, component_id__in=[component.pk for component in components]
    ).order_by("position", "id"):
        measures.setdefault(measure.component_id, []).append(measure)
    for component in components:
        parts[component.version_id].append((component, measures.get(component.pk, [])))
    return parts


def load_versions(tenant: Tenant, versions: Sequence[Version]) -> dict[int, LoadedVersion]:
    """Versions as the engine needs them, by id."""
    parts = version_parts(tenant, versions)
    return {
        version.pk: LoadedVersion(
            id=version.pk,
            number=version.number,
            model_key=version.model.key,
            kind=version.model.kind,
            spec=build_spec(version, parts[version.pk]),
            sources=tuple(
                measure_source(measure) for _, measures in parts[version.pk] for measure in measures
            ),
        )
        for version in versions
    }
