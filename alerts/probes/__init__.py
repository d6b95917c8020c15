"""How each kind of rule looks at all accounts of a tenant at once; a number of queries that accounts do not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alerts.lifecycle import Key

from .features import needs_feature_adoption, probe_feature_adoption
from .health import needs_health_dropped, probe_health_dropped
from .metrics import (
    needs_metric_at_zero,
    needs_rate_falling,
    needs_usage_under_target,
    probe_metric_at_zero,
    probe_rate_falling,
    probe_usage_under_target,
)
from .night import Needs, Night, OpenAlert, Reading
from .people import needs_champion_gone, probe_champion_gone, sync_champions
from .sources import needs_source_quiet, probe_source_quiet
from .tickets import needs_ticket_unresolved, probe_ticket_unresolved
from .tree import needs_conditions, probe_conditions


class Probe(NamedTuple):
    """What a kind of rule will read, and what it sees then."""

    needs: Callable[[Night, Any], Needs]
    look: Callable[[Night, Any, Mapping[Key, OpenAlert]], Reading]


PROBES: dict[str, Probe] = {
    "usage_under_target": Probe(needs_usage_under_target, probe_usage_under_target),
    "rate_falling": Probe(needs_rate_falling, probe_rate_falling),
    "metric_at_zero": Probe(needs_metric_at_zero, probe_metric_at_zero),
    "ticket_unresolved": Probe(needs_ticket_unresolved, probe_ticket_unresolved),
    "health_dropped": Probe(needs_health_dropped, probe_health_dropped),
    "feature_adoption": Probe(needs_feature_adoption, probe_feature_adoption),
    "champion_gone": Probe(needs_champion_gone, probe_champion_gone),
    "source_quiet": Probe(needs_source_quiet, probe_source_quiet),
    "conditions": Probe(needs_conditions, probe_conditions),
}

__all__ = ["PROBES", "Key", "Needs", "Night", "OpenAlert", "Probe", "Reading", "sync_champions"]
