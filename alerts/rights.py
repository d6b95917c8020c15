"""Who may do what with an alert; `None` is the system or an API key with the right to write."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from accounts.access import has_role, may_work_on
from accounts.models import Membership, Role

from .models import Alert


def may_handle(member: Membership | None, alert: Alert) -> bool:
    """Managers every alert, a CSM those given to them and those of accounts that they may work on.

    What is about no account and was given to nobody is the managers'.
    """
    if member is None or has_role(member, Role.MANAGER):
        return True
    if has_role(member, Role.CSM) and alert.assignee_id == member.pk:
        return True
    return alert.account is not None and may_work_on(member, alert.account)


def demand_alert(member: Membership | None, alert: Alert) -> None:
    """Raise `PermissionDenied` unless the member may handle this alert."""
    if not may_handle(member, alert):
        raise PermissionDenied
