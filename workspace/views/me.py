"""A member's own choices."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.forms import ProfileForm
from workspace.services.people import save_preferences

LANGUAGES = ("en", "es")


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def profile(request: TenantRequest) -> HttpResponse:
    """Name, language, time zone, appearance."""
    user: User = request.member.user
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        save_preferences(user=user, **form.cleaned_data)
        with translation.override(user.language or request.tenant.language):
            messages.success(request, _("Profile saved."))
        return redirect("workspace:profile")
    return render(request, "workspace/me/profile.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
@member_only
def preferences(request: TenantRequest) -> HttpResponse:
    """One choice from the top bar: language or appearance."""
    language, theme = request.POST.get("language"), request.POST.get("theme")
    if language in LANGUAGES:
        save_preferences(user=request.member.user, language=language)
    if theme in User.Theme.values:
        save_preferences(user=request.member.user, theme=theme)
    if request.htmx:
        return HttpResponse(status=204)
    address = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return redirect(address if safe else reverse("workspace:today"))
