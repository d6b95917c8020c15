"""Tables of product-qualified leads."""

from .definitions import Disqualifier, LeadSettings, Signal
from .leads import Lead, Standing
from .results import AccountMonth, ContactScore, ConversionMonth, PeoplePeers

__all__ = [
    "AccountMonth",
    "ContactScore",
    "ConversionMonth",
    "Disqualifier",
    "Lead",
    "LeadSettings",
    "PeoplePeers",
    "Signal",
    "Standing",
]
