"""What a tenant's accounts measure today: the peers of percentile scales and the ground of proposed curves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from django.db.models import Max

from accounts.models import Tenant
from scoring.matrix import read_matrix
from scoring.models import KIND_CODES, CurrentScore, Measure, Version
from scoring.proposal import propose_reference
from scoring.reading import read_facts
from scoring.scales import Array
from scoring.selectors.facts import account_chunks
from scoring.selectors.versions import claims
from scoring.specs import MeasureSource, measure_source, version_parts


def peer_values(
    tenant: Tenant, version: Version, sources: Sequence[MeasureSource], day: date, seen_by: date | None = None
) -> Array:
    """Accounts × measures: the raw values of the accounts that this model is meant for, as of a day."""
    reading = read_facts(tenant, (day,), sources)
    found = [np.empty((0, len(sources)))]
    for chunk in account_chunks(tenant, [], churned_before=day):
        fits = np.array([claims(version.model, *traits) for traits in chunk.traits], dtype=bool)
        fits &= chunk.facts.scored_on((day,))[0]
        if seen_by:
            fits &= chunk.facts.seen_from <= seen_by.toordinal()
        accounts = chunk.facts.pick(np.flatnonzero(fits))
        found.append(read_matrix(reading.request(accounts, (day,)), sources)[0])
    return np.concatenate(found)


def refresh_references(*, tenant: Tenant, version: Version) -> None:
    """Give each percentile scale of a draft the values of today's accounts; fewer than 30 leave it empty.

    Called when the draft is published, so that the peers are frozen with it and a score can be computed again later.
    """
    measures = [measure for _part, own in version_parts(tenant, [version])[version.pk] for measure in own]
    ranked = [measure for measure in measures if measure.scale_kind == Measure.ScaleKind.PERCENTILE]
    if not ranked:
        return
    newest = CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES[version.model.kind]).aggregate(
        day=Max("day")
    )
    values = peer_values(
        tenant, version, [measure_source(measure) for measure in ranked], newest["day"] or tenant.today()
    )
    for column, measure in enumerate(ranked):
        higher = bool(measure.scale_params.get("higher_is_better", True))
        peers = propose_reference(values[:, column], higher_is_better=higher)
        params = {"higher_is_better": higher}
        measure.scale_params = {**params, "reference": list(peers.reference)} if peers else params
        measure.save(update_fields=["scale_params"])
