"""One account under any version, today, with nothing stored: what the editor shows before a version is published."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import Account, Tenant
from scoring.models import KIND_CODES, CurrentScore, Version
from scoring.reading import read_for, score_days
from scoring.specs import load_versions

from .explanation import calculated_components, calculated_exceptions
from .facts import account_chunks


@dataclass(frozen=True)
class Preview:
    """What a version makes of an account."""

    version: Version
    day: date
    score: float | None
    band: int
    coverage: float
    components: list[dict[str, Any]]
    exceptions: list[dict[str, Any]]


def preview(tenant: Tenant, version: Version, account: Account) -> Preview:
    """Score an account as of its newest scored day (today, if there is none) under this version; raises `SpecError`."""
    code = KIND_CODES[version.model.kind]
    current = CurrentScore.objects.filter(tenant=tenant, kind=code, account_id=account.pk).values_list(
        "day", flat=True
    )
    day = current.first() or tenant.today()
    loaded = load_versions(tenant, [version])[version.pk]
    reading = read_for(tenant, (day,), [loaded], sampled=True)
    accounts = next(account_chunks(tenant, [], account_ids=[account.pk])).facts
    found = score_days(reading, accounts, (day,), loaded)
    components = calculated_components(loaded, found.scores)
    scaled, targets = found.scores.scaled, found.about.targets
    assert scaled is not None
    column = 0
    for shown, component in zip(components, loaded.spec.components, strict=True):
        for measure in component.measures:
            shown["measures"].append(
                {
                    "metric": measure.key,
                    "value": _plain(found.raw[0, column]),
                    "scaled": _plain(scaled[0, column]),
                    "target": None if targets is None else _plain(targets[0, column]),
                }
            )
            column += 1
    return Preview(
        version,
        day,
        _plain(found.scores.score[0]),
        int(found.scores.band[0]),
        float(found.scores.coverage[0]),
        components,
        calculated_exceptions(loaded, found.scores),
    )


def _plain(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)
