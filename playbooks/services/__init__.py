"""Every write of playbooks: plays and their versions, runs, tasks."""

from .bulk import Bulk, cancel_tasks, complete_tasks, move_tasks, put_off_tasks, reassign_tasks, undo_change
from .calendars import (
    add_days_off,
    new_feed_key,
    remove_days_off,
    revoke_feed,
    save_member_calendar,
    save_work_settings,
)
from .comments import comment_on_task
from .editing import (
    create_play,
    label_of,
    move_step,
    remove_step,
    rename_play,
    save_step,
    save_terms,
)
from .ending import set_outcome, stop_run
from .escalation import escalate_overdue
from .plays import discard_draft, draft_from_published, install_shipped_plays, publish_version
from .runs import AdvanceSummary, advance_runs
from .shifting import pause_run, resume_run, shift_run
from .starts import RunStart, Started, start_many, start_run, start_runs
from .tasks import (
    assignable,
    cancel_task,
    change_due_date,
    change_priority,
    complete_task,
    create_task,
    reassign_task,
    reopen_task,
)

__all__ = [
    "AdvanceSummary",
    "Bulk",
    "RunStart",
    "Started",
    "add_days_off",
    "advance_runs",
    "assignable",
    "cancel_task",
    "cancel_tasks",
    "change_due_date",
    "change_priority",
    "comment_on_task",
    "complete_task",
    "complete_tasks",
    "create_play",
    "create_task",
    "discard_draft",
    "draft_from_published",
    "escalate_overdue",
    "install_shipped_plays",
    "label_of",
    "move_step",
    "move_tasks",
    "new_feed_key",
    "pause_run",
    "publish_version",
    "put_off_tasks",
    "reassign_task",
    "reassign_tasks",
    "remove_days_off",
    "remove_step",
    "rename_play",
    "reopen_task",
    "resume_run",
    "revoke_feed",
    "save_member_calendar",
    "save_step",
    "save_terms",
    "save_work_settings",
    "set_outcome",
    "shift_run",
    "start_many",
    "start_run",
    "start_runs",
    "stop_run",
    "undo_change",
]
