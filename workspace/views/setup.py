"""How the score works, in words, from the published version."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.selectors.models import published_models


@require_safe
@member_only
def score_model(request: TenantRequest) -> HttpResponse:
    """Always what the nightly run uses: it is generated from the published version."""
    return render(request, "workspace/setup/score_model.html", {"models": published_models(request.tenant)})
