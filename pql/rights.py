"""Who may work on a lead; `None` is the system or an API key with the right to write."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from accounts.access import has_role, may_work_on
from accounts.models import Membership, Role

from .models import Lead


def may_work_lead(member: Membership | None, lead: Lead) -> bool:
    """Managers every lead; a CSM those handed to them and those of accounts they may work on."""
    if member is None or has_role(member, Role.MANAGER):
        return True
    return has_role(member, Role.CSM) and (lead.owner_id == member.pk or may_work_on(member, lead.account))


def demand_lead(member: Membership | None, lead: Lead) -> None:
    """Raise `PermissionDenied` unless the member may work on this lead."""
    if not may_work_lead(member, lead):
        raise PermissionDenied
