"""What a draft would say of one account whose score is on the page: nothing is stored, and little is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from accounts.models import Tenant
from scoring.models import CurrentScore
from scoring.reading import score_days
from scoring.scales import Percentile
from scoring.specs import LoadedVersion
from scoring.what_if.stored import measure

from .changes import Ground, days_read, live_reading


@dataclass(frozen=True)
class DraftedScore:
    """The score, the band and the coverage that a draft would give."""

    score: float | None
    band: int
    coverage: float


def needs_everybody(version: LoadedVersion) -> bool:
    """Whether its scales rank an account among all others, so that one account alone cannot be scored cheaply."""
    return any(isinstance(each.scale, Percentile) for each in version.spec.measures)


def drafted_score(
    tenant: Tenant, row: CurrentScore, published: LoadedVersion, draft: LoadedVersion, ground: Ground
) -> DraftedScore | None:
    """The account as of its newest scored day under a draft, as the what-if gives it; None where it needs all accounts.

    What was measured under the published version is taken as it is stored: other weights cost no reading of usage.
    """
    if needs_everybody(draft):
        return None
    days: tuple[date, ...] = (row.day,)
    wanted = days_read(row.day, draft)
    if len(wanted) == 1 and set(draft.sources) <= set(published.sources):
        wanted = []  # nothing has to be read
    reading = live_reading(tenant, days, draft, ground, measured=wanted)
    measured = measure(reading, ground.accounts, row.day, [draft], published, [row.raw])
    found = score_days(reading, ground.accounts, days, draft, raw=measured.matrix(draft)).scores
    total = float(found.score[0])
    return DraftedScore(None if math.isnan(total) else total, int(found.band[0]), float(found.coverage[0]))
