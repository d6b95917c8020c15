"""What every page's frame needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.access import has_role
from accounts.models import Membership, Role


def shell(request: HttpRequest) -> dict[str, Any]:
    """Tenant, member, rights and the member's other tenants for the page frame."""
    member: Membership | None = getattr(request, "member", None)
    if member is None:
        return {"tenant": None, "member": None}
    others = (
        Membership.objects.select_related("tenant")
        .filter(user_id=member.user_id, is_active=True)
        .order_by("tenant__name")
    )
    return {
        "tenant": request.tenant,
        "member": member,
        "my_tenants": others,
        "is_csm": has_role(member, Role.CSM),
        "is_manager": has_role(member, Role.MANAGER),
        "is_admin": has_role(member, Role.ADMIN),
    }
