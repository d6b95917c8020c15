"""Forms of plays, runs and tasks; the services check what a form cannot know."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role, Tenant

from .models import Priority, Run
from .selectors import startable_playbooks


def assignable_members(tenant: Tenant) -> QuerySet[Membership]:
    """Active members who may work on accounts."""
    return (
        Membership.objects.filter(tenant=tenant, is_active=True)
        .exclude(role=Role.VIEWER)
        .select_related("user")
        .order_by("user__name", "user__email")
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}))


class TenantForm(forms.Form):
    """A form whose choices are the tenant's."""

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        self.tenant = tenant
        super().__init__(*args, **kwargs)


class AssigneeField(forms.ModelChoiceField):
    """A member, or nobody: then the task goes to a pool."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Membership.objects.none(), required=False, label=_("Assignee"), **kwargs)


class TaskForm(TenantForm):
    """A new task at an account."""

    title = forms.CharField(label=_("Title"), max_length=200)
    body = forms.CharField(label=_("What to do"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    assignee = AssigneeField(empty_label=_("The account's owner"))
    due_on = _day(_("Due"))
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=Priority.choices, coerce=int, initial=Priority.NORMAL
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        self.fields["assignee"].queryset = assignable_members(tenant)  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Keyword arguments of `services.create_task`."""
        values = dict(self.cleaned_data)
        assignee = values.pop("assignee")
        return {**values, "assignee_id": assignee.pk if assignee else None}


class CompleteTaskForm(forms.Form):
    """What came of a task."""

    note = forms.CharField(
        label=_("What came of it"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReassignTaskForm(TenantForm):
    """Who takes a task over."""

    assignee = AssigneeField(empty_label=_("The managers' pool"))

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        self.fields["assignee"].queryset = assignable_members(tenant)  # type: ignore[attr-defined]

    def assignee_id(self) -> int | None:
        """The chosen member's id; None for the managers' pool."""
        member = self.cleaned_data["assignee"]
        return member.pk if member else None


class DueDateForm(forms.Form):
    """Another date for a task."""

    due_on = _day(_("Due"))


class StartPlayForm(TenantForm):
    """Which play to start at an account."""

    playbook = forms.ChoiceField(label=_("Play"))

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        plays = [(play.key, play.name) for play in startable_playbooks(tenant)]
        self.fields["playbook"] = forms.ChoiceField(label=_("Play"), choices=plays)


class StopRunForm(forms.Form):
    """Why a run ends before its time."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=Run.Outcome.choices)
    reason = forms.CharField(label=_("Why it is stopped"), max_length=300, required=False)
