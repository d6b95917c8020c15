"""Search from the top bar."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.selectors.search import SHORTEST
from workspace.selectors.search import search as find


@require_safe
@member_only
def search(request: TenantRequest) -> HttpResponse:
    """Hits under the box while somebody types; a page of its own without scripts."""
    text = request.GET.get("q", "")
    context = {
        "q": text,
        "found": find(request.tenant, request.member, text, request.tenant.today()),
        "long_enough": len(text.strip()) >= SHORTEST,
    }
    return render(request, "workspace/_search.html" if request.htmx else "workspace/search.html", context)
