"""Working days and the calendar feed: a member's own, and the company's."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import TenantRequest
from playbooks.feed import feed_address
from playbooks.models import DayOff, MemberCalendar, WorkSettings
from playbooks.services import (
    add_days_off,
    new_feed_key,
    remove_days_off,
    revoke_feed,
    save_member_calendar,
    save_work_settings,
)
from workspace.access import admin_only, csm_only
from workspace.calendar_forms import CompanyDaysForm, DaysOffForm, OwnDaysForm

PAST_DAYS_SHOWN = 30


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def own_days(request: TenantRequest) -> HttpResponse:
    """When the member works, the days off, and the address of the feed."""
    row = MemberCalendar.objects.filter(tenant=request.tenant, member=request.member).first()
    initial = {"week": row.week or [], "country": row.country, "region": row.region} if row else {}
    form = OwnDaysForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            save_member_calendar(
                tenant=request.tenant,
                member=request.member,
                week=data["week"] or None,
                country=data["country"],
                region=data["region"].strip().upper(),
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved. New tasks fall due on your working days."))
            return redirect("workspace:task_days")
    context = {
        "form": form,
        "weekdays": WEEKDAYS.items(),
        "off_form": DaysOffForm(),
        "days_off": _days_off(request, request.member.pk),
        "feed": feed_address(row) if row is not None else "",
        "company": False,
    }
    return render(request, "workspace/work/days.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def company_days(request: TenantRequest) -> HttpResponse:
    """When the company works, its holidays, and when managers hear of overdue tasks."""
    row = WorkSettings.objects.filter(tenant=request.tenant).first() or WorkSettings()
    initial = {
        "week": row.week,
        "country": row.country,
        "region": row.region,
        "escalate_after_days": row.escalate_after_days,
    }
    form = CompanyDaysForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            save_work_settings(
                tenant=request.tenant,
                week=data["week"],
                country=data["country"],
                region=data["region"].strip().upper(),
                escalate_after_days=data["escalate_after_days"],
                member=request.member,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved. New tasks fall due on working days."))
            return redirect("workspace:company_days")
    context = {
        "form": form,
        "weekdays": WEEKDAYS.items(),
        "off_form": DaysOffForm(),
        "days_off": _days_off(request, None),
        "company": True,
    }
    return render(request, "workspace/work/days.html", context, status=400 if form.errors else 200)


def _days_off(request: TenantRequest, member_id: int | None) -> list[DayOff]:
    since = request.tenant.today() - timedelta(days=PAST_DAYS_SHOWN)
    found = DayOff.objects.filter(tenant=request.tenant, member_id=member_id, last__gte=since)
    return list(found.order_by("first", "id"))


@require_POST
@csm_only
def own_days_off(request: TenantRequest) -> HttpResponse:
    """Add days off of one's own."""
    return _add(request, company=False)


@require_POST
@admin_only
def company_days_off(request: TenantRequest) -> HttpResponse:
    """Add days on which the company is closed."""
    return _add(request, company=True)


def _add(request: TenantRequest, *, company: bool) -> HttpResponse:
    form = DaysOffForm(request.POST)
    if form.is_valid():
        try:
            add_days_off(
                tenant=request.tenant,
                for_member=None if company else request.member,
                member=request.member,
                **form.cleaned_data,
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("Noted."))
    else:
        messages.error(request, _("Say the first and the last day."))
    return redirect("workspace:company_days" if company else "workspace:task_days")


@require_POST
@csm_only
def days_off_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take days off back."""
    row = DayOff.objects.filter(tenant=request.tenant, pk=pk).first()
    if row is None:
        raise Http404
    remove_days_off(tenant=request.tenant, day_off_id=pk, member=request.member)
    messages.success(request, _("The days are working days again."))
    return redirect("workspace:company_days" if row.member_id is None else "workspace:task_days")


@require_POST
@csm_only
def feed(request: TenantRequest) -> HttpResponse:
    """Give the member's feed a new address, or take it back."""
    if request.POST.get("revoke"):
        revoke_feed(tenant=request.tenant, member=request.member)
        messages.success(
            request, _("The address is taken back; calendars that used it see nothing any more.")
        )
    else:
        new_feed_key(tenant=request.tenant, member=request.member)
        messages.success(request, _("The feed has a new address; an older one no longer works."))
    return redirect("workspace:task_days")
