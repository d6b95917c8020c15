"""Who can come in how: factors and identities of the members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator

from accounts.models import AuditEntry, Membership, SignOn, SignOnIdentity, Tenant


@dataclass(frozen=True)
class MemberAccess:
    """A member with what proves who it is."""

    member: Membership
    factors: list[str]
    signed_on_at: datetime | None


def sign_on(tenant: Tenant) -> SignOn | None:
    """The tenant's provider, whether it is switched on or not."""
    return SignOn.objects.filter(tenant=tenant).first()


def members_access(tenant: Tenant) -> list[MemberAccess]:
    """The active members, those without a second factor first."""
    members = list(Membership.objects.filter(tenant=tenant, is_active=True).select_related("user"))
    kinds: dict[int, set[str]] = {}
    rows = Authenticator.objects.filter(user__in=[member.user_id for member in members])
    for user_id, kind in rows.values_list("user_id", "type"):
        if kind != Authenticator.Type.RECOVERY_CODES:
            kinds.setdefault(user_id, set()).add(str(Authenticator.Type(kind).label))
    seen = dict(
        SignOnIdentity.objects.filter(tenant=tenant).order_by("last_at").values_list("member", "last_at")
    )
    found = [
        MemberAccess(member, sorted(kinds.get(member.user_id, ())), seen.get(member.pk)) for member in members
    ]
    return sorted(found, key=lambda one: (bool(one.factors), str(one.member).lower()))


def last_refusals(tenant: Tenant, *, most: int = 5) -> list[AuditEntry]:
    """The last sign-ons that were refused, with the reason."""
    found = AuditEntry.objects.filter(tenant=tenant, action="member.sign_in_failed", door="signon")
    return list(found.order_by("-at", "-id")[:most])
