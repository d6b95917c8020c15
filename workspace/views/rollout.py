"""The rollout guide: what is there, what is missing, and where it is done."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from playbooks.rollout.services import tick_rollout, untick_rollout
from workspace.access import manager_only, member_only
from workspace.selectors.rollout import guide


@require_safe
@member_only
def rollout(request: TenantRequest) -> HttpResponse:
    """Three phases and the PLG checklist, ticked from what is really there."""
    return render(request, "workspace/rollout/guide.html", {"guide": guide(request.tenant)})


@require_POST
@manager_only
def rollout_tick(request: TenantRequest) -> HttpResponse:
    """Tick by hand what the state cannot know."""
    key, note = request.POST.get("key", ""), request.POST.get("note", "")
    try:
        tick_rollout(tenant=request.tenant, key=key, note=note, member=request.member)
    except ObjectDoesNotExist:
        messages.error(request, _("The guide has no such item; load the page again."))
    else:
        messages.success(request, _("Ticked."))
    return redirect("workspace:rollout")


@require_POST
@manager_only
def rollout_untick(request: TenantRequest) -> HttpResponse:
    """Take a tick back."""
    untick_rollout(tenant=request.tenant, key=request.POST.get("key", ""), member=request.member)
    messages.success(request, _("The tick is taken back."))
    return redirect("workspace:rollout")
