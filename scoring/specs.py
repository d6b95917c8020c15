"""From the tables to the engine: a version as a specification, and where each of its measures is read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from accounts.models import Tenant

from .bands import Bands, Kind
from .engine import NO_MEASURE, ComponentSpec, ExceptionSpec, MeasureSpec, ModelSpec, SpecError
from .models import KIND_CODES, Component, ExceptionRule, Measure, ScoreModel, Version
from .scales import Problem, ScaleError, scale_from_dict

Parts: TypeAlias = Sequence[tuple[Component, Sequence[Measure]]]

WHICH_MEASURE = "Several measures read this metric: say which component, and how it is counted there."
STILL_SEVERAL = (
    "Two measures of this component count this metric the same way: move one to a component of its own."
)


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
    model: ScoreModel
    measure_ids: tuple[int, ...] = ()
    exception_ids: tuple[int, ...] = ()

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


def build_spec(version: Version, parts: Parts, rules: Sequence[ExceptionRule] = ()) -> ModelSpec:
    """The engine's specification; raises `SpecError` with every fault of every scale, weight, threshold and exception."""
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
    if problems:  # the columns of exceptions are counted over all measures
        raise SpecError([*problems, *_other_problems(version, components)])
    exceptions = []
    for place, rule in enumerate(rules):
        column, fault = exception_column(parts, rule)
        if fault:
            problems.append((f"exceptions[{place}].metric", fault))
        else:
            exceptions.append(
                ExceptionSpec(rule.name, column, rule.operator, rule.value, rule.cap, rule.reads)
            )
    try:
        spec = ModelSpec(tuple(components), bands_of(version), version.coverage_min, tuple(exceptions))
    except SpecError as error:
        raise SpecError([*problems, *error.problems]) from error
    if problems:
        raise SpecError(problems)
    return spec


def _other_problems(version: Version, components: Sequence[ComponentSpec]) -> list[Problem]:
    """What is wrong beside the scales."""
    try:
        ModelSpec(tuple(components), bands_of(version), version.coverage_min)
    except SpecError as error:
        return error.problems
    return []


def bands_of(version: Version) -> Bands:
    """The thresholds of a version and what a band needs to change."""
    kind: Kind = "pql" if version.model.kind == "pql" else "health"
    points = version.hysteresis_points if version.hysteresis == Version.Hysteresis.POINTS else 0.0
    runs = version.hysteresis_runs if version.hysteresis == Version.Hysteresis.RUNS else 1
    return Bands(kind, version.healthy_above, version.critical_below, points, runs)


def exception_column(parts: Parts, rule: ExceptionRule) -> tuple[int, str]:
    """Which measure an exception looks at, or what is wrong with its choice."""
    reading: list[tuple[int, Component, Measure]] = []
    column = 0
    for component, measures in parts:
        for measure in measures:
            if (
                measure.metric_key == rule.metric_key
                and rule.component_key in ("", component.key)
                and rule.aggregate in ("", measure.aggregate)
            ):
                reading.append((column, component, measure))
            column += 1
    if not reading:
        return -1, NO_MEASURE
    if len(reading) > 1:
        named = len({(component.key, measure.aggregate) for _place, component, measure in reading}) == 1
        return -1, STILL_SEVERAL if named else WHICH_MEASURE
    return reading[0][0], ""


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


def version_exceptions(tenant: Tenant, versions: Iterable[Version]) -> dict[int, list[ExceptionRule]]:
    """The exceptions of these versions, in order: one query."""
    rules: dict[int, list[ExceptionRule]] = {version.pk: [] for version in versions}
    for rule in ExceptionRule.objects.filter(tenant=tenant, version_id__in=list(rules)).order_by(
        "position", "id"
    ):
        rules[rule.version_id].append(rule)
    return rules


def load_versions(tenant: Tenant, versions: Sequence[Version]) -> dict[int, LoadedVersion]:
    """Versions as the engine needs them, by id: three queries."""
    parts, rules = version_parts(tenant, versions), version_exceptions(tenant, versions)
    return {version.pk: loaded_version(version, parts[version.pk], rules[version.pk]) for version in versions}


def loaded_version(version: Version, parts: Parts, rules: Sequence[ExceptionRule]) -> LoadedVersion:
    """A version as the engine needs it, from rows that were read already; raises `SpecError`."""
    measures = [measure for _, own in parts for measure in own]
    return LoadedVersion(
        id=version.pk,
        number=version.number,
        model_key=version.model.key,
        kind=version.model.kind,
        spec=build_spec(version, parts, rules),
        sources=tuple(measure_source(measure) for measure in measures),
        model=version.model,
        measure_ids=tuple(measure.pk for measure in measures),
        exception_ids=tuple(rule.pk for rule in rules),
    )
