"""What expansion knows: what is sold, what sets an opportunity off, the opportunities themselves, renewals, what is paid."""

from expansion.renewals.models import (
    MrrChange,
    Renewal,
    RenewalChange,
    RenewalCheckpoint,
    RenewalSettings,
    RenewalStep,
    RetentionStore,
)

from .definitions import ExpansionSettings, Offering, OpportunityType, Trigger
from .opportunities import Discount, Holding, Opportunity, Proposal, Stage, StageChange

__all__ = [
    "Discount",
    "ExpansionSettings",
    "Holding",
    "MrrChange",
    "Offering",
    "Opportunity",
    "OpportunityType",
    "Proposal",
    "Renewal",
    "RenewalChange",
    "RenewalCheckpoint",
    "RenewalSettings",
    "RenewalStep",
    "RetentionStore",
    "Stage",
    "StageChange",
    "Trigger",
]
