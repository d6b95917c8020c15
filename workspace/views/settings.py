"""What admins choose for the company, each page saying what a change causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role, TenantSettings
from accounts.requests import TenantRequest
from accounts.services import change_company, change_data_rules, change_look, hide_money_from
from workspace.access import admin_only
from workspace.rights_forms import CompanyForm, DataForm, LookForm, MoneyForm


@require_safe
@admin_only
def index(request: TenantRequest) -> HttpResponse:
    """All settings of the company with what they are now."""
    tenant = request.tenant
    context = {
        "data": TenantSettings.objects.get(tenant=tenant),
        "hidden": [Role(role).label for role in tenant.hidden_money_roles],
    }
    return render(request, "workspace/settings/index.html", context)


def _settle(
    request: TenantRequest,
    form: forms.Form,
    title: str,
    save: Callable[[], object],
    **context: Any,
) -> HttpResponse:
    """A page with one form: saved by the service, whose refusals stand at their fields."""
    if request.method == "POST" and form.is_valid():
        try:
            said = save()
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, said if isinstance(said, str) else _("The settings were saved."))
            return redirect("workspace:settings")
    status = 400 if form.errors else 200
    return render(
        request, "workspace/settings/form.html", {"form": form, "title": title, **context}, status=status
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def company(request: TenantRequest) -> HttpResponse:
    """Name, language, currency, time zone."""
    form = CompanyForm(request.POST or None, tenant=request.tenant)

    def save() -> str:
        if change_company(tenant=request.tenant, actor=request.member, **form.cleaned_data):
            return _("The settings were saved. Every event is being put on its day in the new time zone.")
        return _("The settings were saved.")

    return _settle(request, form, _("Company"), save)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def look(request: TenantRequest) -> HttpResponse:
    """The company's colour."""
    form = LookForm(request.POST or None, initial={"brand_color": request.tenant.brand_color})
    return _settle(
        request,
        form,
        _("Company colour"),
        lambda: change_look(tenant=request.tenant, actor=request.member, **form.cleaned_data),
        note=form.contrast_note(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def data(request: TenantRequest) -> HttpResponse:
    """Unknown accounts, how long raw events stay, the hour of the night."""
    row = TenantSettings.objects.get(tenant=request.tenant)
    fields = ("unknown_accounts", "raw_retention_days", "nightly_hour")
    form = DataForm(request.POST or None, initial={field: getattr(row, field) for field in fields})
    return _settle(
        request,
        form,
        _("Data and night"),
        lambda: change_data_rules(tenant=request.tenant, actor=request.member, **form.cleaned_data),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def money(request: TenantRequest) -> HttpResponse:
    """Which roles see no amounts of money."""
    form = MoneyForm(request.POST or None, initial={"roles": request.tenant.hidden_money_roles})
    # Without a tick the browser sends no name, and an empty POST is no bound form.
    if request.method == "POST" and not form.is_bound:
        form = MoneyForm({})
    return _settle(
        request,
        form,
        _("Who sees money"),
        lambda: hide_money_from(tenant=request.tenant, actor=request.member, **form.cleaned_data),
    )
