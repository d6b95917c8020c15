"""Every write of renewals."""

from .night import RenewalsSummary, keep_renewals
from .planning import MOST_STEPS, PlanStep, make_plan
from .saying import UNCHANGED, close_renewal, give_reason, note_call, set_forecast
from .settings import rates_of, save_settings, settings_of

__all__ = [
    "MOST_STEPS",
    "UNCHANGED",
    "PlanStep",
    "RenewalsSummary",
    "close_renewal",
    "give_reason",
    "keep_renewals",
    "make_plan",
    "note_call",
    "rates_of",
    "save_settings",
    "set_forecast",
    "settings_of",
]
