"""Tables of rules and alerts; each name is exported here."""

from .attention import Attention, Deed, MemberAttention
from .findings import Alert, Champion, Match, PersonReason
from .rules import Channel, Interrupts, Rule, Severity, Topic
from .trials import DryRun, DryRunAlert

__all__ = [
    "Alert",
    "Attention",
    "Champion",
    "Channel",
    "Deed",
    "DryRun",
    "DryRunAlert",
    "Interrupts",
    "Match",
    "MemberAttention",
    "PersonReason",
    "Rule",
    "Severity",
    "Topic",
]
