"""How each kind of rule looks at all accounts of a tenant at once; a number of queries that accounts do not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .health import probe_health_dropped
from .metrics import probe_metric_at_zero, probe_rate_falling, probe_usage_under_target
from .night import Key, Night, OpenAlert, Reading
from .tickets import probe_ticket_unresolved

Probe = Callable[[Night, Any, dict[Key, OpenAlert]], Reading]

PROBES: dict[str, Probe] = {
    "usage_under_target": probe_usage_under_target,
    "rate_falling": probe_rate_falling,
    "metric_at_zero": probe_metric_at_zero,
    "ticket_unresolved": probe_ticket_unresolved,
    "health_dropped": probe_health_dropped,
}

__all__ = ["PROBES", "Key", "Night", "OpenAlert", "Probe", "Reading"]
