"""Stored scores of a day as columns: score, band, change within days, values of components."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from alerts.conditions import Array
from scoring.models import KIND_CODES, Component

from .columns import read_columns
from .night import Night

BAND_CODES = {
    "health": {"critical": 1, "at_risk": 2, "healthy": 3},
    "pql": {"none": 1, "medium": 2, "high": 3},
}


@dataclass(frozen=True)
class DayScores:
    """The scores of all accounts on one day; NaN where there is none."""

    score: Array
    band: Array
    version: Array


def scores_on(night: Night, kind: str, back: int = 0) -> DayScores:
    """Scores of one kind on the night's day or so many days before."""
    found = read_columns(
        "FROM scoring_score s WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.day = %(day)s",
        ["s.account_id", "s.score", "s.band", "s.version_id"],
        {"tenant": night.tenant.pk, "kind": KIND_CODES[kind], "day": night.day - timedelta(days=back)},
    )
    placed = _placed(night, found)
    return DayScores(placed[:, 0], placed[:, 1], placed[:, 2])


def component_values(night: Night, key: str) -> Array:
    """The value of a component of the health score, 0 to 100, from its points and effective weight."""
    places: dict[int, int] = {}
    order: dict[int, int] = {}
    components = Component.objects.filter(tenant=night.tenant).order_by("version_id", "position", "id")
    for version, name in components.values_list("version_id", "key"):
        order[version] = order.get(version, 0) + 1
        if name == key:
            places[version] = order[version]
    if not places:
        return np.full(len(night.accounts), np.nan)
    cases = " ".join(
        f"WHEN {int(version)} THEN 100.0 * s.points[{place}] / nullif(s.effective[{place}], 0)"
        for version, place in sorted(places.items())
    )
    found = read_columns(
        "FROM scoring_score s WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.day = %(day)s",
        ["s.account_id", f"CASE s.version_id {cases} END"],
        {"tenant": night.tenant.pk, "kind": KIND_CODES["health"], "day": night.day},
    )
    return _placed(night, found)[:, 0]


def _placed(night: Night, found: Array) -> Array:
    """Rows that begin with an account's id, in the order of the night's accounts."""
    out = np.full((len(night.accounts), found.shape[1] - 1), np.nan)
    if not len(night.accounts) or not len(found):
        return out
    ids = found[:, 0].astype(np.int64)
    places = np.minimum(np.searchsorted(night.accounts.ids, ids), len(night.accounts) - 1)
    there = night.accounts.ids[places] == ids
    out[places[there]] = found[there, 1:]
    return out


def change_within(night: Night, kind: str, days: int) -> Array:
    """Points since so many days ago under one version; NaN across versions."""
    now, before = scores_on(night, kind), scores_on(night, kind, days)
    change: Array = np.where(now.version == before.version, np.round(now.score - before.score, 6), np.nan)
    return change
