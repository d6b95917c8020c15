"""A model whose SQL metric fails is not published."""

from __future__ import annotations

from accounts.models import Tenant
from scoring.models import Version
from scoring.scales import Problem
from scoring.specs import version_parts
from usage.services import failing_queries


def query_problems(tenant: Tenant, version: Version) -> list[Problem]:
    """The measures whose query fails now, with the reason: each would be missing every night."""
    places: dict[str, str] = {}
    for component, measures in version_parts(tenant, [version])[version.pk]:
        for measure in measures:
            places.setdefault(measure.metric_key, f"{component.key}.{measure.metric_key}")
    failing = failing_queries(tenant=tenant, keys=list(places))
    return [(places[key], words) for key, words in failing.items()]
