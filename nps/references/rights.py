"""Who may do what with a reference; `None` is the system or an API key with the right to write."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from accounts.access import has_role, may_work_on
from accounts.models import Account, Membership, Role


def demand_account(member: Membership | None, account: Account) -> None:
    """Raise `PermissionDenied` unless the member may work on this account."""
    if member is not None and not may_work_on(member, account):
        raise PermissionDenied


def demand_sales(member: Membership | None) -> None:
    """Raise `PermissionDenied` for who only reads: asking for a reference and using one is work."""
    if member is not None and not has_role(member, Role.CSM):
        raise PermissionDenied
