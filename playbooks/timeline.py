"""What playbooks write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RUN_STARTED = "run_started"
RUN_DONE = "run_done"
RUN_STOPPED = "run_stopped"
RUN_SHIFTED = "run_shifted"
RUN_PAUSED = "run_paused"
RUN_RESUMED = "run_resumed"
TASK_CREATED = "task_created"
TASK_DONE = "task_done"
TASK_REOPENED = "task_reopened"
TASK_REASSIGNED = "task_reassigned"
TASK_MOVED = "task_moved"
TASK_CANCELLED = "task_cancelled"
TASK_COMMENTED = "task_commented"

LABELS = {
    RUN_STARTED: _("Play started"),
    RUN_DONE: _("Play done"),
    RUN_STOPPED: _("Play stopped"),
    RUN_SHIFTED: _("Dates of a play moved"),
    RUN_PAUSED: _("Play paused"),
    RUN_RESUMED: _("Play goes on"),
    TASK_CREATED: _("Task added"),
    TASK_DONE: _("Task done"),
    TASK_REOPENED: _("Task opened again"),
    TASK_REASSIGNED: _("Task handed over"),
    TASK_MOVED: _("Task moved to another date"),
    TASK_CANCELLED: _("Task cancelled"),
    TASK_COMMENTED: _("Comment on a task"),
}
