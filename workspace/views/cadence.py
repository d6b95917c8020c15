"""The cadence of reviews: when packs are drafted, and for whom."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.requests import TenantRequest
from qbr.services import save_settings, settings_of
from workspace.access import admin_only
from workspace.review_forms import CadenceForm


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def cadence(request: TenantRequest) -> HttpResponse:
    """How long before a review its pack is drafted, and for whom."""
    settings = settings_of(request.tenant)
    initial = {name: getattr(settings, name) for name in CadenceForm.base_fields}
    form = CadenceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save_settings(tenant=request.tenant, values=form.cleaned_data, member=request.member)
        messages.success(request, _("Saved. It counts from tonight on."))
        return redirect("workspace:qbr_settings")
    status = 400 if form.is_bound and not form.is_valid() else 200
    return render(request, "workspace/packs/settings.html", {"form": form}, status=status)
