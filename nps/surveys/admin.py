"""Survey settings in the tenant's admin; surveys themselves are edited on their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_site import TenantModelAdmin, tenant_admin_site

from .models import SurveySettings


@admin.register(SurveySettings, site=tenant_admin_site)
class SurveySettingsAdmin(TenantModelAdmin):
    """One row; it is neither added nor taken away."""

    list_display = ["__str__", "throttle_days", "edit_hours", "send_hour", "nps_days", "csat_days"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The row is there from the start."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor does it go."""
        return False
