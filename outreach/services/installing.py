"""What a new tenant starts with."""

from __future__ import annotations

from accounts.models import Tenant
from outreach.models import OutreachSettings


def install_outreach(*, tenant: Tenant) -> None:
    """Give the tenant its settings row; twice changes nothing."""
    OutreachSettings.objects.bulk_create([OutreachSettings(tenant=tenant)], ignore_conflicts=True)
