"""The plan as the customer sees it: no login, read-only, by a signed link; nothing that is said inside the team."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.brand import brand_css
from accounts.fence.scope import tenant_scope
from accounts.models import Tenant

from .models import OnboardingLink
from .selectors import views_of
from .services.links import read_token

HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
TEMPLATE = "playbooks/onboarding/public.html"


def _opened(token: str) -> tuple[Tenant, int, str] | None:
    """The tenant, link and key of an address."""
    read = read_token(token)
    if read is None:
        return None
    tenant = Tenant.objects.filter(pk=read[0]).first()
    return None if tenant is None else (tenant, read[1], read[2])


@never_cache
@require_safe
def onboarding_plan(request: HttpRequest, token: str) -> HttpResponse:
    """The customer's own view of the first 90 days."""
    opened = _opened(token)
    if opened is None:
        return _sealed(render(request, TEMPLATE, {"state": "unknown"}, status=404))
    tenant, link_id, key = opened
    with tenant_scope(tenant):
        link = (
            OnboardingLink.objects.select_related("plan__account__owner__user")
            .filter(tenant=tenant, pk=link_id, key=key)
            .first()
        )
        language = tenant.language if link is None else link.language
        with translation.override(language):
            context = {"company": tenant.name, "LANGUAGE_CODE": language, "branded": bool(tenant.brand_color)}
            if link is None or link.revoked_at is not None or link.expires_on < tenant.today():
                answer = render(request, TEMPLATE, context | {"state": "closed"}, status=404)
            else:
                (view,) = views_of(tenant, [link.plan], tenant.today(), inside=False)
                context |= {"state": "open", "view": view, "plan": link.plan, "token": token, "link": link}
                answer = render(request, TEMPLATE, context)
    return _sealed(answer)


def _sealed(answer: HttpResponse) -> HttpResponse:
    """Kept out of search engines, and its address out of other sites' logs."""
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer


@require_safe
def onboarding_brand(request: HttpRequest, token: str) -> HttpResponse:
    """The colour of the company whose link this is, as a style sheet."""
    opened = _opened(token)
    colour = opened[0].brand_color if opened else ""
    return HttpResponse(
        brand_css(colour), content_type="text/css", headers={"Cache-Control": "private, max-age=3600"}
    )
