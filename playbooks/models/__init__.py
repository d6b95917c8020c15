"""Plays in versions, their runs at accounts, the tasks of members and the days on which they work."""

from playbooks.agenda.models import SetAside
from playbooks.checklists.models import ChecklistItem
from playbooks.handover.models import Handover, HandoverAccount
from playbooks.intervention.models import (
    Handoff,
    InterventionSettings,
    TrainingCompletion,
    TrainingModule,
)
from playbooks.onboarding.models import Milestone, OnboardingLink, OnboardingPlan, PlanMilestone
from playbooks.rollout.models import RolloutTick

from .calendars import DayOff, MemberCalendar, WorkSettings
from .definitions import Playbook, PlaybookVersion, Priority, Step
from .runs import Run, RunStep
from .tasks import Task, TaskComment, Undo

__all__ = [
    "ChecklistItem",
    "DayOff",
    "Handoff",
    "Handover",
    "HandoverAccount",
    "InterventionSettings",
    "MemberCalendar",
    "Milestone",
    "OnboardingLink",
    "OnboardingPlan",
    "PlanMilestone",
    "Playbook",
    "PlaybookVersion",
    "Priority",
    "RolloutTick",
    "Run",
    "RunStep",
    "SetAside",
    "Step",
    "Task",
    "TaskComment",
    "TrainingCompletion",
    "TrainingModule",
    "Undo",
    "WorkSettings",
]
