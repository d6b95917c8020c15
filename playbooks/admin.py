"""Plays in the tenant's admin: steps are edited in a draft, which is then published; versions in use stay as they are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import TenantInline, TenantModelAdmin, tenant_admin_site
from accounts.requests import of_member

from .models import Playbook, PlaybookVersion, Step
from .services import draft_from_published, publish_version


def _edit_draft(request: HttpRequest, playbook: Playbook) -> HttpResponse:
    draft = draft_from_published(
        tenant=of_member(request).tenant, playbook_id=playbook.pk, member=of_member(request).member
    )
    return redirect(reverse("admin:playbooks_playbookversion_change", args=[draft.pk]))


@admin.register(Playbook, site=tenant_admin_site)
class PlaybookAdmin(TenantModelAdmin):
    """A play; its steps are in its versions."""

    list_display = ["name", "key", "enabled", "origin", "position"]
    list_filter = ["enabled", "origin"]
    ordering = ["position", "key"]
    fields = ["key", "name", "description", "components", "enabled", "position"]
    actions = ["edit_steps"]

    def get_readonly_fields(self, request: HttpRequest, obj: Playbook | None = None) -> list[str]:
        """The key stays: rules name it."""
        return ["key"] if obj is not None else []

    def response_add(
        self, request: HttpRequest, obj: Playbook, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the steps of the new play."""
        return _edit_draft(request, obj)

    def response_change(self, request: HttpRequest, obj: Playbook) -> HttpResponse:
        """`Save and edit steps` leads to the draft."""
        if "_steps" in request.POST:
            return _edit_draft(request, obj)
        return super().response_change(request, obj)

    @admin.action(description=gettext_lazy("Edit the steps (makes a draft)"))
    def edit_steps(self, request: HttpRequest, queryset: QuerySet[Playbook]) -> HttpResponse | None:
        """Open the draft of one play."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one play."), messages.ERROR)
            return None
        return _edit_draft(request, chosen[0])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The versions of a play that never ran go with it, although nobody may delete them one by one."""
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        return found, counts, needed - {PlaybookVersion._meta.verbose_name}, protected

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A play that ever ran is switched off, not deleted: its runs are history."""
        if obj is not None and obj.runs.exists():
            return False
        return super().has_delete_permission(request, obj)


class StepInline(TenantInline):
    """The steps of a version, in order."""

    model = Step
    template = "admin/edit_inline/stacked.html"
    fields = ["position", "kind", "title", "body", "due_in_days", "priority", "owner_rule", "owner_role"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts change."""
        return super().has_add_permission(request, obj) and _is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts change."""
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts change."""
        return super().has_delete_permission(request, obj) and _is_draft(obj)


def _is_draft(version: PlaybookVersion | None) -> bool:
    return version is not None and version.state == PlaybookVersion.State.DRAFT


@admin.register(PlaybookVersion, site=tenant_admin_site)
class PlaybookVersionAdmin(TenantModelAdmin):
    """A version with its steps: drafts are edited and published, the others only read."""

    list_display = ["playbook", "number", "state", "published_at"]
    list_filter = ["state"]
    list_select_related = ["playbook"]
    ordering = ["playbook__position", "-number"]
    fields = ["playbook", "number", "state", "note", "published_at"]
    readonly_fields = ["playbook", "number", "state", "published_at"]
    inlines = [StepInline]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts are made from a play."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Published and retired versions are what runs follow."""
        return super().has_change_permission(request, obj) and (obj is None or _is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft can be thrown away; bulk deletion would take published ones along."""
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the steps and number them from 1 in the order of the numbers that were typed."""
        super().save_related(request, form, formsets, change)
        steps = list(form.instance.steps.order_by("position", "id"))
        for number, step in enumerate(steps, start=1):
            step.position = number
        Step.objects.bulk_update(steps, ["position"])

    def response_change(self, request: HttpRequest, obj: PlaybookVersion) -> HttpResponse:
        """`Save and publish` publishes, or says what is in the way."""
        if "_publish" not in request.POST:
            return super().response_change(request, obj)
        try:
            publish_version(
                tenant=of_member(request).tenant, version_id=obj.pk, member=of_member(request).member
            )
        except ValidationError as error:
            for message in error.messages:
                self.message_user(request, message, messages.ERROR)
            return redirect(reverse("admin:playbooks_playbookversion_change", args=[obj.pk]))
        self.message_user(
            request,
            _("Version %(number)s is published; new runs follow it.") % {"number": obj.number},
            messages.SUCCESS,
        )
        return redirect(reverse("admin:playbooks_playbookversion_changelist"))
