"""The first page of the day, by role, and the health of the whole company."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role
from accounts.models import Job, Role
from accounts.requests import TenantRequest
from accounts.visibility import money_hidden
from health.selectors import movers, summary
from workspace.access import manager_only, member_only
from workspace.selectors.agenda import csm_days
from workspace.selectors.day import job, job_running, newest_day
from workspace.selectors.overview import BY_ACCOUNTS, BY_MRR, overview
from workspace.selectors.people import csms
from workspace.selectors.today import book_of, team_day
from workspace.selectors.work import sees_everybody
from workspace.services.recompute import ask_recompute
from workspace.views import agenda
from workspace.views.start import leads_here

BANNER_JOBS = ("demo", "recompute")


@require_safe
@member_only
def today(request: TenantRequest) -> HttpResponse:
    """A CSM's own work; for everybody else how the company stands."""
    if leads_here(request):
        return redirect("workspace:start")
    day = request.tenant.today()
    personal = (
        request.GET.get("view") == "mine"
        or "who" in request.GET
        or (not sees_everybody(request.member) and request.GET.get("view") != "team")
    )
    newest = newest_day(request.tenant)
    context: dict[str, Any] = {
        "today": day,
        "personal": personal,
        "running": job_running(request.tenant, BANNER_JOBS),
        "summary": newest,
    }
    if personal:
        context |= agenda.list_context(request, request.GET.get("tab", ""))
        context["book"] = book_of(context["owner"], day)
        context["csms"] = csms(request.tenant) if has_role(request.member, Role.MANAGER) else []
        return render(request, "workspace/today/mine.html", context)
    row = newest.row if newest else None
    context |= {
        "overview": overview(request.tenant, row, by=_by(request)),
        "movers": movers(request.tenant, row=row),
    }
    return render(request, "workspace/today/team.html", context)


@require_safe
@member_only
def alerts(request: TenantRequest) -> HttpResponse:
    """What waits in the whole company; a part of the first page, which itself is read from what the night added up."""
    waiting = team_day(request.member, request.tenant.today())
    return render(request, "workspace/today/_alerts.html", {"team": waiting})


@require_safe
@manager_only
def team(request: TenantRequest) -> HttpResponse:
    """What waits at each CSM; a part of the first page that comes by itself, since it counts everybody's work."""
    days = csm_days(request.tenant, request.tenant.today())
    return render(request, "workspace/today/_team.html", {"csm_days": days})


def _by(request: TenantRequest) -> str:
    return BY_MRR if request.GET.get("by") == BY_MRR and not money_hidden() else BY_ACCOUNTS


@require_safe
@member_only
def health(request: TenantRequest) -> HttpResponse:
    """Distribution with a way to the accounts behind each bar, trend, mean; of the newest day or of an earlier one."""
    try:
        on = date.fromisoformat(request.GET["on"]) if request.GET.get("on") else None
    except ValueError:
        on = None
    row = summary(request.tenant, on)
    context = {
        "overview": overview(request.tenant, row, by=_by(request)),
        "movers": movers(request.tenant, on, row=row),
        "on": on,
        "running": job_running(request.tenant, BANNER_JOBS),
        "summary": newest_day(request.tenant),
    }
    return render(request, "workspace/health/health.html", context)


@require_POST
@manager_only
def recompute(request: TenantRequest) -> HttpResponse:
    """Score every account of the company again; the page shows how far it is."""
    ask_recompute(tenant=request.tenant, actor=request.member)
    messages.success(request, _("The scores are being computed again. You can leave this page."))
    return redirect("workspace:health")


@require_safe
@member_only
def job_progress(request: TenantRequest, pk: int) -> HttpResponse:
    """How far a job is: a page, and the banner in it that asks every second until it is over."""
    found = job(request.tenant, pk)
    if found is None:
        raise Http404
    name = "workspace/_job.html" if request.htmx else "workspace/job.html"
    response = render(request, name, {"running": found})
    if found.state in (Job.State.DONE, Job.State.FAILED) and request.htmx:
        response["HX-Refresh"] = "true"
    return response
