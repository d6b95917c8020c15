"""Every write of playbooks: plays and their versions, runs, tasks."""

from .ending import set_outcome, stop_run
from .plays import discard_draft, draft_from_published, install_shipped_plays, publish_version
from .runs import AdvanceSummary, advance_runs
from .shifting import pause_run, resume_run, shift_run
from .starts import RunStart, Started, start_many, start_run, start_runs
from .tasks import cancel_task, change_due_date, complete_task, create_task, reassign_task, reopen_task

__all__ = [
    "AdvanceSummary",
    "RunStart",
    "Started",
    "advance_runs",
    "cancel_task",
    "change_due_date",
    "complete_task",
    "create_task",
    "discard_draft",
    "draft_from_published",
    "install_shipped_plays",
    "pause_run",
    "publish_version",
    "reassign_task",
    "reopen_task",
    "resume_run",
    "set_outcome",
    "shift_run",
    "start_many",
    "start_run",
    "start_runs",
    "stop_run",
]
