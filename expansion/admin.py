"""Expansion in the tenant's admin: the settings, what is sold, what sets an opportunity off."""

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

from .models import ExpansionSettings, Offering, Opportunity, Trigger
from .services import expansion_settings, save_offering, save_settings, save_trigger
from .services.definitions import TYPE_STAYS, check_trigger
from .stages import OPEN

SETTINGS = (
    "case_pct",
    "proposal_pct",
    "pilot_pct",
    "closing_pct",
    "case_days",
    "proposal_days",
    "pilot_days",
    "closing_days",
    "csm_discount_pct",
    "manager_discount_pct",
    "bundle_pct",
    "close_days",
    "valid_days",
)


class TriggerForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A trigger; what it reads and what it opens must be there."""

    class Meta:
        model = Trigger
        fields = (
            "key",
            "name",
            "kind",
            "enabled",
            "metrics",
            "at_least",
            "periods",
            "window_days",
            "hits",
            "tags",
            "phrases",
            "type",
            "what",
            "value_cents",
            "value_pct",
            "cooldown_days",
            "play_key",
            "position",
        )

    def clean(self) -> dict[str, Any]:
        """Ask the service whether the trigger can be looked at."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            said = {name: cleaned.get(name, getattr(self.instance, name)) for name in self.Meta.fields}
            try:
                check_trigger(Tenant.objects.get(pk=current_tenant_id()), Trigger(**said))
            except ValidationError as error:
                for name, messages in error.message_dict.items():
                    self.add_error(name, messages)
        return cleaned


@admin.register(Trigger, site=tenant_admin_site)
class TriggerAdmin(TenantModelAdmin):
    """Saved by the service, which writes the audit log."""

    form = TriggerForm
    list_display = ["name", "kind", "type", "at_least", "cooldown_days", "enabled"]
    list_filter = ["kind", "enabled"]
    ordering = ["position", "id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Trigger | None = None) -> list[str]:
        """The key stays: evidence speaks of it."""
        return ["key"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Trigger, form: Any, change: bool) -> None:
        """Save and write down what changed."""
        inside = of_member(request)
        save_trigger(tenant=inside.tenant, trigger=obj, member=inside.member)


class OfferingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """An offering; its type stays while opportunities for it are open."""

    class Meta:
        model = Offering
        fields = (
            "key",
            "name",
            "type",
            "price_cents",
            "per_seat",
            "recurring",
            "plans",
            "metric_key",
            "metric_least",
            "segments",
            "plan_kinds",
            "pitch",
            "position",
            "active",
        )

    def clean_type(self) -> str:
        """Say at the field what the service would refuse."""
        wanted: str = self.cleaned_data["type"]
        if self.instance.pk and self.initial.get("type") != wanted:
            open_ones = Opportunity.objects.filter(offering_id=self.instance.pk, stage__in=OPEN)
            if open_ones.exists():
                self.instance.type = self.initial["type"]
                raise ValidationError(str(TYPE_STAYS))
        return wanted


@admin.register(Offering, site=tenant_admin_site)
class OfferingAdmin(TenantModelAdmin):
    """The catalogue; who has what is told by the next night."""

    form = OfferingForm
    list_display = ["name", "type", "price_cents", "recurring", "active"]
    list_filter = ["type", "active"]
    ordering = ["position", "id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Offering | None = None) -> list[str]:
        """The key stays: opportunities speak of it."""
        return ["key"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An offering is switched off, so that what was sold keeps its name."""
        return False

    def save_model(self, request: HttpRequest, obj: Offering, form: Any, change: bool) -> None:
        """Save and write down what changed."""
        inside = of_member(request)
        save_offering(tenant=inside.tenant, offering=obj, member=inside.member)


@admin.register(ExpansionSettings, site=tenant_admin_site)
class ExpansionSettingsAdmin(TenantModelAdmin):
    """One row; the list leads straight to it."""

    fields = list(SETTINGS)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the only row."""
        settings = expansion_settings(of_member(request).tenant)
        return redirect(reverse("admin:expansion_expansionsettings_change", args=[settings.pk]))

    def save_model(self, request: HttpRequest, obj: ExpansionSettings, form: Any, change: bool) -> None:
        """Save by the service, which gives open opportunities the new probabilities."""
        inside = of_member(request)
        fields = {name: form.cleaned_data[name] for name in SETTINGS}
        save_settings(tenant=inside.tenant, fields=fields, member=inside.member)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every tenant has its row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And keeps it."""
        return False
