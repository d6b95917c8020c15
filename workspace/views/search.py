"""Search from the top bar."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.selectors.search import SHORTEST, recent_searches
from workspace.selectors.search import search as find
from workspace.services.searching import forget_searches, remember_search


@require_safe
@member_only
def search(request: TenantRequest) -> HttpResponse:
    """Hits under the box while somebody types; a page of its own without scripts."""
    text = request.GET.get("q", "")
    context = {
        "q": text,
        "found": find(request.tenant, request.member, text, request.tenant.today()),
        "long_enough": (long_enough := len(text.strip()) >= SHORTEST),
        "recent": [] if long_enough else recent_searches(request.tenant, request.member),
    }
    return render(request, "workspace/_search.html" if request.htmx else "workspace/search.html", context)


@require_POST
@member_only
def search_remember(request: TenantRequest) -> HttpResponse:
    """Keep what was looked for once a hit was followed; the page sends it while it is left."""
    remember_search(tenant=request.tenant, member=request.member, text=request.POST.get("q", ""))
    return HttpResponse(status=204)


@require_POST
@member_only
def search_forget(request: TenantRequest) -> HttpResponse:
    """Forget what the member looked for."""
    forget_searches(tenant=request.tenant, member=request.member)
    return HttpResponse("") if request.htmx else redirect("workspace:search")
