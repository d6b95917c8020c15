"""Why an account has its score, and what people say beside it: the Score tab, overrides, sentiment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import get_or_404, may_work_on
from accounts.models import Account
from accounts.requests import TenantRequest
from scoring.models import Override
from scoring.overrides.services import end_override, may_override, set_override, set_sentiment
from workspace.access import csm_only, member_only
from workspace.bands import band_of
from workspace.formatting import short_date
from workspace.judgement_forms import OverrideForm, SentimentForm
from workspace.selectors import account as selectors
from workspace.selectors.models import account_model
from workspace.selectors.why import read_days, score_tab
from workspace.views.going_back import back


def score_part(request: TenantRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the Score tab adds to the frame of the account page."""
    head: selectors.Header = context["head"]
    if head.current is None:
        return {"panel": None, "found": None}
    given = [request.GET.get(name, "") for name in ("from", "to")]
    days = read_days(request.tenant, head.current, given)
    found = score_tab(request.tenant, head, head.current, days, context["today"])
    return {"panel": found.panel, "found": found}


@require_safe
@member_only
def account_how(request: TenantRequest, pk: int) -> HttpResponse:
    """How the score of one account comes about: its model in words, with its own numbers."""
    head = _head(request, pk)
    return render(
        request,
        "workspace/account/how.html",
        {"head": head, "account": head.account, "found": account_model(request.tenant, head.account)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def override(request: TenantRequest, pk: int) -> HttpResponse:
    """Override an account's health; what was typed stays when something is missing."""
    head = _head(request, pk)
    if not may_override(request.member, head.account):
        raise PermissionDenied
    form = OverrideForm(request.POST or None)
    next_url = _next(request, reverse("workspace:account_tab", args=[pk, "score"]))
    if request.method == "POST" and form.is_valid():
        try:
            made = set_override(tenant=request.tenant, account_id=pk, member=request.member, **form.wish())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _said(made), extra_tags=f"undo:{_end_address(made)}")
            return _done(request, next_url)
    return _form_page(request, "override", head, form, next_url)


def _in_sheet(request: TenantRequest) -> bool:
    """Whether the form stands in a dialog over the page that asked for it."""
    return bool(request.htmx) and request.htmx.target == "sheet-content"


def _form_page(
    request: TenantRequest, what: str, head: selectors.Header, form: forms.Form, next_url: str
) -> HttpResponse:
    """A form as a page of its own, or as the content of the dialog."""
    context = {"what": what, "head": head, "account": head.account, "form": form, "next_url": next_url}
    if _in_sheet(request):
        return render(request, "workspace/account/_in_sheet.html", context)
    return render(request, f"workspace/account/{what}.html", context, status=400 if form.errors else 200)


def _done(request: TenantRequest, address: str) -> HttpResponse:
    """Back to the page that asked; from a dialog that page is loaded anew, since its scores look different now."""
    return HttpResponseClientRedirect(address) if _in_sheet(request) else redirect(address)


def _said(made: Override) -> str:
    return _("%(account)s is %(band)s until %(until)s; the computed score stays beside it.") % {
        "account": made.account.name,
        "band": band_of(made.band).word,
        "until": short_date(made.until),
    }


def _end_address(made: Override) -> str:
    return reverse("workspace:account_override_end", args=[made.account_id, made.pk])


@require_POST
@csm_only
def override_end(request: TenantRequest, pk: int, override_pk: int) -> HttpResponse:
    """End an override before its time."""
    get_or_404(Account, pk=pk)
    try:
        end_override(tenant=request.tenant, override_id=override_pk, account_id=pk, member=request.member)
    except Override.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The override has ended; the computed score counts again."))
    return back(request, reverse("workspace:account_tab", args=[pk, "score"]))


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def sentiment(request: TenantRequest, pk: int) -> HttpResponse:
    """Note how an account is seen."""
    head = _head(request, pk)
    if not may_work_on(request.member, head.account):
        raise PermissionDenied
    form = SentimentForm(request.POST or None)
    next_url = _next(request, reverse("workspace:account_tab", args=[pk, "score"]))
    if request.method == "POST" and form.is_valid():
        set_sentiment(tenant=request.tenant, account_id=pk, member=request.member, **form.cleaned_data)
        messages.success(request, _("Noted. It stands beside the score and does not change it."))
        return _done(request, next_url)
    return _form_page(request, "sentiment", head, form, next_url)


def _next(request: TenantRequest, fallback: str) -> str:
    """Where the form was asked for, when that is a page of this company."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    good = asked.startswith(f"/t/{request.tenant.slug}/") and url_has_allowed_host_and_scheme(
        asked, allowed_hosts=None
    )
    return asked if good else fallback


def _head(request: TenantRequest, pk: int) -> selectors.Header:
    head = selectors.header(request.tenant, pk, request.tenant.today())
    if head is None:
        raise Http404
    return head
