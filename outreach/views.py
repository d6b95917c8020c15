"""The page where somebody says that they want no more of a tenant's mail: no login, no script, signed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from outreach.mail.unsubscribing import read_token
from outreach.models import Suppression
from outreach.services.suppressing import resubscribe, suppress


@csrf_exempt  # the signed link is the right to do it, and mail programs post without a cookie (RFC 8058)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, since mail scanners open every link; the button or the mail program's post does."""
    leaver = read_token(token)
    tenant = Tenant.objects.filter(pk=leaver.tenant_id).first() if leaver is not None else None
    if leaver is None or tenant is None:
        return render(request, "outreach/unsubscribe.html", {"state": "unknown"}, status=404)
    accepted = translation.get_language_from_request(request)
    language = accepted if request.headers.get("Accept-Language") else tenant.language
    with translation.override(language), tenant_scope(tenant):
        state = "asked"
        if request.method == "POST" and request.POST.get("again"):
            resubscribe(tenant=tenant, address=leaver.address)
            state = "back"
        elif request.method == "POST":
            suppress(tenant=tenant, address=leaver.address, cause=Suppression.Cause.UNSUBSCRIBED)
            state = "left"
        elif Suppression.objects.filter(
            tenant=tenant, address=leaver.address, cause=Suppression.Cause.UNSUBSCRIBED
        ).exists():
            state = "left"
        context = {
            "state": state,
            "company": tenant.name,
            "address": leaver.address,
            "LANGUAGE_CODE": language,
        }
        return render(request, "outreach/unsubscribe.html", context)
