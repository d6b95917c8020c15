"""Members and companies."""

from __future__ import annotations

from accounts.models import ApiKey, ApiKeyUse, Membership, Role, Tenant


def tenants_of(user_id: int, *, signed_on: int | None = None) -> list[Membership]:
    """The companies of a login, by name; of a session that a provider made, the one that has this provider."""
    found = Membership.objects.filter(user_id=user_id, is_active=True).select_related("tenant")
    if signed_on is not None:
        found = found.filter(tenant_id=signed_on)
    return list(found.order_by("tenant__name"))


def members(tenant: Tenant, *, active_only: bool = True) -> list[Membership]:
    """The members of a company, by name."""
    found = Membership.objects.filter(tenant=tenant).select_related("user")
    if active_only:
        found = found.filter(is_active=True)
    return sorted(found, key=lambda member: (not member.is_active, str(member).lower()))


def csms(tenant: Tenant) -> list[Membership]:
    """Who looks after accounts, by name: active CSMs."""
    return [member for member in members(tenant) if member.role == Role.CSM]


def api_keys(tenant: Tenant) -> list[ApiKey]:
    """The keys of a company, newest first, each with `last_used_at`."""
    used = dict(ApiKeyUse.objects.values_list("key_id", "last_used_at"))
    keys = list(
        ApiKey.objects.filter(tenant=tenant).select_related("created_by__user").order_by("-created_at", "-pk")
    )
    for key in keys:
        key.last_used_at = used.get(key.pk)  # type: ignore[attr-defined]  # for the template
    return keys
