"""The versions of a score model: list, difference, draft, publish, go back, as a file and from a file."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from scoring.models import ScoreModel, Version
from scoring.places import fault_words, version_names
from scoring.services import DefinitionError, create_draft, publish_version, roll_back
from workspace.access import admin_only, member_only
from workspace.selectors.versions import ModelVersions, difference_words, model_versions
from workspace.services.recompute import ask_recompute


def tell(request: TenantRequest, error: DefinitionError, version: Version) -> None:
    """Each fault as a message of its own, with the place it is at in words."""
    names = version_names(request.tenant, version)
    for where, message in error.problems:
        messages.error(request, fault_words(where, message, names))


def version_or_404(request: TenantRequest, pk: int) -> Version:
    """One of the tenant's versions with its model."""
    found = Version.objects.filter(tenant=request.tenant, pk=pk).select_related("model").first()
    if found is None:
        raise Http404
    return found


@require_safe
@member_only
def model(request: TenantRequest, pk: int) -> HttpResponse:
    """Every version of a model, and what differs between two of them."""
    found = model_versions(request.tenant, pk)
    if found is None:
        raise Http404
    newest = found.draft or found.published
    new = found.numbered(request.GET.get("to", "")) or newest
    old = found.numbered(request.GET.get("from", "")) or _before(found, new)
    context = {
        "found": found,
        "model": found.model,
        "old": old,
        "new": new,
        "changes": difference_words(request.tenant, old, new) if old and new and old.pk != new.pk else [],
    }
    return render(request, "workspace/setup/versions.html", context)


def _before(found: ModelVersions, new: Version | None) -> Version | None:
    """What a version is held against unless somebody chooses: for a draft what scores now, else the one before."""
    if new is None:
        return None
    if new.is_draft and found.published:
        return found.published
    return next((line.version for line in found.lines if line.version.number < new.number), None)


@require_POST
@admin_only
def draft(request: TenantRequest, pk: int) -> HttpResponse:
    """Open the model's draft, making one of the newest version if there is none."""
    found = ScoreModel.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404
    return redirect("admin:scoring_version_change", create_draft(tenant=request.tenant, model=found).pk)


@require_POST
@admin_only
def publish(request: TenantRequest, pk: int) -> HttpResponse:
    """Let a draft score from today on, and compute today's scores again."""
    version = version_or_404(request, pk)
    try:
        version = publish_version(tenant=request.tenant, version=version, member=request.member)
    except DefinitionError as error:
        tell(request, error, version)
        return redirect("workspace:score_whatif", pk)
    ask_recompute(tenant=request.tenant, actor=request.member)
    messages.success(
        request,
        _("Published: %(version)s. It scores from today on; today's scores are being computed again.")
        % {"version": version},
    )
    return redirect("workspace:score_versions", version.model_id)


@require_POST
@admin_only
def go_back(request: TenantRequest, pk: int) -> HttpResponse:
    """Publish an earlier version again, as a new one."""
    version = version_or_404(request, pk)
    try:
        made = roll_back(
            tenant=request.tenant,
            version=version,
            member=request.member,
            reason=request.POST.get("reason", "").replace("\0", "")[:200],
        )
    except DefinitionError as error:
        tell(request, error, version)
    else:
        ask_recompute(tenant=request.tenant, actor=request.member)
        messages.success(
            request,
            _("Version %(old)d scores again, as version %(new)d; today's scores are being computed again.")
            % {"old": version.number, "new": made.number},
        )
    return redirect("workspace:score_versions", version.model_id)
