"""Leads in the tenant's admin: the settings, the signals, what keeps accounts off the board."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.admin_site import TenantModelAdmin, tenant_admin_site
from accounts.fence.scope import current_tenant_id
from accounts.models import Tenant
from accounts.requests import of_member

from .models import Disqualifier, LeadSettings, Signal
from .services import lead_settings, save_settings, save_signal
from .services.definitions import check_signal

SETTINGS = (
    "activation_events",
    "activation_days",
    "hand_raise_days",
    "cooldown_days",
    "expire_days",
    "sla_hours",
    "work_from",
    "work_until",
    "weekends",
)


class SignalForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A signal; it needs events or a metric that is there."""

    class Meta:
        model = Signal
        fields = (
            "key",
            "name",
            "kind",
            "events",
            "metric_key",
            "at_least",
            "points",
            "half_life_days",
            "position",
            "active",
        )

    def clean(self) -> dict[str, Any]:
        """Ask the service whether the signal can be counted."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            signal = Signal(
                key=self.instance.key or cleaned.get("key", ""),
                events=cleaned["events"],
                metric_key=cleaned["metric_key"],
            )
            try:
                check_signal(Tenant.objects.get(pk=current_tenant_id()), signal)
            except ValidationError as error:
                for name, messages in error.message_dict.items():
                    self.add_error(name, messages)
        return cleaned


@admin.register(Signal, site=tenant_admin_site)
class SignalAdmin(TenantModelAdmin):
    """Saved by the service, which keeps the counted metric in step and writes the audit log."""

    form = SignalForm
    list_display = ["name", "kind", "points", "half_life_days", "active"]
    list_filter = ["kind", "active"]
    ordering = ["position", "id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Signal | None = None) -> list[str]:
        """The key stays: standings and metrics speak of it."""
        return ["key"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Signal, form: Any, change: bool) -> None:
        """Save and write down what changed."""
        inside = of_member(request)
        save_signal(tenant=inside.tenant, signal=obj, member=inside.member)


@admin.register(Disqualifier, site=tenant_admin_site)
class DisqualifierAdmin(TenantModelAdmin):
    """Rules that keep accounts off the board."""

    list_display = ["name", "kind", "words", "active"]
    list_filter = ["kind", "active"]
    fields = ["kind", "name", "words", "position", "active"]
    ordering = ["position", "id"]


@admin.register(LeadSettings, site=tenant_admin_site)
class LeadSettingsAdmin(TenantModelAdmin):
    """One row; the list leads straight to it."""

    fields = list(SETTINGS)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the only row."""
        settings = lead_settings(of_member(request).tenant)
        return redirect(reverse("admin:pql_leadsettings_change", args=[settings.pk]))

    def save_model(self, request: HttpRequest, obj: LeadSettings, form: Any, change: bool) -> None:
        """Save by the service, which judges experienced value anew where that was changed."""
        inside = of_member(request)
        fields = {name: form.cleaned_data[name] for name in SETTINGS}
        save_settings(tenant=inside.tenant, fields=fields, member=inside.member)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every tenant has its row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And keeps it."""
        return False
