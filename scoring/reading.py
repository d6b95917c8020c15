"""Reading and scoring without storing: what the nightly run, the preview and the proposal share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from accounts.models import Tenant
from scoring.engine import Circumstances, ModelSpec, Scores, scale_measures, score
from scoring.matrix import AccountFacts, MatrixRequest, MetricFacts, read_matrix
from scoring.matrix.columns import plan_columns
from scoring.memory import settled_bands
from scoring.peers import (
    References,
    compute_distributions,
    missing_distributions,
    stored_distributions,
    wanted_distributions,
)
from scoring.scales import Array, Segments
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
    references: References = field(default_factory=References)

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
    tenant: Tenant,
    days: tuple[date, ...],
    sources: Sequence[MeasureSource],
    held_days: int = 0,
    *,
    accounts: tuple[int, int] | None = None,
    known_on: date | None = None,
) -> Reading:
    """What all chunks of a run share: metrics, freshness, and the relations to read for these measures and days.

    A chunk that reads for itself names its range of `accounts`. With `known_on` a past day is read as if everything had been
    known when it happened, and delivery is judged as of that later day: for history that was imported at once.
    """
    today = tenant.today()
    metrics = metric_facts(tenant)
    back = max((column.look_back for column in plan_columns(sources, metrics)), default=1) + held_days
    begin = days[0] - timedelta(days=held_days)
    late = known_on is None and days[0] < today - timedelta(days=LIVE_DAYS)
    cutoff = datetime.combine(days[-1] + timedelta(days=1), time.min, tzinfo=tenant.tz) if late else None
    tables = relations(
        tenant=tenant,
        days=(days[0] - timedelta(days=back - 1), days[-1]),
        cutoff=cutoff,
        accounts=accounts,
    )
    wanted = [begin + timedelta(days=offset) for offset in range((days[-1] - begin).days + 1)]
    return Reading(
        tenant,
        today,
        days,
        metrics,
        {day: frozenset(delivered_metrics(tenant, day, known_on)) for day in wanted},
        tables.day_table,
        tables.user_day_table,
        late,
    )


def read_for(
    tenant: Tenant, days: tuple[date, ...], versions: Sequence[LoadedVersion], *, sampled: bool = False
) -> Reading:
    """The same for all measures of these versions, with the peers of their percentile scales.

    Peers of a day that are not stored are computed here; nothing is written. `scoring.services.references` stores them.
    `sampled` computes them from a part of the accounts: for a page, never for what is stored.
    """
    sources = [source for version in versions for source in version.sources]
    held = max((int(hold_columns(version.spec).max(initial=0)) for version in versions), default=0)
    reading = read_facts(tenant, days, sources, held)
    wanted = wanted_distributions(versions, days)
    found = stored_distributions(tenant, wanted, reading.today)
    missing = missing_distributions(wanted, found)
    computed = compute_distributions(tenant, reading.request, missing, sampled=sampled)
    return replace(reading, references=References({**found, **computed}, frozenset(computed)))


@dataclass(frozen=True)
class ScoredDays:
    """What `score_days` found: rows are days × accounts, the accounts running fastest."""

    raw: Array
    about: Circumstances
    scores: Scores


def score_days(
    reading: Reading,
    accounts: AccountFacts,
    days: tuple[date, ...],
    version: LoadedVersion,
    *,
    settled: bool = True,
    raw: Array | None = None,
) -> ScoredDays:
    """Raw measures and scores of some accounts on some days under one version, nothing stored.

    Bands remember the stored days before, as the night's do, where the version asks for it; without `settled` each is by
    its score alone, which is what days that do not follow each other need. `raw` (days × accounts × measures) is given by a
    caller that has the measures already.
    """
    if raw is None:
        raw = read_matrix(reading.request(accounts, days), version.sources)
    about = circumstances(reading, accounts, days, version)
    held = held_values(reading, accounts, days, version, raw)
    count, width = len(days) * len(accounts), len(version.sources)
    flat = raw.reshape(count, width)
    scores = score(version.spec, flat, about=about, held=None if held is None else held.reshape(count, width))
    if settled and version.spec.bands.remembers:
        scores = replace(scores, band=settled_bands(reading.tenant.pk, accounts, days, version, scores))
    return ScoredDays(flat, about, scores)


def circumstances(
    reading: Reading, accounts: AccountFacts, days: tuple[date, ...], version: LoadedVersion
) -> Circumstances:
    """What the version's scales must be told of days × accounts: targets, tenure, peers; nothing where none asks."""
    scales = [measure.scale for measure in version.spec.measures]
    tenure = accounts.tenure_on(days).ravel().astype(np.float64)
    targets = None
    if any(scale.uses_targets for scale in scales):
        segments = Segments(np.tile(accounts.segments.codes, len(days)), accounts.segments.names)
        targets = np.full((len(tenure), len(scales)), np.nan)
        for column, scale in enumerate(scales):
            if scale.uses_targets:
                own = np.tile(accounts.target_column(version.sources[column].metric_key), len(days))
                targets[:, column] = scale.targets(own, segments, tenure)
    groups = {
        column: peers
        for column in range(len(scales))
        if (peers := reading.references.groups(version, column, days, accounts.segments)) is not None
    }
    return Circumstances(targets, tenure if any(scale.uses_tenure for scale in scales) else None, groups)


def held_values(
    reading: Reading, accounts: AccountFacts, days: tuple[date, ...], version: LoadedVersion, raw: Array
) -> Array | None:
    """The last known scaled value before each day, for components that hold theirs; None where none does."""
    holds = hold_columns(version.spec)
    longest = int(holds.max(initial=0))
    if not longest:
        return None
    before = tuple(days[0] - timedelta(days=ago) for ago in range(longest, 0, -1))
    earlier = read_matrix(reading.request(accounts, before), version.sources)
    scaled = np.stack(
        [
            scale_measures(version.spec, values, circumstances(reading, accounts, (day,), version))
            for day, values in zip((*before, *days), np.concatenate([earlier, raw]), strict=True)
        ]
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
