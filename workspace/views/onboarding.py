"""Onboarding: the board and the list, one plan, ticks, links for the customer, the template."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may_work_on
from accounts.requests import TenantRequest
from playbooks.onboarding import selectors as onboarding
from playbooks.onboarding.models import Milestone, OnboardingPlan
from playbooks.onboarding.services import (
    add_milestone,
    ask_the_numbers,
    edit_milestone,
    end_plan,
    revoke_link,
    share_plan,
    start_plan,
    tick_milestone,
    untick_milestone,
)
from playbooks.onboarding.services.links import address_of
from playbooks.onboarding.services.template import FIELDS, METRICS, OPTIONAL
from playbooks.onboarding.words import KIND_NAMES, PHASE_NAMES, rule_of
from usage.models import Metric
from workspace.access import admin_only, csm_only, member_only
from workspace.onboarding_forms import LABELS
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import onboarding as selectors
from workspace.selectors import people
from workspace.views.going_back import back

VALUE_DAYS = 180  # time to value is said of who went live in these


@require_safe
@member_only
def plan_list(request: TenantRequest) -> HttpResponse:
    """The board of plans, or the list of the same."""
    tenant, member, day = request.tenant, request.member, request.tenant.today()
    wanted = selectors.read_plan_filter(request.GET, member)
    parameters = wanted.parameters(selectors.default_who(member))
    median, reached, begun = onboarding.median_to_value(tenant, day, VALUE_DAYS)
    context: dict[str, Any] = {
        "wanted": wanted,
        "members": people.members(tenant),
        "statuses": OnboardingPlan.Status.choices[:-1],
        "phases": list(PHASE_NAMES.items()),
        "default_who": selectors.default_who(member),
        "board_url": address(request.path, parameters, view=""),
        "list_url": address(request.path, parameters, view="list"),
        "over_url": address(request.path, parameters, view="over"),
        "median": median,
        "reached": reached,
        "begun": begun,
        "value_months": onboarding.time_to_value(tenant, day),
        "value_days": VALUE_DAYS,
        "today": day,
    }
    context["board"] = selectors.board(tenant, wanted, member, day)
    for status, _word in context["statuses"]:
        context[f"{status}_url"] = address(request.path, parameters, view="list", status=status)
    if wanted.view != "board":
        after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
        found = selectors.plan_list(tenant, wanted, member, day, after)
        shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
        context |= {
            "found": found,
            "page": page_of(
                path=request.path,
                parameters=shown,
                shown=len(found.views),
                total=found.total,
                next_cursor=found.next_cursor,
            ),
        }
        return render(request, "workspace/onboarding/list.html", context)
    return render(request, "workspace/onboarding/board.html", context)


def plan_context(request: TenantRequest, plan: OnboardingPlan) -> dict[str, Any]:
    """What a page that shows a plan needs."""
    view = onboarding.view_with_links(request.tenant, plan, request.tenant.today())
    return {
        "view": view,
        "plan": plan,
        "proofs": selectors.proofs_of(request.tenant, view, plan.account.currency),
        "may_tick": may_work_on(request.member, plan.account) and plan.state != OnboardingPlan.State.ENDED,
        "links": [(link, address_of(link)) for link in view.links],
    }


@require_safe
@member_only
def plan_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One plan: each milestone with its evidence, what can be done with it, links for the customer."""
    plan = onboarding.plan_by_id(request.tenant, pk)
    if plan is None:
        raise Http404
    context = plan_context(request, plan) | {"today": request.tenant.today(), "account": plan.account}
    return render(request, "workspace/onboarding/plan.html", context)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _say(request: TenantRequest, error: ValidationError) -> None:
    messages.error(request, " ".join(error.messages))


@require_POST
@csm_only
def tick(request: TenantRequest, pk: int) -> HttpResponse:
    """Tick a milestone by hand."""
    try:
        line = tick_milestone(
            tenant=request.tenant,
            milestone_id=pk,
            note=request.POST.get("note", ""),
            on=_day(request.POST.get("on", "")),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return back(request, "workspace:onboarding")
    messages.success(
        request,
        _("Reached: %(milestone)s") % {"milestone": line.title},
        extra_tags=f"undo:{reverse('workspace:onboarding_untick', args=[pk])}",
    )
    return redirect("workspace:onboarding_plan", line.plan_id)


@require_POST
@csm_only
def untick(request: TenantRequest, pk: int) -> HttpResponse:
    """Open a milestone again."""
    try:
        line = untick_milestone(
            tenant=request.tenant, milestone_id=pk, note=request.POST.get("note", ""), member=request.member
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return back(request, "workspace:onboarding")
    messages.success(request, _("Open again: %(milestone)s") % {"milestone": line.title})
    return redirect("workspace:onboarding_plan", line.plan_id)


@require_POST
@csm_only
def numbers(request: TenantRequest, pk: int) -> HttpResponse:
    """Let the numbers tick a milestone again."""
    try:
        line = ask_the_numbers(tenant=request.tenant, milestone_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return back(request, "workspace:onboarding")
    messages.success(
        request, _("The numbers decide again about “%(milestone)s”.") % {"milestone": line.title}
    )
    return redirect("workspace:onboarding_plan", line.plan_id)


@require_POST
@csm_only
def start(request: TenantRequest, pk: int) -> HttpResponse:
    """Begin an account's onboarding by hand."""
    try:
        plan = start_plan(
            tenant=request.tenant,
            account_id=pk,
            starts_on=_day(request.POST.get("starts_on", "")),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:account_tab", pk, "work")
    messages.success(request, _("The onboarding has begun."))
    return redirect("workspace:onboarding_plan", plan.pk)


@require_POST
@csm_only
def end(request: TenantRequest, pk: int) -> HttpResponse:
    """Close a plan before it is done."""
    try:
        end_plan(
            tenant=request.tenant, plan_id=pk, reason=request.POST.get("reason", ""), member=request.member
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
    else:
        messages.success(request, _("The onboarding is closed."))
    return redirect("workspace:onboarding_plan", pk)


@require_POST
@csm_only
def share(request: TenantRequest, pk: int) -> HttpResponse:
    """Make a link for the customer."""
    days = request.POST.get("days", "")
    try:
        share_plan(
            tenant=request.tenant,
            plan_id=pk,
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            language=request.POST.get("language", ""),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
    else:
        messages.success(request, _("The link is ready; copy it below."))
    return redirect("workspace:onboarding_plan", pk)


@require_POST
@csm_only
def unshare(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a link back."""
    try:
        link = revoke_link(tenant=request.tenant, link_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The link no longer opens anything."))
    return redirect("workspace:onboarding_plan", link.plan_id)


@require_safe
@member_only
def template(request: TenantRequest) -> HttpResponse:
    """The milestones of new plans, and when one is behind or stuck."""
    names = onboarding.metric_names(request.tenant)
    rows = [(one, rule_of(one.kind, one.params, names)) for one in onboarding.template_of(request.tenant)]
    return render(request, "workspace/onboarding/template.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def template_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """Change a milestone of the template."""
    found = Milestone.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            edit_milestone(
                tenant=request.tenant,
                milestone_id=pk,
                name=request.POST.get("name", ""),
                kind=request.POST.get("kind", ""),
                params=_params(request.POST),
                enabled=request.POST.get("enabled") == "on",
                running_too=request.POST.get("running_too") == "on",
                member=request.member,
            )
        except ValidationError as error:
            errors = error.message_dict
        else:
            messages.success(request, _("Saved: %(milestone)s") % {"milestone": found.title})
            return redirect("workspace:onboarding_template")
    said = request.POST if request.method == "POST" else found.params
    kind = request.POST.get("kind") or request.GET.get("kind") or found.kind
    context = _form(request, kind, said, errors) | {
        "milestone": found,
        "name": request.POST.get("name", found.name) if errors else found.name,
        "enabled": request.POST.get("enabled") == "on" if errors else found.enabled,
        "running_too": errors and request.POST.get("running_too") == "on",
    }
    return render(request, "workspace/onboarding/edit.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def template_add(request: TenantRequest) -> HttpResponse:
    """Add a milestone of the company's own."""
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        phase = request.POST.get("phase", "")
        try:
            add_milestone(
                tenant=request.tenant,
                name=request.POST.get("name", ""),
                phase=int(phase) if phase in ("1", "2", "3") else 0,
                kind=request.POST.get("kind", ""),
                params=_params(request.POST),
                member=request.member,
            )
        except ValidationError as error:
            errors = error.message_dict
        else:
            messages.success(request, _("The milestone is in every plan that begins from now on."))
            return redirect("workspace:onboarding_template")
    context = _form(
        request, request.POST.get("kind") or request.GET.get("kind") or "total", request.POST, errors
    ) | {
        "milestone": None,
        "name": request.POST.get("name", ""),
        "phase": request.POST.get("phase", "1"),
        "phases": list(PHASE_NAMES.items()),
        "enabled": True,
    }
    return render(request, "workspace/onboarding/edit.html", context, status=400 if errors else 200)


def _params(posted: QueryDict) -> dict[str, str]:
    return {
        name: str(posted.get(name, "")).strip() for name in {n for names in FIELDS.values() for n in names}
    }


def _form(request: TenantRequest, kind: str, said: Any, errors: dict[str, list[str]]) -> dict[str, Any]:
    """The fields of a kind with what was typed, else what is stored."""
    kind = kind if kind in FIELDS else "total"
    found = Metric.objects.filter(tenant=request.tenant, active=True)
    metrics = sorted(((one.key, str(one)) for one in found), key=lambda one: one[1].lower())
    fields = [
        {
            "name": name,
            "label": LABELS[name],
            "is_metric": name in METRICS,
            "optional": name in OPTIONAL,
            "value": said.get(name, ""),
            "errors": errors.get(name, []),
        }
        for name in FIELDS[kind]
    ]
    return {
        "kind": kind,
        "kinds": list(KIND_NAMES.items()),
        "fields": fields,
        "metrics": metrics,
        "errors": errors,
    }
