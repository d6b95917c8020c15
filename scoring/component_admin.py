"""Components and measures in the tenant's admin: editable in a draft, readable for ever."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import TenantInline, TenantModelAdmin, tenant_admin_site
from scoring.forms import MeasureForm
from scoring.models import Component, Measure, Version
from scoring.scale_text import write_scale_text


class DraftOnly(TenantModelAdmin):
    """What belongs to a version: editable while it is a draft, readable for ever."""

    def version_of(self, obj: Version | Component) -> Version:
        """The version that the object is or belongs to."""
        return obj if isinstance(obj, Version) else obj.version

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts are made from a model, components inside a draft."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        return super().has_change_permission(request, obj) and (obj is None or self.version_of(obj).is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft is discarded by its button, a component in the draft's form."""
        return False


class DraftInline(TenantInline):
    """Rows of a draft."""

    def _is_draft(self, obj: Any) -> bool:
        version = obj.version if isinstance(obj, Component) else obj
        return version is None or version.is_draft

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        return super().has_add_permission(request, obj) and self._is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        return super().has_change_permission(request, obj) and self._is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        return super().has_delete_permission(request, obj) and self._is_draft(obj)


class MeasureInline(DraftInline):
    """The measures of a component."""

    model = Measure
    form = MeasureForm
    fields = (
        "position",
        "metric_key",
        "aggregate",
        "window_days",
        "baseline_days",
        "half_life_days",
        "weight",
        "scale_kind",
        "scale_values",
    )
    extra = 0

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A published measure shows its stored values; the typed text is only for drafts."""
        if self._is_draft(obj):
            return self.fields
        return (*(name for name in self.fields if name != "scale_values"), "scale_text")

    readonly_fields = ("scale_text",)

    @admin.display(description=gettext_lazy("values of the scale"))
    def scale_text(self, obj: Measure) -> str:
        """The scale as it would be typed."""
        return write_scale_text(obj.scale_kind, obj.scale_params) or "–"


@admin.register(Component, site=tenant_admin_site)
class ComponentAdmin(DraftOnly):
    """One component with its measures; reached from its version."""

    inlines = (MeasureInline,)
    change_form_template = "scoring/admin/component_change.html"
    fields = ("version_link", "key", "name", "weight", "missing_policy", "hold_days", "combine")
    readonly_fields = (
        "version_link",
        "key",
        "weight",
    )  # weights are edited together, where they can add up to 100

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not in the index: components are found in their version."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Components of all versions in one list mean nothing; the versions are what to look at."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:scoring_version_changelist")

    @admin.display(description=gettext_lazy("version"))
    def version_link(self, obj: Component) -> str:
        """Link back to the version."""
        address = reverse("admin:scoring_version_change", args=[obj.version_id])
        return format_html('<a href="{}">{}</a>', address, obj.version)

    def response_change(self, request: HttpRequest, obj: Component) -> HttpResponse:
        """After saving, back to the draft."""
        if "_continue" in request.POST:
            return super().response_change(request, obj)
        messages.success(request, _("Saved: %(component)s.") % {"component": obj.label})
        return redirect("admin:scoring_version_change", obj.version_id)
