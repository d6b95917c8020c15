"""Who may do what with a task; `None` is the system or an API key with the right to write."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from accounts.access import has_role, may_work_on
from accounts.models import Account, Membership, Role

from .models import Task


def may_do_task(member: Membership | None, task: Task) -> bool:
    """Managers every task; a CSM the own ones, those of the own accounts and those of the own role's pool."""
    if member is None or has_role(member, Role.MANAGER):
        return True
    if not has_role(member, Role.CSM):
        return False
    return task.assignee_id == member.pk or task.pool == member.role or may_work_on(member, task.account)


def demand_task(member: Membership | None, task: Task) -> None:
    """Raise `PermissionDenied` unless the member may do this task."""
    if not may_do_task(member, task):
        raise PermissionDenied


def demand_account(member: Membership | None, account: Account) -> None:
    """Raise `PermissionDenied` unless the member may work on this account."""
    if member is not None and not may_work_on(member, account):
        raise PermissionDenied
