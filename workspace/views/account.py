"""The page of one account, in tabs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role, may_work_on
from accounts.models import Membership, Role
from accounts.requests import TenantRequest
from alerts.selectors import alerts_for_account, metric_names
from playbooks.selectors import startable_playbooks
from playbooks.services import create_task
from pql.selectors import open_lead
from scoring.overrides.services import may_override
from scoring.selectors.rollup import rollup
from workspace.access import csm_only, member_only
from workspace.forms import NoteForm, TaskForm
from workspace.paging import address
from workspace.selectors import account as selectors
from workspace.selectors import alerts as alert_selectors
from workspace.selectors import people
from workspace.selectors.expansion import account_panel as expansion_panel
from workspace.selectors.nps import account_panel
from workspace.selectors.renewals import renewal_panel
from workspace.selectors.routines import routines
from workspace.selectors.score import score_panel
from workspace.selectors.usage import feature_lines, usage_charts
from workspace.selectors.value import panels
from workspace.selectors.voices import voice_panel
from workspace.services.accounts import add_note
from workspace.services.recompute import recompute_account
from workspace.timeline_kinds import KINDS
from workspace.views.why import score_part

TABS = (
    ("overview", gettext_lazy("Overview")),
    ("usage", gettext_lazy("Usage")),
    ("score", gettext_lazy("Score")),
    ("people", gettext_lazy("People")),
    ("work", gettext_lazy("Work")),
    ("value", gettext_lazy("Value")),
    ("records", gettext_lazy("Tickets and invoices")),
    ("everything", gettext_lazy("Timeline")),
)


@require_safe
@member_only
def account(request: TenantRequest, pk: int, tab: str = "overview") -> HttpResponse:
    """One account; each tab has an address of its own."""
    if tab not in dict(TABS):
        raise Http404
    context = _frame(request, pk, tab)
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
        "note_form": NoteForm(),
        "task_form": _task_form(request, head.account.owner_id, workers),
    }


def _task_form(
    request: TenantRequest, owner_id: int | None, workers: list[Membership], data: Any = None
) -> TaskForm:
    who = owner_id if owner_id in {member.pk for member in workers} else request.member.pk
    return TaskForm(data, members=workers, initial={"assignee": who, "due_on": request.tenant.today()})


def _overview(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    head: selectors.Header = context["head"]
    return {
        "panel": score_panel(request.tenant, head.current, head.account.currency),
        "steps": selectors.next_steps(request.tenant, head.account.pk),
        "entries": selectors.timeline(request.tenant, head.account.pk, limit=selectors.OVERVIEW_TIMELINE),
        "rollup": rollup(request.tenant, [head.account.pk]).get(head.account.pk),
    }


def _usage(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    account = context["account"]
    return {
        "charts": usage_charts(request.tenant, account, context["today"]),
        "features": feature_lines(request.tenant, account.pk, context["today"]),
    }


def _people(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "contacts": selectors.contacts(request.tenant, context["account"].pk),
    }


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
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    before = _read_before(request.GET.get("before", ""))
    entries = selectors.timeline(
        request.tenant, context["account"].pk, kind=kind, before=before, limit=selectors.TIMELINE_PAGE + 1
    )
    more, entries = len(entries) > selectors.TIMELINE_PAGE, entries[: selectors.TIMELINE_PAGE]
    last = f"{entries[-1].at.isoformat()}~{entries[-1].pk}" if more else ""
    return {
        "entries": entries,
        "kind": kind,
        "kinds": [
            (key, KINDS[key].word)
            for key in selectors.timeline_kinds(request.tenant, context["account"].pk)
            if key in KINDS
        ],
        "older_url": address(request.path, {"kind": kind, "before": last}) if more else "",
    }


def _read_before(text: str) -> tuple[datetime, int] | None:
    """Where the last page of the timeline ended."""
    at_text, _tilde, pk = text.partition("~")
    try:
        at = parse_datetime(at_text)
    except ValueError:
        return None
    return (at, int(pk)) if at and at.tzinfo and pk.isascii() and pk.isdigit() and len(pk) < 19 else None


_PARTS = {
    "overview": _overview,
    "usage": _usage,
    "score": score_part,
    "people": _people,
    "work": _work,
    "value": _value,
    "records": _records,
    "everything": _everything,
}


@require_POST
@csm_only
def note_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Put a note on the timeline."""
    form, head = NoteForm(request.POST), selectors.header(request.tenant, pk, request.tenant.today())
    if head is None:
        raise Http404
    if form.is_valid():
        add_note(
            tenant=request.tenant, actor=request.member, account=head.account, text=form.cleaned_data["text"]
        )
        messages.success(request, _("The note is on the timeline."))
    else:
        messages.error(request, _("Write something first."))
    return redirect("workspace:account", pk)


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
