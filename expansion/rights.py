"""Who may work on an opportunity; `None` is the system or an API key with the right to write."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from accounts.access import has_role, may_work_on
from accounts.models import Account, Membership, Role

from .models import Opportunity


def may_work(member: Membership | None, opportunity: Opportunity) -> bool:
    """Managers every one; a CSM their own ones and those of accounts they may work on."""
    if member is None or has_role(member, Role.MANAGER):
        return True
    return has_role(member, Role.CSM) and (
        opportunity.owner_id == member.pk or may_work_on(member, opportunity.account)
    )


def demand_work(member: Membership | None, opportunity: Opportunity) -> None:
    """Raise `PermissionDenied` unless the member may work on this opportunity."""
    if not may_work(member, opportunity):
        raise PermissionDenied


def demand_account(member: Membership | None, account: Account) -> None:
    """Raise `PermissionDenied` unless the member may open opportunities at this account."""
    if member is not None and not may_work_on(member, account):
        raise PermissionDenied
