"""The doors of single sign-on, outside tenants: begin, come back, and our side's metadata."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.api_limits import count_request
from accounts.models import SignOn, Tenant
from accounts.origin import address_of
from accounts.signon import oidc, saml
from accounts.signon.entering import own_page
from accounts.signon.finding import sign_on_of

P = ParamSpec("P")
DoorView = Callable[Concatenate[HttpRequest, Tenant, SignOn, P], HttpResponse]
SlugView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def metadata(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """Our side, for the provider's admin; there before sign-on is switched on."""
    return HttpResponse(saml.metadata_xml(tenant), content_type="application/samlmetadata+xml")


def _door(view: DoorView[P]) -> SlugView[P]:
    """Find the tenant's provider, else 404 as for a tenant that does not exist."""

    @never_cache
    @wraps(view)
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        found = sign_on_of(str(kwargs.pop("slug")), also_off=view is metadata)
        if found is None:
            raise Http404
        return view(request, *found, *args, **kwargs)

    return door


def _limited(request: HttpRequest) -> HttpResponse | None:
    """The refusal of whoever tries too often from one address."""
    allowance = count_request(f"signon:{address_of(request)}", settings.SIGN_ON_PER_MINUTE)
    if allowance is None or not allowance.exhausted:
        return None
    words = _("Too many attempts from your address. Wait a minute, then try again.")
    answer = render(request, "429.html", {"words": words}, status=429)
    answer.headers["Retry-After"] = str(allowance.reset_seconds)
    return answer


@require_safe
@_door
def start(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """A page with the way to the provider."""
    context = {
        "company": tenant,
        "sign_on": config,
        "slug": tenant.slug,
        "next_url": own_page(tenant, request.GET.get("next", "")),
    }
    return render(request, "accounts/signon/start.html", context)


@require_safe
@_door
def go(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """To the provider. A link and no form: the content security policy lets no form end at another site."""
    if request.method == "HEAD":
        return HttpResponse()
    begin = saml.begin if config.protocol == SignOn.Protocol.SAML else oidc.begin
    return _limited(request) or begin(request, tenant, config, own_page(tenant, request.GET.get("next", "")))


@require_safe
@_door
def callback(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """Back from an OpenID Connect provider."""
    if config.protocol != SignOn.Protocol.OIDC:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    return _limited(request) or oidc.finish(request, tenant, config)


@csrf_exempt  # the provider's page posts here; what it posts is signed
@require_POST
@_door
def acs(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """What a SAML provider posts."""
    if config.protocol != SignOn.Protocol.SAML:
        raise Http404
    return _limited(request) or saml.receive(request, tenant)


@require_safe
@_door
def finish(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """The second half of it, with our session's cookie."""
    if config.protocol != SignOn.Protocol.SAML:
        raise Http404
    if request.method == "HEAD":  # an answer is used up by reading it
        return HttpResponse()
    return saml.finish(request, tenant, config)


metadata_page = require_safe(_door(metadata))
