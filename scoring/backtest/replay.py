"""Scoring accounts as of a past date with what was known then, and what became of them: one chunk of a backtest.

There is no second engine: `score_days` scores as it does at night, over the relations that hold what had been received.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Tenant
from scoring.matrix import AccountFacts, MetricFacts, read_matrix
from scoring.models import KIND_CODES, Version
from scoring.peers import (
    References,
    compute_distributions,
    missing_distributions,
    peer_matrix,
    stored_distributions,
    wanted_distributions,
)
from scoring.proposal import MIN_HISTORY_DAYS, propose_piecewise, propose_reference
from scoring.reading import Reading, hold_columns, read_facts, score_days
from scoring.scales import Array, Percentile, Scale, scale_from_dict
from scoring.scales.percentile import SEGMENT
from scoring.selectors.facts import account_chunks, segments_on
from scoring.selectors.versions import claims, model_timelines
from scoring.services.shipped import SHIPPED, shipped_template
from scoring.specs import LoadedVersion, MeasureSource

from .cases import Cases
from .outcomes import fates
from .parameters import INACTIVITY, Settled

EVENTS_DAYS = 90  # of the naive count
RECENCY_DAYS = 365  # how far back the last event is looked for

_LAST_ACTIVE = """
SELECT u.account_id, max(u.day) FROM {table} AS u
WHERE u.tenant_id = %(tenant)s AND {condition} AND u.day <= %(on)s AND u.day > %(on)s - %(back)s
  AND u.known_on <= %(on)s AND u."values"[%(slot)s] > 0 GROUP BY u.account_id"""


@dataclass(frozen=True)
class Replay:
    """What every chunk of a backtest needs: the version, with the scales it is tested under."""

    tenant: Tenant
    settled: Settled
    version: Version
    published: LoadedVersion
    tested: LoadedVersion

    def cases(self, day: date, span: tuple[int, int] | None = None) -> Cases:
        """One case for each account (of a range of ids) that this version would have scored on the date."""
        reading = self.read(day, span)
        counter = everything(reading.metrics)
        found = []
        for accounts in claimed_accounts(self.tenant, self.version, day, span):
            found.append(self._chunk(reading, counter, accounts, day))
        return joined(found, len(self.published.spec.components))

    def read(self, day: date, span: tuple[int, int] | None = None) -> Reading:
        """What was known on a date, far enough back for the naive baselines too."""
        counted = MeasureSource("all_events", "total", window_days=RECENCY_DAYS)
        held = int(hold_columns(self.published.spec).max(initial=0))
        wanted = wanted_distributions([self.tested], (day,))
        found = stored_distributions(self.tenant, wanted, self.tenant.today())
        missing = missing_distributions(wanted, found)
        reading = read_facts(
            self.tenant,
            (day,),
            [*self.published.sources, counted],
            held,
            accounts=None if missing else span,  # peers that nobody has stored are everybody
            known_on=self.settled.known_on,
        )
        computed = compute_distributions(self.tenant, reading.request, missing)
        return replace(reading, references=References({**found, **computed}, frozenset(computed)))

    def _chunk(
        self, reading: Reading, counter: MetricFacts | None, accounts: AccountFacts, day: date
    ) -> Cases:
        settled = self.settled
        out = score_days(reading, accounts, (day,), self.tested, settled=False).scores
        published = out.score
        if self.tested is not self.published:
            published = score_days(reading, accounts, (day,), self.published, settled=False).scores.score
        recency = _recency(reading, accounts, day, counter)
        slot = counter.slot if counter else None
        fate = fates(self.tenant, settled.outcome, accounts, day, settled.horizon_days, slot)
        asked = fate.asked
        if settled.outcome == INACTIVITY and not settled.everyone:
            # One that has been silent for as long as the horizon is gone already; nothing is left to foresee.
            asked = asked & (recency < settled.horizon_days)
        return Cases(
            account=accounts.ids,
            on=np.full(len(accounts), day.toordinal(), dtype=np.int64),
            score=out.score,
            published=published,
            band=out.band.astype(np.int64),
            values=out.values,
            recency=recency,
            events=_events(reading, accounts, day, counter),
            outcome=fate.outcome,
            outcome_on=fate.outcome_on.astype(np.int64),
        ).pick(asked)


def everything(metrics: Mapping[str, MetricFacts]) -> MetricFacts | None:
    """The metric that counts all events."""
    return next((metric for metric in metrics.values() if metric.kind == "all_events" and metric.slot), None)


def _recency(reading: Reading, accounts: AccountFacts, day: date, counter: MetricFacts | None) -> Array:
    """Days since the last event that was known; NaN where there is none within a year."""
    out = np.full(len(accounts), np.nan)
    if counter is None or not len(accounts):
        return out
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST_ACTIVE.format(table=reading.day_table, condition=accounts.condition()),
            {
                "tenant": reading.tenant.pk,
                "on": day,
                "back": RECENCY_DAYS,
                "slot": counter.slot,
                **accounts.parameters(),
            },
        )
        rows = cursor.fetchall()
    if rows:
        places, there = accounts.rows_of(np.array([row[0] for row in rows], dtype=np.int64))
        silent = np.array([(day - row[1]).days for row in rows], dtype=np.float64)
        out[places[there]] = silent[there]
    return out


def _events(reading: Reading, accounts: AccountFacts, day: date, counter: MetricFacts | None) -> Array:
    """Events in the days before, as anybody would count them."""
    if counter is None:
        return np.full(len(accounts), np.nan)
    source = MeasureSource(counter.key, "total", window_days=EVENTS_DAYS)
    return read_matrix(reading.request(accounts, (day,)), [source])[0, :, 0]


def claimed_accounts(
    tenant: Tenant, version: Version, day: date, span: tuple[int, int] | None = None
) -> list[AccountFacts]:
    """The accounts that this version's model would have scored on a date, in chunks.

    The model claims by the segment that the day's scores were ranked in, where they were; else, and for stage and kind of
    plan always, by what the accounts are today: these have no history.
    """
    lines = model_timelines(tenant, version.model.kind)
    own = next((place for place, line in enumerate(lines) if line.model.pk == version.model_id), None)
    ids = None if span is None else _ids(tenant, span)
    found = []
    kind = KIND_CODES[version.model.kind]
    for now in account_chunks(tenant, lines, account_ids=ids, churned_before=day):
        chunk = now.at_segments(segments_on(tenant, kind, day, now.facts), lines)
        if own is None:
            fits = np.array([claims(version.model, *traits) for traits in chunk.traits], dtype=bool)
        else:
            fits = chunk.claimed_by == own
        fits &= chunk.facts.scored_on((day,))[0]
        found.append(chunk.facts.pick(np.flatnonzero(fits)))
    return [accounts for accounts in found if len(accounts)]


def _ids(tenant: Tenant, span: tuple[int, int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_account WHERE tenant_id = %s AND id BETWEEN %s AND %s ORDER BY id",
            [tenant.pk, *span],
        )
        return [row[0] for row in cursor.fetchall()]


def joined(parts: Sequence[Cases], width: int) -> Cases:
    """Cases of several chunks."""
    if not parts:
        none: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        empty = np.empty(0)
        return Cases(
            none, none, empty, empty, none, np.empty((0, width)), empty, empty, none.astype(bool), none
        )
    names = Cases.__dataclass_fields__
    return Cases(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


Drawn = dict[str, Any]


def redrawn_places(version: Version, loaded: LoadedVersion) -> set[int]:
    """Measures whose scale was frozen from the tenant's own accounts.

    Their published scales have seen days that lie after a past date; a fair replay draws them from what was known then.
    """
    found: set[int] = set()
    proposed = _proposed_keys(version)
    place = 0
    for component in loaded.spec.components:
        for order, measure in enumerate(component.measures):
            frozen = isinstance(measure.scale, Percentile) and not measure.scale.daily
            if frozen or (component.key, order, measure.key) in proposed:
                found.add(place)
            place += 1
    return found


def _proposed_keys(version: Version) -> set[tuple[str, int, str]]:
    if version.model.key not in SHIPPED or version.origin == Version.Origin.EDITED:
        return set()
    parts = shipped_template(version.model.key).definition["components"]
    return {
        (part["key"], order, measure["metric"])
        for part in parts
        for order, measure in enumerate(part["measures"])
        if measure.get("propose")
    }


def draw_scales(replay: Replay, day: date) -> Drawn:
    """The scales as they would have been drawn on a date, by place of measure; none where there were too few accounts."""
    places = redrawn_places(replay.version, replay.published)
    if not places:
        return {}
    values, segments = peer_matrix(
        replay.tenant,
        replay.read(day).request,
        replay.version.model,
        replay.published.sources,
        (day,),
        seen_by=day - timedelta(days=MIN_HISTORY_DAYS),
    )
    drawn: Drawn = {}
    for place, measure in enumerate(replay.published.spec.measures):
        if place not in places:
            continue
        scale: Scale | None
        if isinstance(measure.scale, Percentile):
            by_segment = segments if measure.scale.peers == SEGMENT else None
            scale = propose_reference(
                values[0, :, place], segments=by_segment, higher_is_better=measure.scale.higher_is_better
            )
        else:
            scale = propose_piecewise(values[0, :, place])
        if scale is not None:
            drawn[str(place)] = scale.to_dict()
    return drawn


def with_scales(loaded: LoadedVersion, drawn: Drawn) -> LoadedVersion:
    """The version under scales that were drawn anew."""
    if not drawn:
        return loaded
    components, place = [], 0
    for component in loaded.spec.components:
        measures = []
        for measure in component.measures:
            given = drawn.get(str(place))
            measures.append(replace(measure, scale=scale_from_dict(given)) if given else measure)
            place += 1
        components.append(replace(component, measures=tuple(measures)))
    return replace(loaded, spec=replace(loaded.spec, components=tuple(components)))
