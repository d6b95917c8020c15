"""Reads of product-qualified leads, each a constant number of queries."""

from .board import (
    LeadFacts,
    PersonLine,
    export_rows,
    first_to_call,
    kept_off,
    lead,
    lead_entries,
    lead_facts,
    leads_of,
    open_lead,
    people_of,
    sellers,
    standing_counts,
    state_counts,
)
from .conversion import BandMonth, Preview, conversion_by_band, conversion_by_month, threshold_preview
from .scope import lead_plan_kinds
from .signals import SignalDay, signal_days

__all__ = [
    "BandMonth",
    "LeadFacts",
    "PersonLine",
    "Preview",
    "SignalDay",
    "conversion_by_band",
    "conversion_by_month",
    "export_rows",
    "first_to_call",
    "kept_off",
    "lead",
    "lead_entries",
    "lead_facts",
    "lead_plan_kinds",
    "leads_of",
    "open_lead",
    "people_of",
    "sellers",
    "signal_days",
    "standing_counts",
    "state_counts",
    "threshold_preview",
]
