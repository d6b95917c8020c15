"""Why a score is what it is: the stored arrays beside the version they were made with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np

from accounts.models import Account, Tenant
from scoring.bands import BAND_NAMES, Kind
from scoring.engine import Scores, combine_given
from scoring.models import KIND_CODES, Component, CurrentScore, Measure, StoredScore
from scoring.overrides.selectors import override_body, standing_override
from scoring.specs import LoadedVersion, version_parts
from usage.models import Metric

Row = CurrentScore | StoredScore
Parts = Sequence[tuple[Component, Sequence[Measure]]]


def stored_row(tenant: Tenant, account_id: int, kind: str, on: date | None) -> Row | None:
    """The current score, or the newest one that was stored by a day."""
    code = KIND_CODES[kind]
    if on is None:
        return (
            CurrentScore.objects.filter(tenant=tenant, kind=code, account_id=account_id)
            .select_related("version__model", "exception")
            .first()
        )
    return (
        StoredScore.objects.filter(tenant=tenant, kind=code, account_id=account_id, day__lte=on)
        .select_related("version__model", "exception")
        .order_by("-day")
        .first()
    )


def explanation(
    tenant: Tenant, account_id: int, kind: str = "health", on: date | None = None
) -> dict[str, Any]:
    """The score of an account with all its parts, as the API gives it: six queries.

    With `on`, the newest score stored by that day; the answer says which day it is of. An account that was never scored has
    the same shape with nothing in it. `override` is the one that stands (or stood on that day); all else is as computed.
    """
    row = stored_row(tenant, account_id, kind, on)
    external_id = _external_id(tenant, account_id)
    out = empty_explanation(external_id, on)
    if row is not None:
        out = _explained(external_id, row, version_parts(tenant, [row.version])[row.version_id])
    if kind == "health":
        out["override"] = override_body(standing_override(tenant, account_id, on))
    return out


def _external_id(tenant: Tenant, account_id: int) -> str:
    return str(
        Account.objects.filter(tenant=tenant, pk=account_id).values_list("external_id", flat=True).get()
    )


def empty_explanation(external_id: str, on: date | None) -> dict[str, Any]:
    """The shape of an account that was not scored (yet, or by that day)."""
    return {
        "account_id": external_id,
        "on": on.isoformat() if on else None,
        "score": None,
        "band": "unknown",
        "coverage": 0.0,
        "model": None,
        "new": False,
        "components": [],
    }


def _explained(external_id: str, row: Row, parts: Parts) -> dict[str, Any]:
    exceptions = row_exceptions(row)
    return {
        "account_id": external_id,
        "on": row.day.isoformat(),
        "score": row.score,
        "band": band_name(row.kind, row.band),
        "coverage": row.coverage,
        "model": {"key": row.version.model.key, "version": row.version.number},
        "new": row.is_new,
        "components": _components(row, parts),
        **({"exceptions": exceptions} if exceptions else {}),
    }


def row_exceptions(row: Row) -> list[dict[str, Any]]:
    """The exception that holds the score down, with the points it takes: components + exceptions = score."""
    rule = row.exception
    if rule is None:
        return []
    return [{"name": rule.name, "metric": rule.metric_key, "cap": rule.cap, "points": row.adjustment}]


def _components(row: Row, parts: Parts) -> list[dict[str, Any]]:
    """Each component with its measures, cut out of the stored arrays by position."""
    out, start = [], 0
    for place, (component, measures) in enumerate(parts):
        scaled = row.scaled[start : start + len(measures)]
        out.append(
            {
                "key": component.key,
                "weight": component.weight,
                "effective_weight": row.effective[place],
                "score": row.components[place],
                "points": row.points[place],
                "missing": all(value is None for value in scaled),
                "measures": [
                    {"metric": measure.metric_key, "value": row.raw[start + offset], "scaled": scaled[offset]}
                    for offset, measure in enumerate(measures)
                ],
            }
        )
        start += len(measures)
    return out


def band_name(kind_code: int, band: int) -> str:
    """The word of a band, as the API says it."""
    kind: Kind = "pql" if kind_code == KIND_CODES["pql"] else "health"
    return BAND_NAMES[kind][band]


def score_details(
    tenant: Tenant, account_id: int, kind: str = "health", on: date | None = None
) -> dict[str, Any]:
    """The explanation with what a page needs beside it: names in the reader's language, windows, targets, units.

    Four queries. `previous` is the score before this one, `change` the difference to it.
    """
    row = stored_row(tenant, account_id, kind, on)
    external_id = _external_id(tenant, account_id)
    if row is None:
        return {
            **empty_explanation(external_id, on),
            "model_name": "",
            "previous": None,
            "change": None,
            "is_final": False,
        }
    parts = version_parts(tenant, [row.version])[row.version_id]
    out = _explained(external_id, row, parts)
    metrics = {
        metric.key: metric
        for metric in Metric.objects.filter(
            tenant=tenant, key__in=[m.metric_key for _part, own in parts for m in own]
        )
    }
    column = 0
    for shown, (component, measures) in zip(out["components"], parts, strict=True):
        shown.update(
            name=component.label,
            policy=component.missing_policy,
            held=bool(shown["missing"] and shown["score"] is not None),
            combine=component.combine,
        )
        for line, measure in zip(shown["measures"], measures, strict=True):
            metric = metrics.get(measure.metric_key)
            line.update(
                name=str(metric) if metric else measure.metric_key,
                unit=metric.unit if metric else "",
                decimals=metric.decimals if metric else 0,
                is_ratio=bool(metric and metric.kind == Metric.Kind.RATIO),
                aggregate=measure.aggregate,
                aggregate_label=measure.get_aggregate_display(),
                window_days=measure.window_days,
                half_life_days=measure.half_life_days
                if measure.aggregate == Measure.Aggregate.DECAYED_DAYS
                else None,
                scale=measure.scale,
                target=_target(row, column, measure),
            )
            column += 1
    previous = row.previous_score if isinstance(row, CurrentScore) else None
    change = row.score - previous if row.score is not None and previous is not None else None
    return {
        **out,
        "model_name": row.version.model.label,
        "previous": previous,
        "change": change,
        "is_final": row.is_final,
    }


def _target(row: Row, column: int, measure: Measure) -> float | None:
    """The target that the measure was held against that day: the account's own, its segment's or the scale's.

    Rows from before targets by segment keep only the account's own.
    """
    own = row.targets[column] if row.targets else None
    if own is not None or measure.scale_kind != Measure.ScaleKind.PERCENT_OF_TARGET:
        return own
    target = measure.scale_params.get("target")
    return float(target) if target is not None else None


def measure_places(version: LoadedVersion) -> dict[str, list[int]]:
    """Columns of the measures by metric, and by component and metric: `active_days` and `usage.active_days`."""
    places: dict[str, list[int]] = {}
    column = 0
    for component in version.spec.components:
        for measure in component.measures:
            for name in (measure.key, f"{component.key}.{measure.key}"):
                places.setdefault(name, []).append(column)
            column += 1
    return places


def evaluate_components(
    version: LoadedVersion,
    values: Mapping[str, float | None],
    on: date,
    measured: Mapping[str, float | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """The calculator: component values in, the explanation out, through the function that the nightly run ends in.

    `measured` are raw values of measures (names of `measure_places`), at which only the exceptions look.
    """
    given = [values.get(component.key) for component in version.spec.components]
    raw = np.full((1, len(version.spec.measures)), np.nan)
    places = measure_places(version)
    for name, value in measured.items():
        raw[0, places[name]] = math.nan if value is None else value
    out = combine_given(
        version.spec,
        np.array([[math.nan if value is None else value for value in given]], dtype=np.float64),
        raw,
    )
    exceptions = calculated_exceptions(version, out)
    return {
        "account_id": None,
        "on": on.isoformat(),
        "score": _plain(out.score[0]),
        "band": version.spec.bands.name(int(out.band[0])),
        "coverage": float(out.coverage[0]),
        "model": {"key": version.model_key, "version": version.number},
        "new": False,
        "components": calculated_components(version, out),
        **({"exceptions": exceptions} if exceptions else {}),
    }


def calculated_components(version: LoadedVersion, out: Scores, row: int = 0) -> list[dict[str, Any]]:
    """Components of scores that are not stored."""
    return [
        {
            "key": component.key,
            "weight": component.weight,
            "effective_weight": float(out.effective[row, place]),
            "score": _plain(out.values[row, place]),
            "points": _plain(out.points[row, place]),
            "missing": bool(out.missing[row, place]),
            "measures": [],
        }
        for place, component in enumerate(version.spec.components)
    ]


def calculated_exceptions(version: LoadedVersion, out: Scores, row: int = 0) -> list[dict[str, Any]]:
    """The exception that holds a score down that is not stored."""
    place = int(out.exception[row])
    if place < 0:
        return []
    rule = version.spec.exceptions[place]
    metric = version.spec.measures[rule.column].key
    return [{"name": rule.name, "metric": metric, "cap": rule.cap, "points": float(out.adjustment[row])}]


def _plain(value: Any) -> float | None:
    """A number for JSON; NaN is null."""
    return None if math.isnan(value) else float(value)
