"""Rows of a version's components, measures and exceptions: written from a definition, copied from another version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Tenant
from scoring.models import Component, ExceptionRule, Measure, Version
from scoring.specs import version_exceptions, version_parts

from .definitions import FROZEN


def copy_parts(tenant: Tenant, source: Version, target: Version) -> None:
    """Copy components, measures and exceptions, a statement each however many there are.

    Frozen peers stay behind: publishing takes those of its day, and until then the copy is tried with today's.
    """
    parts = version_parts(tenant, [source])[source.pk]
    copies = [
        Component(
            tenant=tenant,
            version=target,
            key=part.key,
            name=part.name,
            weight=part.weight,
            missing_policy=part.missing_policy,
            hold_days=part.hold_days,
            combine=part.combine,
            position=part.position,
        )
        for part, _measures in parts
    ]
    Component.objects.bulk_create(copies)
    Measure.objects.bulk_create(
        [
            Measure(
                tenant=tenant,
                component=copy,
                metric_key=measure.metric_key,
                aggregate=measure.aggregate,
                window_days=measure.window_days,
                baseline_days=measure.baseline_days,
                half_life_days=measure.half_life_days,
                weight=measure.weight,
                scale_kind=measure.scale_kind,
                scale_params=_without_peers(measure.scale_params),
                position=measure.position,
            )
            for copy, (_part, measures) in zip(copies, parts, strict=True)
            for measure in measures
        ]
    )
    ExceptionRule.objects.bulk_create(
        [
            ExceptionRule(
                tenant=tenant,
                version=target,
                name=rule.name,
                metric_key=rule.metric_key,
                component_key=rule.component_key,
                aggregate=rule.aggregate,
                reads=rule.reads,
                operator=rule.operator,
                value=rule.value,
                cap=rule.cap,
                position=rule.position,
            )
            for rule in version_exceptions(tenant, [source])[source.pk]
        ]
    )


def _without_peers(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in FROZEN}


def write_parts(tenant: Tenant, version: Version, definition: Mapping[str, Any]) -> None:
    """The rows of a definition that is built as it must be."""
    components, measures = [], []
    for place, part in enumerate(definition["components"]):
        component = Component(
            tenant=tenant,
            version=version,
            key=part["key"],
            name=part["name"],
            weight=float(part["weight"]),
            missing_policy=part.get("missing") or Component.Missing.EXCLUDE,
            hold_days=part.get("hold_days") or 0,
            combine=part.get("combine") or Component.Combine.MEAN,
            position=place,
        )
        components.append(component)
        for order, measure in enumerate(part["measures"]):
            scale = dict(measure["scale"])
            measures.append(
                Measure(
                    tenant=tenant,
                    component=component,
                    metric_key=measure["metric"],
                    aggregate=measure["aggregate"],
                    window_days=measure.get("window_days") or 7,
                    baseline_days=measure.get("baseline_days") or 28,
                    half_life_days=measure.get("half_life_days") or 90,
                    weight=float(1 if measure.get("weight") is None else measure["weight"]),
                    scale_kind=scale.pop("kind"),
                    scale_params=scale,
                    position=order,
                )
            )
    Component.objects.bulk_create(components)
    for made in measures:
        made.component_id = made.component.pk
    Measure.objects.bulk_create(measures)
    ExceptionRule.objects.bulk_create(
        [
            ExceptionRule(
                tenant=tenant,
                version=version,
                name=rule["name"],
                metric_key=rule["metric"],
                component_key=rule.get("component") or "",
                aggregate=rule.get("aggregate") or "",
                reads=rule.get("reads") or ExceptionRule.Reads.VALUE,
                operator=rule["operator"],
                value=float(rule["value"]),
                cap=float(rule["cap"]),
                position=place,
            )
            for place, rule in enumerate(definition.get("exceptions") or [])
        ]
    )
