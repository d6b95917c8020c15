"""Rules in the tenant's admin: each with a field for every threshold of its kind."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import TenantModelAdmin, tenant_admin_site
from accounts.requests import of_member
from accounts.services import record_audit

from .forms import PREFIX, RuleForm, metric_choices, rule_form
from .models import Rule
from .params import PARAMS

PATIENCE = ("dwell_days", "cooldown_days", "clear_days", "reentry_max", "reentry_days", "grace_days")
NOTED = (
    *(
        "params",
        "enabled",
        "severity",
        "play",
        "play_key",
        "channels",
        "include_churned",
        "interrupts",
        "topic",
    ),
    *PATIENCE,
)


@admin.register(Rule, site=tenant_admin_site)
class RuleAdmin(TenantModelAdmin):
    """A new rule gets its kind first; its thresholds are edited once it is there."""

    list_display = ["name", "kind", "severity", "enabled", "dwell_days", "cooldown_days"]
    list_filter = ["enabled", "kind"]
    ordering = ["position", "key"]
    form = RuleForm

    def get_form(
        self, request: HttpRequest, obj: Rule | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form with the thresholds of the rule's kind."""
        if obj is not None:
            kwargs["form"] = rule_form(obj.kind, obj.params, metric_choices())
            kwargs["fields"] = None
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        """Key and kind stay: the alerts of a rule speak of them."""
        return ["key", "kind"] if obj is not None else []

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        """What it is, when it fires, what happens then."""
        if obj is None:
            return [
                (None, {"fields": ["key", "name", "description", "kind", "severity", "play", "play_key"]})
            ]
        thresholds = [PREFIX + name for name in PARAMS[obj.kind].__struct_fields__]
        return [
            (None, {"fields": ["key", "name", "description", "kind", "enabled", "severity", "position"]}),
            (_("When it fires"), {"fields": [*thresholds, *PATIENCE, "include_churned"]}),
            (_("What happens then"), {"fields": ["play", "play_key", "channels", "interrupts", "topic"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """Save and write down the thresholds before and after."""
        old = Rule.objects.filter(pk=obj.pk).first()
        before = {name: getattr(old, name) for name in NOTED} if old else None
        super().save_model(request, obj, form, change)
        after = {name: getattr(obj, name) for name in NOTED}
        if before != after:
            record_audit(
                tenant=of_member(request).tenant,
                actor=of_member(request).member,
                action="rule.changed" if change else "rule.added",
                target=f"rule:{obj.key}",
                before=before,
                after=after,
            )

    def response_add(
        self, request: HttpRequest, obj: Rule, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the thresholds of the new rule."""
        return redirect(reverse("admin:alerts_rule_change", args=[obj.pk]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rules that have found something are switched off, not deleted: their alerts are the ledger."""
        if obj is not None and obj.alerts.exists():
            return False
        return super().has_delete_permission(request, obj)
