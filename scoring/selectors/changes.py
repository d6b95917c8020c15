"""What happened to an account's score between two days, from the stored rows: see `scoring.waterfall` for the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from accounts.models import Tenant
from scoring.engine import Circumstances, ModelSpec, score
from scoring.models import Override, StoredScore, Version
from scoring.overrides.selectors import overrides_between
from scoring.peers import References, stored_distributions, wanted_distributions
from scoring.reading import Reading, circumstances, hold_columns, score_days
from scoring.scales import Array
from scoring.specs import LoadedVersion, Parts, load_versions, version_parts
from scoring.waterfall import Component as Part
from scoring.waterfall import Known, Snapshot, Waterfall, mixed_raw, split
from usage.asof import relations
from usage.selectors import delivered_metrics

from .explanation import stored_row
from .facts import account_chunks, metric_facts


@dataclass(frozen=True)
class ScoredDay:
    """A stored score with the version that made it and the override that stood on that day."""

    row: StoredScore
    version: Version
    parts: Parts
    loaded: LoadedVersion
    override: Override | None


@dataclass(frozen=True)
class ScoreChange:
    """Two days of an account and the way from one score to the other."""

    before: ScoredDay
    after: ScoredDay
    waterfall: Waterfall


def score_change(
    tenant: Tenant, account_id: int, before: date, after: date, *, kind: str = "health"
) -> ScoreChange | None:
    """The newest scores stored by each of two days, and what lies between; None where one of them has none.

    Nine queries at most.
    """
    rows = [stored_row(tenant, account_id, kind, day) for day in (before, after)]
    first, last = rows
    if not isinstance(first, StoredScore) or not isinstance(last, StoredScore):
        return None
    versions = list({row.version_id: row.version for row in (first, last)}.values())
    parts, loaded = version_parts(tenant, versions), load_versions(tenant, versions)
    overrides = overrides_between(tenant, account_id, first.day, last.day + timedelta(days=1))
    days = [
        ScoredDay(
            row,
            row.version,
            parts[row.version_id],
            loaded[row.version_id],
            _standing(overrides, row.day),
        )
        for row in (first, last)
    ]
    return ScoreChange(days[0], days[1], waterfall_between(tenant, *days))


def _standing(overrides: Sequence[Override], day: date) -> Override | None:
    return next((one for one in reversed(overrides) if one.counts_on(day)), None)


def waterfall_between(tenant: Tenant, before: ScoredDay, after: ScoredDay) -> Waterfall:
    """The parts of the difference; where the version changed, the earlier day's raw values are scored by the later one."""
    middle = None
    if before.row.version_id != after.row.version_id:
        middle = _recomputed(tenant, before, after)
    return split(_snapshot(before), _snapshot(after), middle)


def _snapshot(day: ScoredDay) -> Snapshot:
    row = day.row
    values = [
        None if points is None else value for value, points in zip(row.components, row.points, strict=True)
    ]
    shown = day.override.score if day.override else None
    return Snapshot(row.version_id, row.score, _components(day.parts, values, row.scaled), shown)


def _components(parts: Parts, values: Sequence[Known], scaled: Sequence[Known]) -> tuple[Part, ...]:
    out, start = [], 0
    for place, (component, measures) in enumerate(parts):
        out.append(
            Part(
                key=component.key,
                weight=component.weight,
                value=values[place],
                scaled=tuple(scaled[start : start + len(measures)]),
                measure_weights=tuple(measure.weight for measure in measures),
                policy=component.missing_policy,
                combine=component.combine,
            )
        )
        start += len(measures)
    return tuple(out)


def _recomputed(tenant: Tenant, before: ScoredDay, after: ScoredDay) -> Snapshot:
    """The earlier day's raw values under the later version, through the engine.

    Targets and tenure are the account's on the earlier day, as the later version would have seen them; the peers of a daily
    percentile are those of the later day, for the later version has none of the earlier one.
    """
    old, new = before.loaded, after.loaded
    raw = mixed_raw(old.sources, before.row.raw, new.sources, after.row.raw)
    found = score(
        new.spec, _row(raw), about=_circumstances(tenant, before, after), held=_held(before, new.spec)
    )
    assert found.scaled is not None
    values = [
        None if math.isnan(points) else float(value)
        for value, points in zip(found.values[0], found.points[0], strict=True)
    ]
    scaled = [None if math.isnan(value) else float(value) for value in found.scaled[0]]
    total = float(found.score[0])
    return Snapshot(
        after.row.version_id, None if math.isnan(total) else total, _components(after.parts, values, scaled)
    )


def _circumstances(tenant: Tenant, before: ScoredDay, after: ScoredDay) -> Circumstances:
    facts = next(account_chunks(tenant, [], account_ids=[after.row.account_id])).facts
    then = circumstances(
        _reading(tenant, (before.row.day,), after.loaded), facts, (before.row.day,), after.loaded
    )
    later = circumstances(
        _reading(tenant, (after.row.day,), after.loaded), facts, (after.row.day,), after.loaded
    )
    return replace(then, peers=later.peers)


def _row(values: Sequence[Known]) -> Array:
    return np.array([[math.nan if value is None else value for value in values]], dtype=np.float64)


def _held(before: ScoredDay, spec: ModelSpec) -> Array | None:
    """What components that hold held on the earlier day: the value they counted with."""
    if not hold_columns(spec).any():
        return None
    known = {
        component.key: value
        for (component, _), value in zip(before.parts, before.row.components, strict=True)
    }
    return _row([known.get(part.key) for part in spec.components for _ in part.measures])


def restated_score(tenant: Tenant, account_id: int, day: ScoredDay) -> float | None:
    """The score of a past day with what is known of it by now: events that came late count, the version stays.

    Reads one account from the live rollups; a fixed number of queries. Nothing is stored.
    """
    facts = next(account_chunks(tenant, [], account_ids=[account_id])).facts
    reading = _reading(tenant, (day.row.day,), day.loaded)
    found = score_days(reading, facts, (day.row.day,), day.loaded, settled=False)
    total = float(found.scores.score[0])
    return None if math.isnan(total) else total


def _reading(tenant: Tenant, days: tuple[date, ...], version: LoadedVersion) -> Reading:
    """As a night reads its own day, but from the live tables and the stored peers whatever the day."""
    held = int(hold_columns(version.spec).max(initial=0))
    live = relations(tenant=tenant, days=(days[0], days[-1]), cutoff=None)
    wanted = [days[0] - timedelta(days=ago) for ago in range(held, 0, -1)]
    return Reading(
        tenant,
        tenant.today(),
        days,
        metric_facts(tenant),
        {day: frozenset(delivered_metrics(tenant, day)) for day in [*wanted, *days]},
        live.day_table,
        live.user_day_table,
        False,
        References(stored_distributions(tenant, wanted_distributions([version], days), tenant.today())),
    )
