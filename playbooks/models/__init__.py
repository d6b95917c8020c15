"""Plays in versions, their runs at accounts, the tasks of members and the days on which they work."""

from .calendars import DayOff, MemberCalendar, WorkSettings
from .definitions import Playbook, PlaybookVersion, Priority, Step
from .runs import Run, RunStep
from .tasks import Task, TaskComment, Undo

__all__ = [
    "DayOff",
    "MemberCalendar",
    "Playbook",
    "PlaybookVersion",
    "Priority",
    "Run",
    "RunStep",
    "Step",
    "Task",
    "TaskComment",
    "Undo",
    "WorkSettings",
]
