"""The peers of percentile scales: what the accounts of a model measure on a day.

A distribution of the day is stored once per version, measure, segment and day (`scoring.services.references`), so that all
chunks of a run rank against the same peers and a score can be computed again later. What is not stored (a draft that is
being tried) is computed here and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Account, Tenant
from scoring.matrix import AccountFacts, MatrixRequest, read_matrix
from scoring.matrix.accounts import FEW
from scoring.models import PeerReference, ScoreModel
from scoring.proposal import MIN_ACCOUNTS, thinned
from scoring.scales import Array, Peers, Percentile, Segments
from scoring.scales.percentile import SEGMENT
from scoring.selectors.facts import CHUNK, account_chunks
from scoring.selectors.versions import claims
from scoring.specs import LoadedVersion, MeasureSource

EVERYBODY = ""  # the segment of the whole tenant
VALUES_AT_ONCE = 4_000_000  # of all accounts on the days of one block
ROWS_AT_ONCE = 40_000  # account-days read at a time

Key: TypeAlias = tuple[int, int, date, str]  # version, column of the measure, day, segment
Wanted: TypeAlias = tuple[LoadedVersion, int, date]
Ask: TypeAlias = Callable[[AccountFacts, tuple[date, ...]], MatrixRequest]


@dataclass(frozen=True)
class Distribution:
    """How many peers there are, and at most 201 of their values, rising; none of fewer than 30."""

    peers: int
    points: Array


@dataclass(frozen=True)
class References:
    """The distributions of a run: those that were stored and those that had to be computed."""

    found: Mapping[Key, Distribution] = field(default_factory=dict)
    computed: frozenset[Key] = frozenset()

    def groups(
        self, version: LoadedVersion, column: int, days: Sequence[date], segments: Segments
    ) -> Peers | None:
        """The peers of each row of days × accounts for one measure; None where its scale needs to be told nothing."""
        scale = version.spec.measures[column].scale
        if not isinstance(scale, Percentile):
            return None
        by_segment = scale.peers == SEGMENT
        if not scale.daily and not by_segment:
            return None  # the scale has its peers with it
        names = segments.names if by_segment else (EVERYBODY,)
        codes = segments.codes if by_segment else np.zeros(len(segments.codes), dtype=np.intp)
        references: list[Array] = []
        place = np.full((len(days), len(names)), -1, dtype=np.intp)
        frozen = dict(scale.segment_references)
        for at, day in enumerate(days):
            for code, name in enumerate(names):
                if scale.daily:
                    points = self._of_day(version.id, column, day, name)
                else:
                    points = np.asarray(frozen.get(name) or scale.reference, dtype=np.float64)
                if len(points):
                    place[at, code] = len(references)
                    references.append(points)
        return Peers(place[:, codes].ravel(), tuple(references))

    def _of_day(self, version_id: int, column: int, day: date, segment: str) -> Array:
        """The segment's distribution if it has one of its own, else everybody's."""
        own = self.found.get((version_id, column, day, segment))
        if own is not None and len(own.points):
            return own.points
        everybody = self.found.get((version_id, column, day, EVERYBODY))
        return np.empty(0) if everybody is None else everybody.points


def wanted_distributions(versions: Sequence[LoadedVersion], days: Sequence[date]) -> list[Wanted]:
    """Which measures need the peers of which days; a component that holds its values needs the days before, too."""
    out: list[Wanted] = []
    for version in versions:
        column = 0
        for component in version.spec.components:
            back = component.hold_days if component.missing == "hold" else 0
            reach = {day - timedelta(days=ago) for day in days for ago in range(back + 1)}
            for measure in component.measures:
                if isinstance(measure.scale, Percentile) and measure.scale.daily:
                    out += [(version, column, day) for day in sorted(reach)]
                column += 1
    return out


def stored_distributions(tenant: Tenant, wanted: Sequence[Wanted], today: date) -> dict[Key, Distribution]:
    """Those of them that are stored: one query. What was stored while its day was running ends with the day."""
    versions = {version.id: version for version, _column, _day in wanted}
    if not versions:
        return {}
    rows = PeerReference.objects.filter(
        tenant=tenant, version_id__in=list(versions), day__in=sorted({day for _v, _c, day in wanted})
    ).values_list("version_id", "measure_id", "day", "segment", "peers", "points", "is_final")
    out: dict[Key, Distribution] = {}
    for version_id, measure_id, day, segment, peers, points, is_final in rows:
        if not is_final and day < today:
            continue
        column = versions[version_id].measure_ids.index(measure_id)
        out[version_id, column, day, segment] = Distribution(peers, np.array(points, dtype=np.float64))
    return out


def missing_distributions(wanted: Sequence[Wanted], found: Mapping[Key, Distribution]) -> list[Wanted]:
    """Those that are not stored: everybody's is there whenever any is."""
    return [
        (version, column, day)
        for version, column, day in wanted
        if (version.id, column, day, EVERYBODY) not in found
    ]


# Publishing and previewing happen while somebody waits: of so many accounts the quantiles are known to a point of a hundred.
SAMPLED = 5_000
SAMPLED_OF_SEGMENT = 200  # at least, where a segment has so many

# The same accounts every time, and all of them where there are few: no day of an account decides whether it is drawn.
_SAMPLE = """
SELECT id FROM (
  SELECT a.id, row_number() OVER ({partition} ORDER BY hashint8(a.id), a.id) AS place
  FROM accounts_account a
  WHERE a.tenant_id = %(tenant)s AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
    AND (%(segment)s = '' OR a.segment = %(segment)s) AND (%(stage)s = '' OR a.stage = %(stage)s)
    AND (%(plans)s::text[] = '{{}}' OR a.plan_kind = ANY(%(plans)s::text[]))
) AS drawn WHERE place <= greatest(%(least)s, %(most)s / {groups}) ORDER BY id"""
_SEGMENTS = "SELECT count(DISTINCT segment) FROM accounts_account WHERE tenant_id = %s"


def sampled_accounts(tenant: Tenant, model: ScoreModel, day: date, *, by_segment: bool = False) -> list[int]:
    """Some of the accounts that a model is meant for, all of them up to 5,000; by segment, about as many of each."""
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "day": day,
        "segment": model.segment,
        "stage": model.stage,
        "plans": list(model.plan_kinds),
        "most": SAMPLED,
        "least": SAMPLED_OF_SEGMENT if by_segment else 0,
    }
    with connection.cursor() as cursor:
        groups = 1
        if by_segment:
            cursor.execute(_SEGMENTS, [tenant.pk])
            groups = max(1, int(cursor.fetchone()[0]))
        partition = "PARTITION BY a.segment" if by_segment else ""
        cursor.execute(_SAMPLE.format(partition=partition, groups=groups), values)
        return [row[0] for row in cursor.fetchall()]


def compute_distributions(
    tenant: Tenant, ask: Ask, missing: Sequence[Wanted], *, sampled: bool = False
) -> dict[Key, Distribution]:
    """Read what the accounts of each version's model measure on these days, everybody once; or a sample of them."""
    out: dict[Key, Distribution] = {}
    by_version: dict[int, tuple[LoadedVersion, set[int], set[date]]] = {}
    for version, column, day in missing:
        _version, columns, days = by_version.setdefault(version.id, (version, set(), set()))
        columns.add(column)
        days.add(day)
    accounts = Account.objects.filter(tenant=tenant).count() if missing else 0
    accounts = min(accounts, SAMPLED) if sampled else accounts
    for version, columns, days in by_version.values():
        places = sorted(columns)
        sources = [version.sources[place] for place in places]
        at_once = max(1, VALUES_AT_ONCE // max(1, accounts * len(places)))
        for block in _blocks(sorted(days), at_once):
            values, segments = (
                sampled_matrix(tenant, ask, version.model, sources, block)
                if sampled
                else peer_matrix(tenant, ask, version.model, sources, block)
            )
            for at, day in enumerate(block):
                for order, place in enumerate(places):
                    for segment, found in _distributions(values[at, :, order], segments).items():
                        out[version.id, place, day, segment] = found
    return out


def peer_matrix(
    tenant: Tenant,
    ask: Ask,
    model: ScoreModel,
    sources: Sequence[MeasureSource],
    days: tuple[date, ...],
    seen_by: date | None = None,
    account_ids: Sequence[int] | None = None,
) -> tuple[Array, Segments]:
    """Days × accounts × measures of the accounts that a model is meant for, and their segments; NaN where not scored.

    `account_ids` are looked up one by one: they may lie far apart, and a range would read everybody between them.
    """
    found = [np.empty((len(days), 0, len(sources)))]
    names: list[NDArray[np.str_]] = []
    size = CHUNK if len(days) == 1 else max(1, ROWS_AT_ONCE // len(days))
    if account_ids is not None:
        size = min(size, FEW)
    for chunk in account_chunks(tenant, [], account_ids=account_ids, churned_before=days[0], size=size):
        fits = np.array([claims(model, *traits) for traits in chunk.traits], dtype=bool)
        if seen_by:
            fits &= chunk.facts.seen_from <= seen_by.toordinal()
        accounts = chunk.facts.pick(np.flatnonzero(fits))
        values = read_matrix(ask(accounts, days), sources)
        values[~accounts.scored_on(days)] = np.nan
        found.append(values)
        names.append(np.array(accounts.segments.names, dtype=np.str_)[accounts.segments.codes])
    together = np.concatenate([np.empty(0, dtype=np.str_), *names])
    known, codes = np.unique(together, return_inverse=True)
    return np.concatenate(found, axis=1), Segments(codes.astype(np.intp), tuple(str(name) for name in known))


def sampled_matrix(
    tenant: Tenant,
    ask: Ask,
    model: ScoreModel,
    sources: Sequence[MeasureSource],
    days: tuple[date, ...],
    *,
    by_segment: bool = False,
) -> tuple[Array, Segments]:
    """The same of a sample of the accounts, which does not grow with the tenant."""
    ids = sampled_accounts(tenant, model, days[-1], by_segment=by_segment)
    return peer_matrix(tenant, ask, model, sources, days, account_ids=ids)


def _blocks(days: Sequence[date], size: int) -> Iterator[tuple[date, ...]]:
    """Days that follow each other, so many at once: windows slide over spans without gaps."""
    start = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or at - start == size or days[at] - days[at - 1] > timedelta(days=1):
            yield tuple(days[start:at])
            start = at


def _distributions(values: Array, segments: Segments) -> dict[str, Distribution]:
    """Everybody's, and that of each segment with enough peers."""
    there = ~np.isnan(values)
    out = {EVERYBODY: _distribution(values[there])}
    for code, name in enumerate(segments.names):
        own = values[there & (segments.codes == code)]
        if name != EVERYBODY and own.size >= MIN_ACCOUNTS:
            out[name] = _distribution(own)
    return out


def _distribution(values: Array) -> Distribution:
    enough = values.size >= MIN_ACCOUNTS
    return Distribution(int(values.size), thinned(values) if enough else np.empty(0))
