"""What expansion knows: what is sold, what sets an opportunity off, the opportunities themselves."""

from .definitions import ExpansionSettings, Offering, OpportunityType, Trigger
from .opportunities import Discount, Holding, Opportunity, Proposal, Stage, StageChange

__all__ = [
    "Discount",
    "ExpansionSettings",
    "Holding",
    "Offering",
    "Opportunity",
    "OpportunityType",
    "Proposal",
    "Stage",
    "StageChange",
    "Trigger",
]
