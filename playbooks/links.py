"""Where the pages of tasks are, for notifications; the pages themselves are floors above."""

from __future__ import annotations

from .models import Task


def task_path(task: Task) -> str:
    """The address of a task inside its tenant."""
    return f"/tasks/{task.pk}/"


def overdue_path(member_id: int | None) -> str:
    """The list of a member's overdue tasks, or everybody's, inside the tenant."""
    return f"/tasks/?who={member_id or 'all'}&due=overdue"
