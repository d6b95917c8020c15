"""The tenant's cadence: how long before a review its pack is drafted, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from qbr.models import QbrSettings

FIELDS = ("draft_days", "include_tech", "share_days")


def settings_of(tenant: Tenant) -> QbrSettings:
    """The tenant's row, or one that is not stored yet with what is shipped."""
    return QbrSettings.objects.filter(tenant=tenant).first() or QbrSettings(tenant=tenant)


def install_settings(*, tenant: Tenant) -> None:
    """Give a new tenant its row; one that exists keeps what it has."""
    QbrSettings.objects.get_or_create(tenant=tenant)


def save_settings(
    *, tenant: Tenant, values: Mapping[str, Any], member: Membership | None = None
) -> QbrSettings:
    """Change how reviews are prepared; raises `ValidationError` by field."""
    settings = settings_of(tenant)
    before = {name: getattr(settings, name) for name in FIELDS}
    for name in FIELDS:
        if name in values:
            setattr(settings, name, values[name])
    settings.full_clean(validate_constraints=False)
    settings.save()
    after = {name: getattr(settings, name) for name in FIELDS}
    if after != before:
        record_audit(
            tenant=tenant, actor=member, action="qbr.settings", target="qbr", before=before, after=after
        )
    return settings
