"""A person's own factors and sessions."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.gate import signed_on_tenant
from accounts.requests import TenantRequest
from accounts.services import record_audit
from accounts.sessions import (
    device_words,
    end_all_sessions,
    end_session,
    end_sessions_signed_on,
    sessions_of,
)
from workspace.access import member_only


@require_safe
@member_only
def security(request: TenantRequest) -> HttpResponse:
    """What proves who I am, and where I am signed in."""
    signed_on = signed_on_tenant(request)
    rows = [
        {
            "row": row,
            "device": device_words(row.user_agent),
            "current": row.session_key == request.session.session_key,
            "by_provider": row.data.get("signed_on") is not None,
        }
        for row in sessions_of(request.member.user, signed_on=signed_on)
    ]
    kinds = list(Authenticator.objects.filter(user=request.member.user).values_list("type", flat=True))
    context = {
        "sessions": rows,
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "by_provider": signed_on is not None,
    }
    return render(request, "workspace/access/security.html", context)


@require_POST
@member_only
def session_end(request: TenantRequest) -> HttpResponse:
    """Sign one browser out."""
    text = request.POST.get("session", "")
    chosen = int(text) if text.isdigit() and len(text) < 19 else 0
    ended = end_session(request.member.user, chosen, signed_on=signed_on_tenant(request))
    if ended is None:
        messages.error(request, _("This session has ended already."))
        return redirect("workspace:security")
    _note(request, 1)
    messages.success(request, _("%(device)s was signed out.") % {"device": device_words(ended.user_agent)})
    return redirect("workspace:security")


@require_POST
@member_only
def sessions_end(request: TenantRequest) -> HttpResponse:
    """Sign every other browser out."""
    signed_on, user = signed_on_tenant(request), request.member.user
    count = len(sessions_of(user, signed_on=signed_on)) - 1
    if signed_on is None:
        end_all_sessions(user, keep=request)
        _note(request, max(count, 0))
        messages.success(request, _("Every other browser was signed out."))
        return redirect("workspace:security")
    # A provider's session cannot end those of the person's password; it ends its own kind, this one included.
    _note(request, end_sessions_signed_on(signed_on, user))
    request.session.flush()
    return redirect("workspace:today")


def _note(request: TenantRequest, count: int) -> None:
    record_audit(
        tenant=request.tenant,
        actor=request.member,
        action="member.sessions_ended",
        target=request.member.user.email,
        after={"sessions": count},
    )
