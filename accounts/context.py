"""What every page's frame needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.access import has_role
from accounts.gate import signed_on_tenant
from accounts.models import Membership, Role
from accounts.signon.finding import offered_to
from accounts.visibility import money_hidden, sees_all


def shell(request: HttpRequest) -> dict[str, Any]:
    """Tenant, member, rights and the member's other tenants for the page frame."""
    member: Membership | None = getattr(request, "member", None)
    if member is None:
        return {
            "tenant": None,
            "member": None,
            "demo_logins": demo_logins,
            "offered_sign_on": lambda: offered_to(request),  # asked by the login page only
            "signup_open": settings.SIGNUP_OPEN,
        }
    others = (
        Membership.objects.select_related("tenant")
        .filter(user_id=member.user_id, is_active=True)
        .order_by("tenant__name")
    )
    signed_on = signed_on_tenant(request)  # such a session knows no other company
    return {
        "tenant": member.tenant,
        "member": member,
        "has_others": signed_on is None and getattr(request, "has_others", False),
        "my_tenants": others,
        "is_csm": has_role(member, Role.CSM),
        "is_manager": has_role(member, Role.MANAGER),
        "is_admin": has_role(member, Role.ADMIN),
        "sees_some": not sees_all(),
        "sees_money": not money_hidden(),
        "signed_on": signed_on,
    }


def demo_logins() -> list[str]:
    """Addresses that open the demo, for the login page; none where the demo was not made or was removed."""
    if not settings.DEMO_ENABLED:
        return []
    members = Membership.objects.filter(
        tenant__slug="demo", tenant__is_demo=True, is_active=True, user__is_active=True
    )
    names = [f"{role}@demo.example" for role in ("admin", "manager", "csm", "viewer")]
    known = set(members.filter(user__email__in=names).values_list("user__email", flat=True))
    return [name for name in names if name in known]
