"""What happened to an account's score between two days, from the stored rows: see `scoring.waterfall` for the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from django.db.models import Q, Subquery

from accounts.models import Tenant
from scoring.engine import Circumstances, ModelSpec, score
from scoring.matrix import AccountFacts, MetricFacts
from scoring.models import KIND_CODES, Override, StoredScore, Version
from scoring.overrides.selectors import overrides_between
from scoring.peers import References, stored_distributions, wanted_distributions
from scoring.reading import Reading, circumstances, hold_columns, score_days
from scoring.scales import Array
from scoring.specs import LoadedVersion, Parts, loaded_version, version_exceptions, version_parts
from scoring.waterfall import Component as Part
from scoring.waterfall import Known, Snapshot, Waterfall, mixed_raw, split
from usage.asof import relations
from usage.selectors import delivered_metrics

from .facts import account_chunks, metric_facts

Pair: TypeAlias = tuple[StoredScore, StoredScore]


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


@dataclass(frozen=True)
class Ground:
    """What is read of an account and of the tenant's metrics for scoring one account again."""

    accounts: AccountFacts
    metrics: dict[str, MetricFacts]


def read_ground(tenant: Tenant, account_id: int) -> Ground:
    """Two queries."""
    return Ground(
        next(account_chunks(tenant, [], account_ids=[account_id])).facts,
        metric_facts(tenant),
    )


def stored_pair(
    tenant: Tenant, account_id: int, before: date, after: date, *, kind: str = "health"
) -> Pair | None:
    """The newest scores stored by each of two days; None where one of them has none. One query."""
    rows = StoredScore.objects.filter(tenant=tenant, kind=KIND_CODES[kind], account_id=account_id)
    first, last = (
        Subquery(rows.filter(day__lte=day).order_by("-day").values("day")[:1]) for day in (before, after)
    )
    found = list(
        rows.filter(Q(day=first) | Q(day=last)).select_related("version__model", "exception").order_by("day")
    )
    return (found[0], found[-1]) if found and found[0].day <= before else None


def score_change(
    tenant: Tenant, account_id: int, before: date, after: date, *, kind: str = "health"
) -> ScoreChange | None:
    """The newest scores stored by each of two days, and what lies between; None where one of them has none.

    Five queries, and four more where the version changed between them.
    """
    pair = stored_pair(tenant, account_id, before, after, kind=kind)
    if pair is None:
        return None
    versions = list({row.version_id: row.version for row in pair}.values())
    parts, rules = version_parts(tenant, versions), version_exceptions(tenant, versions)
    loaded = {each.pk: loaded_version(each, parts[each.pk], rules[each.pk]) for each in versions}
    overrides = overrides_between(tenant, account_id, pair[0].day, pair[1].day + timedelta(days=1))
    return change_between(tenant, pair, parts, loaded, overrides)


def change_between(
    tenant: Tenant,
    pair: Pair,
    parts: Mapping[int, Parts],
    loaded: Mapping[int, LoadedVersion],
    overrides: Sequence[Override],
    ground: Ground | None = None,
) -> ScoreChange:
    """What lies between two stored scores whose versions and overrides were read; no query under one version."""
    first, last = (
        ScoredDay(
            row,
            row.version,
            parts[row.version_id],
            loaded[row.version_id],
            _standing(overrides, row.day),
        )
        for row in pair
    )
    return ScoreChange(first, last, waterfall_between(tenant, first, last, ground))


def _standing(overrides: Sequence[Override], day: date) -> Override | None:
    return next((one for one in reversed(overrides) if one.counts_on(day)), None)


def waterfall_between(
    tenant: Tenant, before: ScoredDay, after: ScoredDay, ground: Ground | None = None
) -> Waterfall:
    """The parts of the difference; where the version changed, the earlier day's raw values are scored by the later one."""
    middle = None
    if before.row.version_id != after.row.version_id:
        ground = ground or read_ground(tenant, after.row.account_id)
        middle = _recomputed(tenant, before, after, ground)
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


def _recomputed(tenant: Tenant, before: ScoredDay, after: ScoredDay, ground: Ground) -> Snapshot:
    """The earlier day's raw values under the later version, through the engine.

    Targets and tenure are the account's on the earlier day, as the later version would have seen them; the peers of a daily
    percentile are those of the later day, for the later version has none of the earlier one.
    """
    old, new = before.loaded, after.loaded
    raw = mixed_raw(old.sources, before.row.raw, new.sources, after.row.raw)
    found = score(
        new.spec, _row(raw), about=_circumstances(tenant, before, after, ground), held=_held(before, new.spec)
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


def _circumstances(tenant: Tenant, before: ScoredDay, after: ScoredDay, ground: Ground) -> Circumstances:
    then, later = (
        circumstances(
            live_reading(tenant, (day,), after.loaded, ground), ground.accounts, (day,), after.loaded
        )
        for day in (before.row.day, after.row.day)
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


def restated_score(
    tenant: Tenant, account_id: int, day: ScoredDay, ground: Ground | None = None
) -> float | None:
    """The score of a past day with what is known of it by now: events that came late count, the version stays.

    Reads one account from the live rollups; a fixed number of queries. Nothing is stored.
    """
    ground = ground or read_ground(tenant, account_id)
    on = day.row.day
    reading = live_reading(tenant, (on,), day.loaded, ground, measured=days_read(on, day.loaded))
    found = score_days(reading, ground.accounts, (on,), day.loaded, settled=False)
    total = float(found.scores.score[0])
    return None if math.isnan(total) else total


def days_read(on: date, version: LoadedVersion) -> list[date]:
    """The days whose measures are read to score one day: those before it for components that hold their value."""
    held = int(hold_columns(version.spec).max(initial=0))
    return [on - timedelta(days=ago) for ago in range(held, -1, -1)]


def live_reading(
    tenant: Tenant,
    days: tuple[date, ...],
    version: LoadedVersion,
    ground: Ground,
    measured: Sequence[date] = (),
) -> Reading:
    """As a night reads its own day, but from the live tables and the stored peers whatever the day.

    `measured` are the days whose measures are read: what their sources delivered is asked for, a query each.
    """
    live = relations(tenant=tenant, days=(days[0], days[-1]), cutoff=None)
    return Reading(
        tenant,
        tenant.today(),
        days,
        ground.metrics,
        {day: frozenset(delivered_metrics(tenant, day)) for day in measured},
        live.day_table,
        live.user_day_table,
        False,
        References(stored_distributions(tenant, wanted_distributions([version], days), tenant.today())),
    )
