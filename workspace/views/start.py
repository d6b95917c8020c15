"""Get started: from a new company to its first scored account, one screen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role
from accounts.models import ApiKey, Role
from accounts.requests import TenantRequest
from scoring.models import ScoreModel
from scoring.services.drafts import make_default
from usage.selectors import arrivals, has_received
from workspace.access import admin_only
from workspace.selectors.start import FirstSteps, first_steps
from workspace.services.people import create_key
from workspace.services.recompute import ask_recompute
from workspace.snippets import snippets
from workspace.start_words import model_words


def leads_here(request: TenantRequest) -> bool:
    """Whether Today has nothing to say yet and this member is the one who can change that."""
    return not request.GET and has_role(request.member, Role.ADMIN) and not has_received(request.tenant)


def _page(request: TenantRequest, *, fresh: str | None = None) -> HttpResponse:
    steps = first_steps(request.tenant)
    host = request.build_absolute_uri("/").split("/t/")[0].rstrip("/")
    context = {
        "steps": steps,
        "fresh": fresh,
        "snippets": snippets(host, fresh or "KEY"),
        "choices": [(choice, model_words(choice.model)) for choice in steps.choices],
        "running": steps.running,
    }
    return render(request, "workspace/start/start.html", context)


@require_safe
@admin_only
def start(request: TenantRequest) -> HttpResponse:
    """The five steps with their state; what is done is read from what is there."""
    return _page(request)


@require_POST
@admin_only
def start_key(request: TenantRequest) -> HttpResponse:
    """Make a write key; the answer is the page with the key in every snippet, and nowhere else is it shown."""
    _key, fresh = create_key(
        tenant=request.tenant, actor=request.member, name=_("First source"), scope=ApiKey.Scope.INGEST
    )
    return _page(request, fresh=fresh)


@require_safe
@admin_only
def start_live(request: TenantRequest) -> HttpResponse:
    """What has arrived, for the page that asks every two seconds; 204 while there is nothing new to show."""
    arrived = arrivals(request.tenant)
    if request.htmx and request.GET.get("seen") == arrived.token:
        return HttpResponse(status=204)
    steps: FirstSteps = first_steps(request.tenant)
    return render(request, "workspace/start/_live.html", {"steps": steps, "arrived": arrived, "swap": True})


@require_POST
@admin_only
def start_model(request: TenantRequest) -> HttpResponse:
    """Let one of the published health models score every account that no other one claims."""
    chosen = request.POST.get("model", "")
    model = (
        ScoreModel.objects.filter(
            tenant=request.tenant, pk=int(chosen), kind=ScoreModel.Kind.HEALTH, active=True
        ).first()
        if chosen.isdecimal() and len(chosen) < 19
        else None
    )
    if model is None:
        messages.error(request, _("Choose one of the models on the page."))
        return redirect(f"{reverse('workspace:start')}#step-model")
    make_default(tenant=request.tenant, model=model, member=request.member)
    messages.success(request, _("“%(name)s” scores your accounts from now on.") % {"name": model.label})
    return redirect(f"{reverse('workspace:start')}#step-team")


@require_POST
@admin_only
def start_score(request: TenantRequest) -> HttpResponse:
    """Compute the first scores now instead of tonight."""
    ask_recompute(tenant=request.tenant, actor=request.member)
    return redirect(f"{reverse('workspace:start')}#step-score")
