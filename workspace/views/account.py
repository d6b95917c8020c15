"""The page of one account, in tabs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role, may_work_on
from accounts.aliases import survivor_of
from accounts.models import Membership, Role
from accounts.requests import TenantRequest
from alerts.selectors import alerts_for_account, metric_names
from playbooks.selectors import startable_playbooks
from playbooks.services import create_task
from pql.selectors import open_lead
from scoring.overrides.services import may_override
from scoring.selectors.rollup import rollup
from workspace.access import csm_only, member_only
from workspace.file_types import ACCEPTED
from workspace.forms import NoteForm, TaskForm
from workspace.paging import address
from workspace.selectors import account as selectors
from workspace.selectors import alerts as alert_selectors
from workspace.selectors import people
from workspace.selectors.account_people import SILENT_DAYS, people_panel
from workspace.selectors.expansion import account_panel as expansion_panel
from workspace.selectors.nps import account_panel
from workspace.selectors.renewals import renewal_panel
from workspace.selectors.routines import routines
from workspace.selectors.score import score_panel
from workspace.selectors.timeline import (
    OVERVIEW_TIMELINE,
    people_of_timeline,
    read_before,
    read_timeline_filter,
    timeline_page,
)
from workspace.selectors.usage import feature_lines, usage_charts
from workspace.selectors.value import panels
from workspace.selectors.voices import voice_panel
from workspace.services.recompute import recompute_account
from workspace.timeline_kinds import GROUPS
from workspace.views.why import score_part

TABS = (
    ("overview", gettext_lazy("Overview")),
    ("usage", gettext_lazy("Usage")),
    ("score", gettext_lazy("Score")),
    ("people", gettext_lazy("People")),
    ("work", gettext_lazy("Work")),
    ("value", gettext_lazy("Value")),
    ("files", gettext_lazy("Files")),
    ("records", gettext_lazy("Tickets and invoices")),
    ("everything", gettext_lazy("Timeline")),
)

# Panels of the overview that are fetched when they come into sight: name, title, the tab that shows the same.
LAZY = (
    ("people", gettext_lazy("People"), "people"),
    ("family", gettext_lazy("Parent and children"), "score"),
    ("timeline", gettext_lazy("Timeline"), "everything"),
)
LAZY_PEOPLE = 8


@require_safe
@member_only
def account(request: TenantRequest, pk: int, tab: str = "overview") -> HttpResponse:
    """One account; each tab has an address of its own."""
    if tab not in dict(TABS):
        raise Http404
    try:
        context = _frame(request, pk, tab)
    except Http404:
        stays = survivor_of(pk)  # an address of an account that was merged leads on
        if stays is None:
            raise
        return redirect("workspace:account", stays)
    context |= _PARTS[tab](request, context)
    return render(request, f"workspace/account/{tab}.html", context)


def _frame(request: TenantRequest, pk: int, tab: str) -> dict[str, Any]:
    """What every tab has: the head, the tabs, the forms of its actions."""
    today = request.tenant.today()
    head = selectors.header(request.tenant, pk, today)
    if head is None:
        raise Http404
    members = people.members(request.tenant)
    workers = [member for member in members if has_role(member, Role.CSM)]
    return {
        "head": head,
        "lead": open_lead(request.tenant, pk),
        "account": head.account,
        "tab": tab,
        "tabs": TABS,
        "today": today,
        "members": members,
        "may_work": may_work_on(request.member, head.account),
        "may_override": may_override(request.member, head.account),
        "plays": list(startable_playbooks(request.tenant)),
        "note_form": NoteForm(people=people_of_timeline(request.tenant, pk)),
        "task_form": _task_form(request, head.account.owner_id, workers),
    }


def _task_form(
    request: TenantRequest, owner_id: int | None, workers: list[Membership], data: Any = None
) -> TaskForm:
    who = owner_id if owner_id in {member.pk for member in workers} else request.member.pk
    return TaskForm(data, members=workers, initial={"assignee": who, "due_on": request.tenant.today()})


def _overview(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What is read first; the rest comes when it is looked at."""
    head: selectors.Header = context["head"]
    return {
        "panel": score_panel(request.tenant, head.current, head.account.currency),
        "steps": selectors.next_steps(request.tenant, head.account.pk),
        "lazy": LAZY,
    }


@require_safe
@member_only
def part(request: TenantRequest, pk: int, name: str) -> HttpResponse:
    """One panel of the overview, asked for when somebody comes to it."""
    if name not in _PANELS:
        raise Http404
    today = request.tenant.today()
    head = selectors.header(request.tenant, pk, today)
    if head is None:
        raise Http404
    context = {
        "head": head,
        "account": head.account,
        "today": today,
        "may_work": may_work_on(request.member, head.account),
    }
    context |= _PANELS[name](request, context)
    return render(request, f"workspace/account/_part_{name}.html", context)


def _people_panel(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {"found": people_panel(request.tenant, context["account"].pk, limit=LAZY_PEOPLE)}


def _family_panel(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    account = context["account"]
    return {"rollup": rollup(request.tenant, [account.pk]).get(account.pk)}


def _timeline_panel(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {"page": timeline_page(request.tenant, context["account"].pk, limit=OVERVIEW_TIMELINE)}


def _usage(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    account = context["account"]
    return {
        "charts": usage_charts(request.tenant, account, context["today"]),
        "features": feature_lines(request.tenant, account.pk, context["today"]),
    }


def _people(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {"found": people_panel(request.tenant, context["account"].pk), "silent_days": SILENT_DAYS}


def _files(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    found = selectors.files(request.tenant, context["account"].pk)
    return {"found": found, "accepted": ACCEPTED}


def _work(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    found = selectors.work(request.tenant, context["account"].pk)
    alerts = alerts_for_account(request.tenant, context["account"].pk)
    names = metric_names(request.tenant)
    return {
        "work": found,
        "alert_lines": [alert_selectors.line(alert, names) for alert in alerts],
        **routines(request.tenant, context["account"].pk, context["today"]),
    }


def _value(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    tenant, account = request.tenant, context["account"]
    return {
        "panels": panels(tenant, account),
        "nps_panel": account_panel(tenant, account),
        "renewal_panel": renewal_panel(tenant, account),
        "voice": voice_panel(tenant, account.pk),
        **expansion_panel(tenant, account, request.member),
    }


def _records(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {"records": selectors.records(request.tenant, context["account"].pk)}


def _everything(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    pk = context["account"].pk
    wanted = read_timeline_filter(request.GET.dict())
    before = read_before(request.GET.get("before", ""))
    page = timeline_page(request.tenant, pk, wanted, before=before)
    return {
        "page": page,
        "wanted": wanted,
        "kind_groups": [(key, group.word) for key, group in GROUPS.items()],
        "contacts": people_of_timeline(request.tenant, pk),
        "older_url": address(request.path, wanted.parameters(), before=page.next) if page.next else "",
        "newest_url": request.path,
    }


_PARTS = {
    "overview": _overview,
    "usage": _usage,
    "score": score_part,
    "people": _people,
    "work": _work,
    "value": _value,
    "files": _files,
    "records": _records,
    "everything": _everything,
}
_PANELS = {"people": _people_panel, "family": _family_panel, "timeline": _timeline_panel}


@require_POST
@csm_only
def task_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Make a task at an account."""
    head = selectors.header(request.tenant, pk, request.tenant.today())
    if head is None:
        raise Http404
    workers = [member for member in people.members(request.tenant) if has_role(member, Role.CSM)]
    form = _task_form(request, head.account.owner_id, workers, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            task = create_task(
                tenant=request.tenant,
                account_id=pk,
                title=data["title"],
                body=data["body"],
                due_on=data["due_on"],
                assignee_id=data["assignee"],
                member=request.member,
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("Task made: %(task)s") % {"task": task.title})
    else:
        messages.error(
            request,
            " ".join(
                f"{form.fields[name].label}: {' '.join(map(str, errors))}"
                for name, errors in form.errors.items()
            ),
        )
    return redirect("workspace:account", pk)


@require_POST
@csm_only
def rescore(request: TenantRequest, pk: int) -> HttpResponse:
    """Score one account with what is known now."""
    head = selectors.header(request.tenant, pk, request.tenant.today())
    if head is None:
        raise Http404
    recompute_account(tenant=request.tenant, account_id=pk)
    messages.success(
        request, _("%(account)s was scored with what is known now.") % {"account": head.account.name}
    )
    return redirect("workspace:account_tab", pk, "score")
