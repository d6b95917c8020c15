"""Writes of product-qualified leads."""

from .contacts import note_peers, score_contacts
from .conversion import count_conversions
from .definitions import install_leads, lead_settings, save_settings, save_signal
from .leads import accept_lead, convert_lead, hand_over_lead, reject_lead, reopen_lead
from .night import LeadsSummary, evaluate_leads
from .signals import measure_signals, note_signals
from .thresholds import draft_thresholds

__all__ = [
    "LeadsSummary",
    "accept_lead",
    "convert_lead",
    "count_conversions",
    "draft_thresholds",
    "evaluate_leads",
    "hand_over_lead",
    "install_leads",
    "lead_settings",
    "measure_signals",
    "note_peers",
    "note_signals",
    "reject_lead",
    "reopen_lead",
    "save_settings",
    "save_signal",
    "score_contacts",
]
