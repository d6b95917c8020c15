"""The demo company's way out."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.requests import TenantRequest
from workspace.access import admin_only
from workspace.services.demo import keep_demo, remove_demo


@require_POST
@admin_only
def demo_remove(request: TenantRequest) -> HttpResponse:
    """Remove the demo company; undone for ten seconds."""
    try:
        remove_demo(tenant=request.tenant, actor=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = _("The demo company and its data will be removed in ten seconds.")
        messages.success(request, text, extra_tags=f"undo:{reverse('workspace:demo_keep')}")
    return redirect("workspace:today")


@require_POST
@admin_only
def demo_keep(request: TenantRequest) -> HttpResponse:
    """Take the removal back."""
    if keep_demo(tenant=request.tenant, actor=request.member):
        messages.success(request, _("The demo company stays."))
    else:
        messages.error(request, _("Too late: the demo company is being removed."))
    return redirect("workspace:today")
