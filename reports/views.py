"""The page where somebody ends a subscription: no login, no script, signed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from reports.definitions import BY_KEY
from reports.leaving import read_token
from reports.models import Subscription
from reports.services import end_subscription


@csrf_exempt  # the signed link is the right to do it, and mail programs post without a cookie (RFC 8058)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, since mail scanners open every link; the button or the mail program's post does."""
    read = read_token(token)
    tenant = Tenant.objects.filter(pk=read[0]).first() if read is not None else None
    if read is None or tenant is None:
        return render(request, "reports/stop.html", {"state": "unknown"}, status=404)
    accepted = translation.get_language_from_request(request)
    language = accepted if request.headers.get("Accept-Language") else tenant.language
    with translation.override(language), tenant_scope(tenant):
        subscription = Subscription.objects.filter(tenant=tenant, pk=read[1]).first()
        if subscription is None:
            return render(request, "reports/stop.html", {"state": "unknown"}, status=404)
        if request.method == "POST":
            subscription = end_subscription(tenant=tenant, subscription_id=subscription.pk)
        context = {
            "state": "asked" if subscription.ended_at is None else "left",
            "company": tenant.name,
            "report": BY_KEY[subscription.metric].title if subscription.metric in BY_KEY else "",
            "LANGUAGE_CODE": language,
        }
        return render(request, "reports/stop.html", context)
