"""Writes of onboarding: the template, plans and their milestones, links for customers."""

from .evaluation import OnboardingSummary, evaluate_onboarding
from .links import revoke_link, share_plan
from .plans import begin_plans, end_plan, go_live_changed, start_plan
from .template import add_milestone, edit_milestone, install_milestones
from .ticks import ask_the_numbers, tick_milestone, untick_milestone

__all__ = [
    "OnboardingSummary",
    "add_milestone",
    "ask_the_numbers",
    "begin_plans",
    "edit_milestone",
    "end_plan",
    "evaluate_onboarding",
    "go_live_changed",
    "install_milestones",
    "revoke_link",
    "share_plan",
    "start_plan",
    "tick_milestone",
    "untick_milestone",
]
