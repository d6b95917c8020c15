"""When people step in, hand-offs, training, and the figures of CSMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404, has_role, may_work_on
from accounts.csv_text import csv_lines
from accounts.models import Account, Role
from accounts.requests import TenantRequest
from accounts.visibility import money_hidden
from alerts.selectors import attention_of
from alerts.services.persons import SEVERITIES
from playbooks.intervention import selectors as intervention
from playbooks.intervention.models import Handoff, TrainingModule
from playbooks.intervention.services import (
    SETTINGS_FIELDS,
    complete_training,
    hand_off,
    restore_module,
    save_intervention,
    save_module,
)
from workspace.access import admin_only, csm_only, manager_only, member_only
from workspace.selectors import csm_metrics as figures
from workspace.selectors import people

HANDOFFS = 30
NUMBERS = tuple(name for name in SETTINGS_FIELDS if not name.endswith("_process"))
HANDOFF_FIELDS = ("way", "case", "situation", "tried", "next_step", "to", "outside")


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def page(request: TenantRequest) -> HttpResponse:
    """When automation hands to a person and back, in words; admins settle it."""
    tenant = request.tenant
    settings = intervention.intervention_settings(tenant)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        if not has_role(request.member, Role.ADMIN):
            raise PermissionDenied
        values: dict[str, Any] = {name: request.POST.get(name, "")[:4000] for name in SETTINGS_FIELDS}
        for name in NUMBERS:
            text = values[name].strip()
            if text.isascii() and text.isdigit() and len(text) < 5:
                values[name] = int(text)
            else:
                errors[name] = [_("Enter a whole number.")]
        if not errors:
            try:
                save_intervention(tenant=tenant, values=values, member=request.member)
            except ValidationError as error:
                errors = error.message_dict
            else:
                messages.success(request, _("Saved. This is how it is done here."))
                return redirect("workspace:intervention")
        for name, value in values.items():
            setattr(settings, name, value)
    attention = attention_of(tenant)
    severities = SEVERITIES[SEVERITIES.index(attention.complex_severity) :]
    days = settings.back_after_days if isinstance(settings.back_after_days, int) else 14
    context = {
        "settings": settings,
        "errors": errors,
        "attention": attention,
        "segments": ", ".join(attention.enterprise_segments),
        "counts": figures.case_counts(
            tenant,
            enterprise=attention.enterprise_segments,
            severities=severities,
            back_after_days=days,
        ),
        "handoffs": list(intervention.handoffs_of(tenant)[:HANDOFFS]),
        "numbers": [(name, getattr(settings, name), errors.get(name, [])) for name in NUMBERS],
    }
    return render(request, "workspace/intervention/page.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def handoff(request: TenantRequest, pk: int) -> HttpResponse:
    """Hand an account over with a summary."""
    account = get_or_404(Account, tenant=request.tenant, pk=pk)
    if not may_work_on(request.member, account):
        raise PermissionDenied
    said = {name: request.POST.get(name, "")[:4000] for name in HANDOFF_FIELDS}
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            made = hand_off(
                tenant=request.tenant,
                account_id=pk,
                way=said["way"],
                case=said["case"],
                situation=said["situation"],
                tried=said["tried"],
                next_step=said["next_step"],
                to_member_id=int(said["to"]) if said["to"].isascii() and said["to"].isdigit() else None,
                outside=said["outside"],
                member=request.member,
            )
        except ValidationError as error:
            errors = error.message_dict
        else:
            messages.success(
                request,
                _("%(account)s is handed over: %(way)s.")
                % {"account": account.name, "way": made.get_way_display()},
            )
            return redirect("workspace:account_tab", pk, "work")
    elif request.GET.get("way") in Handoff.Way.values:
        said["way"] = request.GET["way"]
    settings = intervention.intervention_settings(request.tenant)
    members = [one for one in people.members(request.tenant) if has_role(one, Role.CSM)]
    context = {
        "account": account,
        "said": said,
        "errors": errors,
        "ways": Handoff.Way.choices,
        "cases": Handoff.Case.choices,
        "members": members,
        "settings": settings,
    }
    return render(request, "workspace/intervention/handoff.html", context, status=400 if errors else 200)


@require_safe
@member_only
def training(request: TenantRequest) -> HttpResponse:
    """The modules, what I have done, and for managers who has done what."""
    modules = intervention.modules_of(request.tenant)
    learners = intervention.learners_of(request.tenant, modules)
    mine = next((learner for learner in learners if learner.member.pk == request.member.pk), None)
    context = {
        "modules": modules,
        "mine": mine,
        "learners": learners if has_role(request.member, Role.MANAGER) else [],
        "complete": sum(learner.is_complete for learner in learners),
        "people": len(learners),
    }
    return render(request, "workspace/training/list.html", context)


def _module(request: TenantRequest, key: str) -> intervention.Module:
    found = next((one for one in intervention.modules_of(request.tenant) if one.key == key), None)
    if found is None:
        raise Http404
    return found


@require_safe
@member_only
def module(request: TenantRequest, key: str) -> HttpResponse:
    """One module to read."""
    modules = intervention.modules_of(request.tenant)
    found = next((one for one in modules if one.key == key), None)
    if found is None:
        raise Http404
    done = intervention.done_by(request.tenant).get(request.member.pk, {}).get(key)
    place = modules.index(found)
    context = {
        "module": found,
        "done_at": done[1] if done and done[0] >= found.version else None,
        "following": modules[place + 1] if place + 1 < len(modules) else None,
    }
    return render(request, "workspace/training/module.html", context)


@require_POST
@csm_only
def module_done(request: TenantRequest, key: str) -> HttpResponse:
    """Say that I have done a module, or take it back."""
    done = request.POST.get("done", "yes") == "yes"
    try:
        complete_training(tenant=request.tenant, member=request.member, key=key, done=done)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Done.") if done else _("Not done any more."))
    return redirect("workspace:training")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def module_edit(request: TenantRequest, key: str = "") -> HttpResponse:
    """Rewrite a module, or add one."""
    found = _module(request, key) if key else None
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            save_module(
                tenant=request.tenant,
                key=key,
                title=request.POST.get("title", ""),
                body=request.POST.get("body", ""),
                read_again=request.POST.get("read_again") == "on",
                member=request.member,
            )
        except ValidationError as error:
            errors = error.message_dict
        else:
            messages.success(request, _("The module is saved."))
            return redirect("workspace:training")
    context = {
        "module": found,
        "errors": errors,
        "title": request.POST.get("title", found.title if found else ""),
        "body": request.POST.get("body", found.body if found else ""),
    }
    return render(request, "workspace/training/edit.html", context, status=400 if errors else 200)


@require_POST
@admin_only
def module_restore(request: TenantRequest, key: str) -> HttpResponse:
    """Go back to the shipped text, or remove a module of the company's own."""
    try:
        restore_module(tenant=request.tenant, key=key, member=request.member)
    except TrainingModule.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The module is as it was shipped, or gone where it was your own."))
    return redirect("workspace:training")


@require_safe
@manager_only
def csm_metrics(request: TenantRequest) -> HttpResponse:
    """What each CSM carries and does."""
    found = figures.csm_metrics(request.tenant, figures.read_period(request.GET.get("days", "")))
    context = {
        "found": found,
        "periods": figures.PERIODS,
        "total": found.total,
        "total_mrr": figures.by_currency(found.rows),
    }
    return render(request, "workspace/intervention/csm_metrics.html", context)


@require_safe
@manager_only
def csm_metrics_export(request: TenantRequest) -> HttpResponseBase:
    """The same figures as a CSV file."""
    tenant = request.tenant
    found = figures.csm_metrics(tenant, figures.read_period(request.GET.get("days", "")))
    header = [
        _("member"),
        _("accounts"),
        _("named"),
        _("pooled and tech"),
        _("MRR"),
        _("load"),
        _("untouched for more than 30 days"),
        _("tasks done"),
        _("tasks overdue"),
        _("alerts acted on"),
        _("median hours to first action"),
        _("saves"),
        _("plays ended"),
        _("period in days"),
    ]

    def rows() -> Iterator[list[object]]:
        for row, load in found.loads:
            yield [
                str(row.member) if row.member else _("Nobody"),
                row.accounts,
                row.named,
                row.others,
                "; ".join(
                    f"{cents / 100:.2f} {currency}".strip() for currency, cents in sorted(row.mrr.items())
                )
                if not money_hidden()
                else "",
                load,
                row.untouched,
                row.tasks_done,
                row.overdue,
                row.alerts,
                None if row.hours_to_action is None else round(row.hours_to_action, 1),
                row.saves,
                row.runs_ended,
                found.days,
            ]

    name = f"csm-metrics-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
