"""Reading and scoring without storing: what the nightly run, the preview and the proposal share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from accounts.models import Tenant
from scoring.engine import ModelSpec, Scores, scale_measures, score
from scoring.matrix import AccountFacts, MatrixRequest, MetricFacts, read_matrix
from scoring.matrix.columns import plan_columns
from scoring.scales import Array
from scoring.selectors.facts import metric_facts
from scoring.specs import LoadedVersion, MeasureSource
from usage.asof import relations
from usage.selectors import delivered_metrics

LIVE_DAYS = 1  # a run for yesterday or today reads the rollups, one for an earlier day what was known then


@dataclass(frozen=True)
class Reading:
    """Everything that is the same for all chunks of a run."""

    tenant: Tenant
    today: date
    days: tuple[date, ...]
    metrics: dict[str, MetricFacts]
    delivered: dict[date, frozenset[int]]
    day_table: str
    user_day_table: str
    late_rows: bool

    def request(self, accounts: AccountFacts, days: tuple[date, ...]) -> MatrixRequest:
        """The matrix of some accounts and days."""
        return MatrixRequest(
            self.tenant.pk,
            accounts,
            days,
            self.metrics,
            [self.delivered[day] for day in days],
            self.day_table,
            self.user_day_table,
            self.late_rows,
        )


def read_facts(
    tenant: Tenant, days: tuple[date, ...], sources: Sequence[MeasureSource], held_days: int = 0
) -> Reading:
    """What all chunks of a run share: metrics, freshness, and the relations to read for these measures and days."""
    today = tenant.today()
    metrics = metric_facts(tenant)
    back = max((column.look_back for column in plan_columns(sources, metrics)), default=1) + held_days
    begin = days[0] - timedelta(days=held_days)
    late = days[0] < today - timedelta(days=LIVE_DAYS)
    cutoff = datetime.combine(days[-1] + timedelta(days=1), time.min, tzinfo=tenant.tz) if late else None
    tables = relations(tenant=tenant, days=(days[0] - timedelta(days=back - 1), days[-1]), cutoff=cutoff)
    wanted = [begin + timedelta(days=offset) for offset in range((days[-1] - begin).days + 1)]
    return Reading(
        tenant,
        today,
        days,
        metrics,
        {day: frozenset(delivered_metrics(tenant, day)) for day in wanted},
        tables.day_table,
        tables.user_day_table,
        late,
    )


def read_for(tenant: Tenant, days: tuple[date, ...], versions: Sequence[LoadedVersion]) -> Reading:
    """The same for all measures of these versions."""
    sources = [source for version in versions for source in version.sources]
    held = max((int(hold_columns(version.spec).max(initial=0)) for version in versions), default=0)
    return read_facts(tenant, days, sources, held)


@dataclass(frozen=True)
class ScoredDays:
    """What `score_days` found: rows are days × accounts, the accounts running fastest."""

    raw: Array
    targets: Array | None
    scores: Scores


def score_days(
    reading: Reading, accounts: AccountFacts, days: tuple[date, ...], version: LoadedVersion
) -> ScoredDays:
    """Raw measures and scores of some accounts on some days under one version, nothing stored."""
    raw = read_matrix(reading.request(accounts, days), version.sources)
    targets = target_matrix(accounts, version)
    held = held_values(reading, accounts, days, version, raw, targets)
    count, width = len(days) * len(accounts), len(version.sources)
    spread = None if targets is None else np.tile(targets, (len(days), 1))
    scores = score(
        version.spec,
        raw.reshape(count, width),
        targets=spread,
        held=None if held is None else held.reshape(count, width),
    )
    return ScoredDays(raw.reshape(count, width), spread, scores)


def target_matrix(accounts: AccountFacts, version: LoadedVersion) -> Array | None:
    """The accounts' own targets for the measures that use them; None where no measure does."""
    uses = [measure.scale.uses_targets for measure in version.spec.measures]
    if not any(uses):
        return None
    columns = [
        accounts.target_column(source.metric_key) if used else np.full(len(accounts), np.nan)
        for source, used in zip(version.sources, uses, strict=True)
    ]
    return np.column_stack(columns)


def held_values(
    reading: Reading,
    accounts: AccountFacts,
    days: tuple[date, ...],
    version: LoadedVersion,
    raw: Array,
    targets: Array | None,
) -> Array | None:
    """The last known scaled value before each day, for components that hold theirs; None where none does."""
    holds = hold_columns(version.spec)
    longest = int(holds.max(initial=0))
    if not longest:
        return None
    before = tuple(days[0] - timedelta(days=ago) for ago in range(longest, 0, -1))
    earlier = read_matrix(reading.request(accounts, before), version.sources)
    scaled = np.stack(
        [scale_measures(version.spec, values, targets) for values in np.concatenate([earlier, raw])]
    )
    held = np.full(raw.shape, np.nan)
    for at in range(len(days)):
        for ago in range(1, longest + 1):
            value = scaled[longest + at - ago]
            usable = np.isnan(held[at]) & (ago <= holds)
            held[at] = np.where(usable, value, held[at])
    return held


def hold_columns(spec: ModelSpec) -> Array:
    """For each measure, how many days its component holds the last value."""
    return np.array(
        [c.hold_days if c.missing == "hold" else 0 for c in spec.components for _ in c.measures],
        dtype=np.float64,
    )
