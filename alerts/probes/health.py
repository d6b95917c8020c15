"""Probe over health scores: a drop under one version of the model, and the component that lost most points."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection

from alerts.conditions import health_dropped, health_recovered
from alerts.params import HealthDropped
from scoring.models import Component

from .night import Key, Night, OpenAlert, Reading, number

# Today's score beside the oldest one of the same version within the window; a probe of the key per account.
SCORES_SQL = """
SELECT now.account_id, now.version_id, now.score, now.band, old.day, old.score, old.band, now.points, now.effective
FROM scoring_score now
LEFT JOIN LATERAL (
  SELECT s.day, s.score, s.band FROM scoring_score s
  WHERE s.tenant_id = %(tenant)s AND s.kind = 1 AND s.account_id = now.account_id
    AND s.day >= %(first)s AND s.day < %(day)s AND s.version_id = now.version_id AND s.band > 0
  ORDER BY s.day LIMIT 1
) old ON true
WHERE now.tenant_id = %(tenant)s AND now.kind = 1 AND now.day = %(day)s
"""


def probe_health_dropped(night: Night, params: HealthDropped, open_alerts: dict[Key, OpenAlert]) -> Reading:
    """Scores that fell by the limit or into a worse band since the oldest comparable score of the window."""
    with connection.cursor() as cursor:
        cursor.execute(
            SCORES_SQL,
            {"tenant": night.tenant.pk, "day": night.day, "first": night.day - timedelta(days=params.days)},
        )
        rows = [row for row in cursor.fetchall() if row[0] in night.account_ids]
    if not rows:
        return Reading(suspended=True)
    score, band, before, band_before = (
        np.array([row[column] for row in rows], dtype=np.float64) for column in (2, 3, 5, 6)
    )
    dropped = health_dropped(
        score, before, band, band_before, points=params.points, worse_band=params.worse_band
    )
    found = [rows[index] for index in np.flatnonzero(dropped)]
    names = _component_keys(night, {row[1] for row in found})
    fires = {(row[0], ""): _evidence(row, names) for row in found}
    return Reading(fires, _recovered(rows, open_alerts, params) - set(fires))


def _evidence(row: tuple[Any, ...], names: dict[int, list[str]]) -> dict[str, Any]:
    _account, version_id, score, band, since, before, band_before, points, effective = row
    evidence: dict[str, Any] = {
        "since": since.isoformat(), "from_score": number(before), "score": number(score),
        "from_band": band_before, "band": band, "version": version_id,
    }
    weakest = weakest_component(names.get(version_id, []), points, effective)
    if weakest is not None:
        evidence["weakest"], evidence["lost"] = weakest[0], number(weakest[1])
    return evidence


def weakest_component(
    keys: list[str], points: list[float | None], effective: list[float | None]
) -> tuple[str, float] | None:
    """The component that leaves most points on the table, of those that are known; the first of equals."""
    best: tuple[str, float] | None = None
    for key, got, weight in zip(keys, points, effective, strict=False):
        if got is None or weight is None or np.isnan(got) or np.isnan(weight):
            continue
        lost = weight - got
        if best is None or lost > best[1]:
            best = key, lost
    return best


def _component_keys(night: Night, version_ids: set[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    components = Component.objects.filter(tenant=night.tenant, version_id__in=version_ids).order_by("position", "id")
    for version_id, key in components.values_list("version_id", "key"):
        names.setdefault(version_id, []).append(key)
    return names


def _recovered(rows: list[tuple[Any, ...]], open_alerts: dict[Key, OpenAlert], params: HealthDropped) -> set[Key]:
    """Open alerts whose account is back where it was before it fell."""
    mine = [(row, open_alerts[row[0], ""].evidence) for row in rows if (row[0], "") in open_alerts]
    if not mine:
        return set()
    back = health_recovered(
        np.array([row[2] for row, _evidence in mine], dtype=np.float64),
        np.array([evidence["from_score"] for _row, evidence in mine], dtype=np.float64),
        np.array([row[3] for row, _evidence in mine], dtype=np.float64),
        np.array([evidence["from_band"] for _row, evidence in mine], dtype=np.float64),
        np.array([row[1] == evidence["version"] for row, evidence in mine], dtype=bool),
        within=params.resolve_within,
    )
    return {(mine[index][0][0], "") for index in np.flatnonzero(back)}
