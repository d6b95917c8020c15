"""Merging accounts: which ones are alike, what a merge would do, doing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import Account, AccountMerge, Job
from accounts.requests import TenantRequest
from workspace.access import manager_only
from workspace.merging.fields import FIELDS
from workspace.merging.looking import alike_accounts, candidates, preview
from workspace.merging.services import JOB, merge_accounts, resume_merge
from workspace.selectors import people
from workspace.selectors.account_filter import prefix_end

RECENT = 20


@require_safe
@manager_only
def duplicates(request: TenantRequest) -> HttpResponse:
    """Accounts whose names are alike, and what was merged lately."""
    merges = AccountMerge.objects.filter(tenant=request.tenant).select_related(
        "account", "requested_by__user"
    )
    return render(
        request,
        "workspace/merging/duplicates.html",
        {
            "alike": alike_accounts(request.tenant),
            "merges": list(merges.order_by("-created_at", "-pk")[:RECENT]),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def merge(request: TenantRequest, pk: int) -> HttpResponse:
    """Choose the other account, look at what would happen, name it, merge."""
    stays = get_or_404(Account, tenant=request.tenant, pk=pk)
    typed = request.POST.get("other", "") or request.GET.get("other", "")
    goes = _other(request, typed, stays) if typed.strip() else None
    context: dict[str, Any] = {
        "account": stays,
        "typed": typed,
        "unknown": bool(typed.strip()) and goes is None,
        "candidates": [] if goes else candidates(request.tenant, stays),
        "fault": "",
        "confirmation": request.POST.get("confirmation", ""),
    }
    status = 200
    if request.method == "POST" and goes is None:
        context["unknown"], status = True, 400
    elif request.method == "POST" and goes is not None:
        choices = {field: request.POST.get(f"field-{field}", "") for field in FIELDS}
        try:
            job = merge_accounts(
                tenant=request.tenant,
                actor=request.member,
                into_id=stays.pk,
                from_id=goes.pk,
                choices=choices,
                confirmation=context["confirmation"],
            )
        except ValidationError as error:
            context["fault"], status = " ".join(error.messages), 400
        else:
            messages.success(request, _("The merge has begun. You can leave this page."))
            return redirect("workspace:account_merging", pk, job.params["merge"])
    if goes is not None:
        context["found"] = preview(
            request.tenant, stays, goes, people.members(request.tenant, active_only=False)
        )
    return render(request, "workspace/merging/merge.html", context, status=status)


@require_safe
@manager_only
def merging(request: TenantRequest, pk: int, merge_pk: int) -> HttpResponse:
    """How far a merge is, or what came of it."""
    found = get_or_404(AccountMerge, tenant=request.tenant, account_id=pk, pk=merge_pk)
    job = Job.objects.filter(tenant=request.tenant, kind=JOB, key=str(found.pk)).first()
    account = get_or_404(Account, tenant=request.tenant, pk=pk)
    return render(
        request, "workspace/merging/merging.html", {"merge": found, "running": job, "account": account}
    )


@require_POST
@manager_only
def merging_again(request: TenantRequest, pk: int, merge_pk: int) -> HttpResponse:
    """Let a merge that failed try again."""
    get_or_404(AccountMerge, tenant=request.tenant, account_id=pk, pk=merge_pk)
    resume_merge(tenant=request.tenant, actor=request.member, merge_id=merge_pk)
    messages.success(request, _("It is tried again."))
    return redirect("workspace:account_merging", pk, merge_pk)


def _other(request: TenantRequest, typed: str, stays: Account) -> Account | None:
    """The account that is meant: by its id in the customer's systems, else the first other whose name starts like this."""
    text = typed.replace("\0", "").strip()[:200]
    others = Account.objects.filter(tenant=request.tenant).exclude(pk=stays.pk).select_related("owner__user")
    start = text.lower()
    by_name = others.filter(name_search__gte=start, name_search__lt=prefix_end(start))
    return others.filter(external_id=text).first() or by_name.order_by("name_search", "pk").first()
