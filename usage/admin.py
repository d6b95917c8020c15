"""Metrics, features, sources and the quarantine in the tenant's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin_site import TenantModelAdmin, tenant_admin_site
from accounts.requests import of_member
from accounts.services import record_audit
from usage.forms import TRY_BUTTON, FeatureForm, MetricForm
from usage.models import Feature, Metric, Quarantine, Source
from usage.services import (
    create_metric,
    discard_quarantined,
    edit_metric,
    replay_quarantined,
    try_query,
)
from usage.services.intake import NotReplayable
from usage.services.rebuilding import rebuild_now_or_later
from usage.sql import VIEWS


@admin.register(Metric, site=tenant_admin_site)
class MetricAdmin(TenantModelAdmin):
    """Definitions; a change of what is counted is filled in from the raw events at once."""

    form = MetricForm
    list_display = ("name", "key", "kind", "unit", "active", "start_on")
    list_filter = ("kind", "active")
    ordering = ("kind", "key")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With what the query gives, when somebody tried it; and how the last night's run went."""
        context |= {"views": VIEWS, "trial": None, "try_button": TRY_BUTTON}
        if request.method == "POST" and TRY_BUTTON in request.POST:
            decimals = request.POST.get("decimals", "")
            context["trial"] = try_query(
                tenant=of_member(request).tenant,
                text=request.POST.get("query", ""),
                decimals=int(decimals) if decimals in map(str, range(7)) else 0,
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Models and rules know a metric by its key."""
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Stored numbers belong to it; a metric is switched off instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Metric, form: Any, change: bool) -> None:
        """Through the service, which knows about slots."""
        fields = {name: form.cleaned_data[name] for name in form.cleaned_data}
        if change:
            kept = Metric.objects.get(tenant=of_member(request).tenant, pk=obj.pk)
            edited = edit_metric(tenant=of_member(request).tenant, metric=kept, fields=fields)
        else:
            edited = create_metric(tenant=of_member(request).tenant, fields=fields)
        obj.pk, obj.slot, obj.start_on = edited.pk, edited.slot, edited.start_on


@admin.register(Feature, site=tenant_admin_site)
class FeatureAdmin(TenantModelAdmin):
    """What counts as using a feature; labels that nobody defined have registered themselves."""

    form = FeatureForm
    list_display = ("name", "key", "access", "is_key", "active")
    list_filter = ("is_key", "active")
    ordering = ("name", "id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Stored days of contacts point at it."""
        return False

    def save_model(self, request: HttpRequest, obj: Feature, form: Any, change: bool) -> None:
        """Past days are counted again when other events count."""
        obj.save()
        if not change or "events" in form.changed_data or "key" in form.changed_data:
            rebuild_now_or_later(tenant=of_member(request).tenant)


@admin.register(Source, site=tenant_admin_site)
class SourceAdmin(TenantModelAdmin):
    """Name and patience of a source; the rest is counted."""

    list_display = ("name", "key", "last_received_at", "fresh_hours", "events", "duplicates", "quarantined")
    ordering = ("key",)
    fields = ("name", "fresh_hours")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Sources make themselves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What it delivered stays."""
        return False


@admin.register(Quarantine, site=tenant_admin_site)
class QuarantineAdmin(TenantModelAdmin):
    """Events that could not be taken in: correct the text and save to send one again, or choose an action for many."""

    list_display = ("received_at", "source", "code", "message", "state")
    list_filter = ("state", "code", "source")
    ordering = ("-id",)
    fields = ("state", "source", "received_at", "code", "message", "payload")
    readonly_fields = ("state", "source", "received_at", "code", "message")
    actions = ("replay", "discard")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the drain puts events here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are discarded, not deleted."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is settled cannot be edited."""
        settled = obj is not None and obj.state != Quarantine.State.OPEN
        return (*self.readonly_fields, "payload") if settled else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Quarantine, form: Any, change: bool) -> None:
        """Saving sends the corrected event through its door again."""
        if obj.state != Quarantine.State.OPEN:
            return
        try:
            replay_quarantined(tenant=of_member(request).tenant, quarantine_id=obj.pk, payload=obj.payload)
        except NotReplayable as error:
            messages.error(request, _("The event would be refused again: %(reason)s") % {"reason": error})
        else:
            messages.success(request, _("The event is on its way."))

    @admin.action(description=gettext_lazy("Send again as they are"))
    def replay(self, request: HttpRequest, queryset: QuerySet[Quarantine]) -> None:
        """Send the chosen events again; those that would be refused stay."""
        sent = 0
        for row in queryset.filter(state=Quarantine.State.OPEN):
            try:
                replay_quarantined(tenant=of_member(request).tenant, quarantine_id=row.pk)
                sent += 1
            except NotReplayable as error:
                messages.warning(request, _("One stays: %(reason)s") % {"reason": error})
        self._audit_action(request, "replayed", sent)
        text = ngettext("%(count)s event is on its way.", "%(count)s events are on their way.", sent)
        messages.success(request, text % {"count": sent})

    @admin.action(description=gettext_lazy("Discard"))
    def discard(self, request: HttpRequest, queryset: QuerySet[Quarantine]) -> None:
        """Put the chosen events aside for good."""
        count = discard_quarantined(
            tenant=of_member(request).tenant, quarantine_ids=queryset.values_list("pk", flat=True)
        )
        self._audit_action(request, "discarded", count)
        text = ngettext("%(count)s event discarded.", "%(count)s events discarded.", count)
        messages.success(request, text % {"count": count})

    def _audit_action(self, request: HttpRequest, verb: str, count: int) -> None:
        if count:
            record_audit(
                tenant=of_member(request).tenant,
                actor=of_member(request).member,
                action=f"usage.quarantine.{verb}",
                target=f"{count} events",
            )
