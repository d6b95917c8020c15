"""Reads of usage, each a constant number of queries."""

from .arrivals import Arrivals, ArrivedEvent, arrivals, has_received
from .delivery import (
    Freshness,
    SourceState,
    days_delivered,
    delivered_metrics,
    quarantine_counts,
    source_freshness,
    sources_with_state,
    unassigned_events,
)
from .metrics import delivered_by_span, metric_values, weekly_series

__all__ = [
    "Arrivals",
    "ArrivedEvent",
    "Freshness",
    "SourceState",
    "arrivals",
    "days_delivered",
    "delivered_by_span",
    "delivered_metrics",
    "has_received",
    "metric_values",
    "quarantine_counts",
    "source_freshness",
    "sources_with_state",
    "unassigned_events",
    "weekly_series",
]
