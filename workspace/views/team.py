"""Members and API keys."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import has_role
from accounts.models import ApiKey, Membership, Role
from accounts.requests import TenantRequest
from accounts.services import change_role, deactivate_member, invite_member, reactivate_member
from workspace.access import admin_only, member_only
from workspace.forms import InviteForm, KeyForm, MemberForm
from workspace.selectors import people
from workspace.services.people import create_key, revoke_key


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def team(request: TenantRequest) -> HttpResponse:
    """Who works here, and with which role; admins invite."""
    may_invite = has_role(request.member, Role.ADMIN)
    if request.method == "POST" and not may_invite:
        raise PermissionDenied
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            member = invite_member(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request,
                _("%(who)s was invited; the mail with the link is on its way.") % {"who": member.user.email},
            )
            return redirect("workspace:team")
    context = {
        "form": form,
        "members": people.members(request.tenant, active_only=False),
        "roles": Role.choices,
    }
    return render(request, "workspace/team/team.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def member(request: TenantRequest, pk: int) -> HttpResponse:
    """Change a member's role or switch the membership off."""
    form = MemberForm(request.POST)
    found = Membership.objects.filter(tenant=request.tenant, pk=pk).select_related("user").first()
    if found is None:
        raise Http404
    if not form.is_valid():
        messages.error(request, _("Choose one of the four roles."))
        return redirect("workspace:team")
    try:
        change_role(tenant=request.tenant, member=found, role=form.cleaned_data["role"], actor=request.member)
        switch = reactivate_member if form.cleaned_data["is_active"] else deactivate_member
        switch(tenant=request.tenant, member=found, actor=request.member)
        messages.success(request, _("%(who)s was changed.") % {"who": found})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:team")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def keys(request: TenantRequest) -> HttpResponse:
    """API keys; a new one is shown on the answer to its form and nowhere else."""
    form = KeyForm(request.POST or None)
    fresh = None
    if request.method == "POST" and form.is_valid():
        _key, fresh = create_key(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        form = KeyForm()
    context = {
        "form": form,
        "fresh": fresh,
        "keys": people.api_keys(request.tenant),
        "scopes": ApiKey.Scope.choices,
        "host": request.build_absolute_uri("/").split("/t/")[0].rstrip("/"),
    }
    return render(request, "workspace/team/keys.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def key_revoke(request: TenantRequest, pk: int) -> HttpResponse:
    """Refuse a key from now on."""
    try:
        key = revoke_key(tenant=request.tenant, actor=request.member, key_id=pk)
    except ApiKey.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("“%(name)s” no longer opens anything.") % {"name": key.name})
    return redirect("workspace:keys")
