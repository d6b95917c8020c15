"""Renewals: the list, the calendar, the forecast by CSM, one renewal, its plan, settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role, may_work_on
from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role
from accounts.requests import TenantRequest
from expansion.models import Renewal
from expansion.renewals import selectors as renewals
from expansion.renewals.amounts import Forecast
from expansion.renewals.selectors import RenewalDetail
from expansion.renewals.services import (
    close_renewal,
    give_reason,
    make_plan,
    note_call,
    save_settings,
    set_forecast,
    settings_of,
)
from workspace.access import admin_only, csm_only, manager_only, member_only, with_money
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.renewal_forms import (
    CallForm,
    CloseForm,
    ForecastForm,
    PlanForm,
    ReasonForm,
    SettingsForm,
    amount_of,
    cents_of,
    plan_hint,
)
from workspace.selectors import people
from workspace.selectors import renewals as selectors


def filter_context(request: TenantRequest, wanted: selectors.RenewalFilter) -> dict[str, Any]:
    """What every page of many renewals needs: the filter, its choices, the addresses of the others."""
    default = selectors.default_who(request.member)
    parameters = wanted.parameters(default)
    return {
        "wanted": wanted,
        "default_who": default,
        "members": people.members(request.tenant),
        "segments": renewals.segments(request.tenant),
        "categories": Renewal.Category.choices,
        "export_url": address("export.csv", parameters),
        "parameters": parameters,
        "today": request.tenant.today(),
    }


@require_safe
@member_only
def renewal_list(request: TenantRequest) -> HttpResponse:
    """The renewals that a filter lets through, with what they come to."""
    tenant, member, today = request.tenant, request.member, request.tenant.today()
    wanted = selectors.read_renewal_filter(request.GET, member)
    found = selectors.filtered(tenant, wanted, member, today)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    shown = selectors.renewal_list(tenant, found, wanted.sort, today, after)
    context = filter_context(request, wanted)
    parameters = context["parameters"]
    sums = renewals.totals(settings_of(tenant), found)
    context |= {
        "found": shown,
        "sums": sums,
        "top": sums[0] if sums else Forecast(currency=tenant.currency),
        "plans_missing": found.filter(renewals.PLAN_MISSING).order_by().count(),
        "plan_url": address(request.path, parameters, missing="plan"),
        "risk_url": address(request.path, parameters, category="at_risk"),
        "due_url": address(request.path, parameters, sort=""),
        "target_url": address(request.path, parameters, sort="target"),
        "page": page_of(
            path=request.path,
            parameters=parameters | ({CURSOR_PARAMETER: after.encode()} if after else {}),
            shown=len(shown.rows),
            total=shown.total,
            next_cursor=shown.next_cursor,
        ),
    }
    return render(request, "workspace/renewals/list.html", context)


@require_safe
@member_only
def renewal_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered renewals as a CSV file."""
    tenant, member = request.tenant, request.member
    wanted = selectors.read_renewal_filter(request.GET, member)
    header = [
        _("account"),
        _("external id"),
        _("owner"),
        _("plan"),
        _("due"),
        _("term, months"),
        _("state"),
        _("category"),
        _("at risk"),
        _("plan missing"),
        _("target"),
        _("forecast"),
        _("final"),
        _("currency"),
        _("reason"),
    ]

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant):
            found = selectors.filtered(tenant, wanted, member, tenant.today())
            for one in selectors.export_rows(tenant, found):
                yield [
                    one.account.name,
                    one.account.external_id,
                    one.account.owner,
                    one.plan,
                    one.due_on,
                    one.term_months,
                    one.get_state_display(),
                    one.get_category_display(),
                    _("yes") if one.at_risk else "",
                    _("yes") if one.plan_missing else "",
                    amount_of(one.target_cents),
                    amount_of(one.forecast_cents),
                    amount_of(one.final_cents),
                    one.currency,
                    one.get_reason_display() if one.reason else "",
                ]

    name = f"renewals-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@member_only
def renewal_calendar(request: TenantRequest) -> HttpResponse:
    """Twelve months with their sums."""
    tenant, member, today = request.tenant, request.member, request.tenant.today()
    wanted = selectors.read_renewal_filter({**request.GET.dict(), "due": "", "state": "any"}, member)
    found = selectors.filtered(tenant, wanted, member, today)
    months = renewals.calendar(settings_of(tenant), found, today, selectors.CALENDAR_MONTHS)
    context = filter_context(request, wanted) | {
        "months": months,
        "count": sum(month.count for month in months),
    }
    return render(request, "workspace/renewals/calendar.html", context)


@require_safe
@manager_only
def renewal_team(request: TenantRequest) -> HttpResponse:
    """The forecast by CSM, and why renewals were lost."""
    tenant, today = request.tenant, request.tenant.today()
    due = request.GET.get("due", "quarter")
    due = due if due in ("month", "quarter", "next_quarter", "year") else "quarter"
    first, last = selectors.due_span(due, today)
    found = renewals.renewals_of(tenant, renewals.Wanted(due_from=first, due_to=last))
    settings = settings_of(tenant)
    lines = renewals.by_owner(tenant, settings, found)
    members = {member.pk: member for member in people.members(tenant, active_only=False)}
    assert first is not None
    assert last is not None
    context = {
        "due": due,
        "first": first,
        "last": last,
        "sums": renewals.totals(settings, found),
        "lines": [(members.get(line.owner_id or 0), line) for line in lines],
        "reasons": renewals.reasons(tenant, first, min(last, today)),
        "reason_names": dict(Renewal.Reason.choices),
        "settings": settings,
        "today": today,
    }
    return render(request, "workspace/renewals/team.html", context)


# ── one renewal ─────────────────────────────────────────────────────────────────────────────────────────────────


def _detail(request: TenantRequest, pk: int) -> RenewalDetail:
    found = renewals.renewal_detail(request.tenant, pk)
    if found is None:
        raise Http404
    return found


def _demand(request: TenantRequest, detail: RenewalDetail) -> None:
    if not may_work_on(request.member, detail.renewal.account):
        raise PermissionDenied


def _page(request: TenantRequest, detail: RenewalDetail, status: int = 200, **forms: Any) -> HttpResponse:
    """The renewal with its forms; one that was refused keeps what was typed."""
    renewal = detail.renewal
    context = {
        "detail": detail,
        "renewal": renewal,
        "account": renewal.account,
        "today": request.tenant.today(),
        "days": (renewal.due_on - request.tenant.today()).days,
        "may_work": may_work_on(request.member, renewal.account),
        "forecast_form": ForecastForm.of(renewal),
        "call_form": CallForm(prefix="call"),
        "close_form": CloseForm(prefix="close", initial={"final": amount_of(renewal.target_cents)}),
        "reason_form": ReasonForm(prefix="reason", initial={"reason": renewal.reason}),
        **forms,
    }
    return render(request, "workspace/renewals/renewal.html", context, status=status)


@require_safe
@member_only
def renewal_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One renewal: amounts, checkpoints, plan, calls, history."""
    return _page(request, _detail(request, pk))


@require_POST
@csm_only
@with_money
def renewal_forecast(request: TenantRequest, pk: int) -> HttpResponse:
    """Say category and forecast."""
    detail = _detail(request, pk)
    _demand(request, detail)
    form = ForecastForm.of(detail.renewal, request.POST)
    if form.is_valid():
        try:
            set_forecast(
                tenant=request.tenant,
                renewal_id=pk,
                category=form.cleaned_data["category"],
                forecast_cents=cents_of(form.cleaned_data["forecast_cents"]),
                note=form.cleaned_data["note"],
                member=request.member,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The forecast is saved."))
            return redirect("workspace:renewal", pk)
    return _page(request, detail, 400, forecast_form=form)


@require_POST
@csm_only
def renewal_call(request: TenantRequest, pk: int) -> HttpResponse:
    """Write down a call, at a checkpoint with what is expected."""
    detail = _detail(request, pk)
    _demand(request, detail)
    form = CallForm(request.POST, prefix="call")
    if form.is_valid():
        waiting = detail.waiting
        try:
            note_call(
                tenant=request.tenant,
                renewal_id=pk,
                note=form.cleaned_data["note"],
                checkpoint_id=waiting.pk if waiting and form.cleaned_data["category"] else None,
                category=form.cleaned_data["category"],
                member=request.member,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The call is noted."))
            return redirect("workspace:renewal", pk)
    return _page(request, detail, 400, call_form=form)


@require_POST
@csm_only
@with_money
def renewal_close(request: TenantRequest, pk: int) -> HttpResponse:
    """Close by hand, before the subscription says so."""
    detail = _detail(request, pk)
    _demand(request, detail)
    form = CloseForm(request.POST, prefix="close")
    if form.is_valid():
        try:
            close_renewal(
                tenant=request.tenant,
                renewal_id=pk,
                final_cents=cents_of(form.cleaned_data["final"]) or 0,
                reason=form.cleaned_data["reason"],
                reason_note=form.cleaned_data["reason_note"],
                member=request.member,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The renewal is closed."))
            return redirect("workspace:renewal", pk)
    return _page(request, detail, 400, close_form=form)


@require_POST
@csm_only
def renewal_reason(request: TenantRequest, pk: int) -> HttpResponse:
    """Say why something was lost."""
    detail = _detail(request, pk)
    _demand(request, detail)
    form = ReasonForm(request.POST, prefix="reason")
    if form.is_valid():
        try:
            give_reason(tenant=request.tenant, renewal_id=pk, member=request.member, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The reason is saved."))
            return redirect("workspace:renewal", pk)
    return _page(request, detail, 400, reason_form=form)


def _workers(request: TenantRequest) -> list[Membership]:
    return [member for member in people.members(request.tenant) if has_role(member, Role.CSM)]


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def renewal_plan(request: TenantRequest, pk: int) -> HttpResponse:
    """Make the action plan, or add steps to it."""
    detail = _detail(request, pk)
    _demand(request, detail)
    members = _workers(request)
    ids = [member.pk for member in members]
    owner_id = (
        detail.renewal.account.owner_id if detail.renewal.account.owner_id in ids else request.member.pk
    )
    form = PlanForm(request.POST if request.method == "POST" else None, owner_id)
    status = 200
    if request.method == "POST" and request.POST.get("do") == "row":
        form.add_row(owner_id)
    elif request.method == "POST":
        try:
            make_plan(
                tenant=request.tenant,
                renewal_id=pk,
                steps=form.steps(members),
                summary=form.summary,
                member=request.member,
            )
        except ValidationError as error:
            form.refuse(error)
            status = 400
        else:
            messages.success(request, _("The plan stands; its steps are tasks now."))
            return redirect("workspace:renewal", pk)
    context = {
        "detail": detail,
        "renewal": detail.renewal,
        "account": detail.renewal.account,
        "form": form,
        "workers": members,
        "hint": plan_hint(),
        "today": request.tenant.today(),
    }
    return render(request, "workspace/renewals/plan.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def renewal_settings(request: TenantRequest) -> HttpResponse:
    """Terms, probabilities, rates."""
    settings = settings_of(request.tenant)
    form = SettingsForm(request.POST or None, instance=settings)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                save_settings(tenant=request.tenant, fields=form.wish(), member=request.member)
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, _("Saved. The next night goes by it."))
                return redirect("workspace:renewals")
    return render(request, "workspace/renewals/settings.html", {"form": form}, status=status)
