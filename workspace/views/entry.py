"""Where a login leads, and the tenant's colour."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.brand import brand_css
from accounts.gate import signed_on_tenant
from accounts.models import User
from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.selectors.people import tenants_of


@require_safe
@login_required
def choose_tenant(request: HttpRequest) -> HttpResponse:
    """The only company of a login straight away, else a list to choose from."""
    memberships = tenants_of(cast(User, request.user).pk, signed_on=signed_on_tenant(request))
    if len(memberships) == 1:
        return redirect(f"/t/{memberships[0].tenant.slug}/")
    return render(request, "workspace/choose_tenant.html", {"memberships": memberships})


@require_safe
@member_only
def brand(request: TenantRequest) -> HttpResponse:
    """The tenant's colour as a style sheet: the policy forbids inline styles."""
    return HttpResponse(
        brand_css(request.tenant.brand_color),
        content_type="text/css",
        headers={"Cache-Control": "private, max-age=86400"},
    )
