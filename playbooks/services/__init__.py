"""Every write of playbooks: plays and their versions, runs, tasks."""

from .plays import discard_draft, draft_from_published, install_shipped_plays, publish_version
from .runs import AdvanceSummary, RunStart, advance_runs, set_outcome, start_run, start_runs, stop_run
from .tasks import cancel_task, change_due_date, complete_task, create_task, reassign_task, reopen_task

__all__ = [
    "AdvanceSummary",
    "RunStart",
    "advance_runs",
    "cancel_task",
    "change_due_date",
    "complete_task",
    "create_task",
    "discard_draft",
    "draft_from_published",
    "install_shipped_plays",
    "publish_version",
    "reassign_task",
    "reopen_task",
    "set_outcome",
    "start_run",
    "start_runs",
    "stop_run",
]
