"""Backtests: was the score right about what happened?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role
from accounts.models import Job, Role
from accounts.requests import TenantRequest
from scoring.backtest.parameters import Refusal
from scoring.models import Backtest
from scoring.services import DefinitionError, draft_suggested_weights, start_backtest
from workspace.access import admin_only, member_only, over_all
from workspace.backtest_forms import BacktestForm
from workspace.selectors import backtest as selectors
from workspace.views.versions import tell


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
@over_all
def backtest_list(request: TenantRequest) -> HttpResponse:
    """The backtests there are, and the form that starts one."""
    versions = selectors.versions_to_test(request.tenant)
    form = BacktestForm(request.POST or None, versions=versions)
    if request.method == "POST":
        return _start(request, form)
    return _list(request, form)


def _start(request: TenantRequest, form: BacktestForm) -> HttpResponse:
    if not has_role(request.member, Role.MANAGER):
        raise PermissionDenied
    if form.is_valid():
        try:
            made = start_backtest(
                tenant=request.tenant, version=form.chosen, wanted=form.wanted, member=request.member
            )
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            return redirect("workspace:score_backtest", made.pk)
    return _list(request, form, status=400)


def _list(request: TenantRequest, form: BacktestForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "lines": selectors.backtest_lines(request.tenant),
        "open": form.has_detail_errors,
    }
    return render(request, "workspace/backtest/list.html", context, status=status)


@require_safe
@member_only
@over_all
def backtest_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One backtest: how far it is, why there is none, or what came out."""
    found = selectors.backtest_with_job(request.tenant, pk)
    if found is None:
        raise Http404
    backtest, job = found
    done = backtest.state == Backtest.State.DONE
    over = job is None or job.state in (Job.State.DONE, Job.State.FAILED)
    context: dict[str, Any] = {
        "backtest": backtest,
        "running": None if done or backtest.state == Backtest.State.REFUSED else job,
        "over": over,
        "words": "" if done else selectors.state_words(backtest, job),
        "page": selectors.result_page(request.tenant, backtest) if done else None,
    }
    return render(request, "workspace/backtest/page.html", context)


@require_POST
@admin_only
def backtest_draft(request: TenantRequest, pk: int) -> HttpResponse:
    """Make the suggested weights a draft; nothing is published by it."""
    found = selectors.backtest_with_job(request.tenant, pk)
    if found is None:
        raise Http404
    try:
        draft = draft_suggested_weights(tenant=request.tenant, backtest=found[0], member=request.member)
    except DefinitionError as error:
        tell(request, error, found[0].version)
        return redirect("workspace:score_backtest", pk)
    messages.success(
        request,
        _("%(version)s is a draft with these weights. Look at it, then publish it.") % {"version": draft},
    )
    return redirect("admin:scoring_version_change", draft.pk)
