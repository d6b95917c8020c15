"""The peers of percentile scales, stored: those of a version when it is published, those of a day before it is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.db import connection
from django.db.models import Max
from psycopg2.extras import execute_values

from accounts.models import Tenant
from scoring.models import KIND_CODES, CurrentScore, Measure, PeerReference, Version
from scoring.peers import (
    missing_distributions,
    peer_matrix,
    sampled_matrix,
    stored_distributions,
    wanted_distributions,
)
from scoring.proposal import propose_reference
from scoring.reading import Reading, read_facts, read_for
from scoring.scales import Array, Segments
from scoring.scales.percentile import DAY, SEGMENT
from scoring.selectors.versions import model_timelines
from scoring.specs import LoadedVersion, MeasureSource, load_versions, measure_source, version_parts

LOCK = 7_310_011  # one of ours per tenant at a time computes the peers of a day


def peer_values(
    tenant: Tenant, version: Version, sources: Sequence[MeasureSource], day: date, seen_by: date | None = None
) -> tuple[Array, Segments]:
    """Accounts × measures: the raw values of the accounts that this model is meant for, as of a day; and their segments."""
    reading = read_facts(tenant, (day,), sources)
    values, segments = peer_matrix(tenant, reading.request, version.model, sources, (day,), seen_by)
    return values[0], segments


def refresh_references(*, tenant: Tenant, version: Version) -> None:
    """Give each percentile scale of a draft the values of today's accounts; fewer than 30 leave it empty.

    Called when the draft is published, so that the peers are frozen with it and a score can be computed again later. A scale
    that takes the peers of each day has nothing to freeze. Of many accounts a sample is read: somebody is waiting, and at
    most 201 of their values are kept.
    """
    measures = [measure for _part, own in version_parts(tenant, [version])[version.pk] for measure in own]
    ranked = [
        measure
        for measure in measures
        if measure.scale_kind == Measure.ScaleKind.PERCENTILE
        and measure.scale_params.get("reference_of") != DAY
    ]
    if not ranked:
        return
    newest = CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES[version.model.kind]).aggregate(
        day=Max("day")
    )
    day = newest["day"] or tenant.today()
    sources = [measure_source(measure) for measure in ranked]
    reading = read_facts(tenant, (day,), sources)
    everybody, _segments = sampled_matrix(tenant, reading.request, version.model, sources, (day,))
    by_segment = [measure for measure in ranked if measure.scale_params.get("peers") == SEGMENT]
    parts = None
    if by_segment:
        parts = sampled_matrix(tenant, reading.request, version.model, sources, (day,), by_segment=True)
    for column, measure in enumerate(ranked):
        higher = bool(measure.scale_params.get("higher_is_better", True))
        scale = propose_reference(everybody[0, :, column], higher_is_better=higher)
        if scale and parts and measure in by_segment:
            own = propose_reference(parts[0][0, :, column], segments=parts[1], higher_is_better=higher)
            scale = replace(scale, peers=SEGMENT, segment_references=own.segment_references if own else ())
        chosen = {
            key: value
            for key, value in measure.scale_params.items()
            if key in ("higher_is_better", "peers", "reference_of")
        }
        if scale:
            frozen = scale.to_dict()
            frozen.pop("kind")
            chosen |= frozen
        measure.scale_params = chosen
        measure.save(update_fields=["scale_params"])


def refresh_day_references(*, tenant: Tenant, day: date) -> int:
    """Compute the peers of a day for every version that scores it, before its chunks are scored; how many were stored.

    The step of the night before the scores. What is final stays; what was stored while the day was running is computed anew,
    so a recompute of the running day ranks against what the accounts measure now.
    """
    versions = {
        version.pk: version
        for kind in KIND_CODES
        for line in model_timelines(tenant, kind)
        for version in [line.in_force(day)]
    }
    loaded = list(load_versions(tenant, list(versions.values())).values())
    if not wanted_distributions(loaded, (day,)):
        return 0
    _lock(tenant)
    PeerReference.objects.filter(tenant=tenant, day=day, is_final=False)._raw_delete("default")
    return store_references(tenant, read_for(tenant, (day,), loaded), loaded)


def ready_reading(tenant: Tenant, days: tuple[date, ...], versions: Sequence[LoadedVersion]) -> Reading:
    """A reading whose peers are stored: usually all are, since the night computes them before its chunks.

    Where some are missing (a single account before the first night, many past days at once) they are computed by one run
    at a time and stored, so that runs beside it and later ones rank against the same.
    """
    wanted = wanted_distributions(versions, days)
    if wanted:
        stored = stored_distributions(tenant, wanted, tenant.today())
        if missing_distributions(wanted, stored):
            _lock(tenant)
    reading = read_for(tenant, days, versions)
    store_references(tenant, reading, versions)
    return reading


def _lock(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, tenant.pk % 2**31])


def store_references(tenant: Tenant, reading: Reading, versions: Sequence[LoadedVersion]) -> int:
    """Store the distributions that a reading had to compute; a final one is never rewritten."""
    measures = {version.id: version.measure_ids for version in versions}
    rows = [
        (
            tenant.pk,
            version_id,
            measures[version_id][column],
            segment,
            day,
            day < reading.today,
            found.peers,
            found.points.tolist(),
        )
        for (version_id, column, day, segment), found in reading.references.found.items()
        if (version_id, column, day, segment) in reading.references.computed
    ]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            """
            INSERT INTO scoring_reference AS r
              (tenant_id, version_id, measure_id, segment, day, is_final, peers, points) VALUES %s
            ON CONFLICT (tenant_id, version_id, measure_id, segment, day) DO UPDATE
            SET is_final = excluded.is_final, peers = excluded.peers, points = excluded.points
            WHERE NOT r.is_final""",
            sorted(rows, key=lambda row: row[:5]),
            template="(%s, %s, %s, %s, %s, %s, %s, %s::double precision[])",
        )
    return len(rows)
