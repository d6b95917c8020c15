"""The tenant's thresholds and limits; until somebody changes them the defaults of the model count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from nps.references.models import ReferenceSettings

FIELDS = (
    "roi_min_cents",
    "score_above",
    "needs_nps",
    "nps_min",
    "account_days",
    "contact_days",
    "declined_days",
    "use_days",
    "uses_per_quarter",
    "donation_max_cents",
)


def reference_settings(tenant: Tenant) -> ReferenceSettings:
    """What counts now; an unsaved row with the defaults where nobody has changed them."""
    return ReferenceSettings.objects.filter(tenant=tenant).first() or ReferenceSettings(tenant=tenant)


def save_reference_settings(
    *, tenant: Tenant, fields: Mapping[str, Any], member: Membership | None = None
) -> ReferenceSettings:
    """Change thresholds and limits; the next night looks with them."""
    ReferenceSettings.objects.get_or_create(tenant=tenant)
    settings = ReferenceSettings.objects.select_for_update().get(tenant=tenant)
    before = {name: getattr(settings, name) for name in fields}
    for name, value in fields.items():
        setattr(settings, name, value)
    settings.full_clean(exclude=["tenant", "id"], validate_unique=False, validate_constraints=False)
    settings.save()
    after = {name: getattr(settings, name) for name in fields}
    if before != after:
        record_audit(
            tenant=tenant,
            actor=member,
            action="reference_settings.changed",
            target="reference settings",
            before=before,
            after=after,
        )
    return settings
