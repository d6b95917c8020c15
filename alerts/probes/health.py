"""Probe over health scores: a drop under one version of the model, and the component that lost most points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from alerts.conditions import health_dropped, health_recovered
from alerts.lifecycle import Key
from alerts.params import HealthDropped
from scoring.models import Component

from .night import Evidence, Needs, Night, OpenAlert, Reading, number

# Plain reads of one table each, joined here: right after a first import the planner knows nothing of these tables, and a
# join of its choice can then take hours.
NOW_SQL = """
SELECT account_id, version_id, score, band FROM scoring_score
WHERE tenant_id = %(tenant)s AND kind = 1 AND day = %(day)s
"""
OLDEST_SQL = """
SELECT account_id, version_id, min(day), (array_agg(score ORDER BY day))[1], (array_agg(band ORDER BY day))[1]
FROM scoring_score
WHERE tenant_id = %(tenant)s AND kind = 1 AND day >= %(first)s AND day < %(day)s AND band > 0
GROUP BY account_id, version_id
"""
POINTS_SQL = """
SELECT account_id, points, effective FROM scoring_score
WHERE tenant_id = %(tenant)s AND kind = 1 AND day = %(day)s AND account_id = ANY(%(accounts)s)
"""


class Scored(NamedTuple):
    """An account's score of the night beside its oldest one of the same version within the window."""

    account_id: int
    version_id: int
    score: float | None
    band: int
    since: date | None
    before: float | None
    band_before: int | None


def needs_health_dropped(night: Night, params: HealthDropped) -> Needs:
    """Stored scores only; they are read by themselves."""
    return Needs()


def probe_health_dropped(night: Night, params: HealthDropped, watched: Mapping[Key, OpenAlert]) -> Reading:
    """Scores that fell by the limit or into a worse band since the oldest comparable score of the window."""
    rows = _scored(night, params.days)
    if not rows:
        return Reading(suspended=True)
    score, band, before, band_before = (
        np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name in ("score", "band", "before", "band_before")
    )
    dropped = health_dropped(
        score, before, band, band_before, points=params.points, worse_band=params.worse_band
    )
    found = {rows[int(index)].account_id: rows[int(index)] for index in np.flatnonzero(dropped)}
    fires = {(account, "") for account in found}

    def evidence_of(keys: Sequence[Key]) -> dict[Key, Evidence]:
        fallen = [found[account] for account, _subject in keys]
        weakest = _weakest(night, fallen)
        return {(row.account_id, ""): _evidence(row, weakest.get(row.account_id)) for row in fallen}

    return Reading(fires, _recovered(rows, watched, params) - fires, evidence_of)


def _scored(night: Night, days: int) -> list[Scored]:
    values: dict[str, Any] = {
        "tenant": night.tenant.pk,
        "day": night.day,
        "first": night.day - timedelta(days=days),
    }
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_SQL, values)
        oldest = {(account, version): rest for account, version, *rest in cursor.fetchall()}
        cursor.execute(NOW_SQL, values)
        none = (None, None, None)
        return [Scored(*row, *oldest.get((row[0], row[1]), none)) for row in cursor.fetchall()]


def _evidence(row: Scored, weakest: tuple[str, float] | None) -> dict[str, Any]:
    assert row.since is not None and row.before is not None and row.score is not None  # both bands are known
    evidence: dict[str, Any] = {
        "since": row.since.isoformat(),
        "from_score": number(row.before),
        "score": number(row.score),
        "from_band": row.band_before,
        "band": row.band,
        "version": row.version_id,
    }
    if weakest is not None:
        evidence["weakest"], evidence["lost"] = weakest[0], number(weakest[1])
    return evidence


def _weakest(night: Night, found: list[Scored]) -> dict[int, tuple[str, float]]:
    """For each account, the component that lost most points."""
    if not found:
        return {}
    names: dict[int, list[str]] = {}
    components = Component.objects.filter(
        tenant=night.tenant, version_id__in={row.version_id for row in found}
    )
    for version_id, key in components.order_by("position", "id").values_list("version_id", "key"):
        names.setdefault(version_id, []).append(key)
    versions = {row.account_id: row.version_id for row in found}
    with connection.cursor() as cursor:
        cursor.execute(
            POINTS_SQL, {"tenant": night.tenant.pk, "day": night.day, "accounts": sorted(versions)}
        )
        rows = cursor.fetchall()
    weakest = {
        account: weakest_component(names.get(versions[account], []), points, effective)
        for account, points, effective in rows
    }
    return {account: best for account, best in weakest.items() if best is not None}


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


def _recovered(rows: list[Scored], open_alerts: Mapping[Key, OpenAlert], params: HealthDropped) -> set[Key]:
    """Open alerts whose account is back where it was before it fell."""
    mine = [
        (row, open_alerts[row.account_id, ""].evidence) for row in rows if (row.account_id, "") in open_alerts
    ]
    if not mine:
        return set()
    back = health_recovered(
        np.array([row.score for row, _evidence in mine], dtype=np.float64),
        np.array([evidence["from_score"] for _row, evidence in mine], dtype=np.float64),
        np.array([row.band for row, _evidence in mine], dtype=np.float64),
        np.array([evidence["from_band"] for _row, evidence in mine], dtype=np.float64),
        np.array([row.version_id == evidence["version"] for row, evidence in mine], dtype=bool),
        within=params.resolve_within,
    )
    return {(mine[int(index)][0].account_id, "") for index in np.flatnonzero(back)}
