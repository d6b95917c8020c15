"""A person's preferences, and API keys."""

from __future__ import annotations

from django.utils import timezone

from accounts.keys import make_key
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.services import record_audit


def save_preferences(*, user: User, **changes: str) -> None:
    """Store a person's name, language, time zone or appearance."""
    for field, value in changes.items():
        setattr(user, field, value)
    user.save(update_fields=list(changes))


def create_key(*, tenant: Tenant, actor: Membership, name: str, scope: str) -> tuple[ApiKey, str]:
    """Make an API key; the second value is the key, which is shown once."""
    key, raw = make_key(tenant=tenant, name=name, scope=scope, created_by=actor)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="api_key.created",
        target=key.prefix,
        after={"name": name, "scope": scope},
    )
    return key, raw


def revoke_key(*, tenant: Tenant, actor: Membership, key_id: int) -> ApiKey:
    """Refuse a key from now on."""
    key = ApiKey.objects.get(tenant=tenant, pk=key_id)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record_audit(tenant=tenant, actor=actor, action="api_key.revoked", target=key.prefix)
    return key
