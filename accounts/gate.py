"""What a session must be before a page of a tenant opens: signed on at the right company, with a second factor, or both.

A session that a tenant's own provider made opens that tenant and nothing else: no other company, no platform pages, no
password, no factors. Whoever controls the provider could otherwise become its users everywhere.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, Tenant
from accounts.origin import Door
from accounts.sessions import SIGNED_ON  # in the session: the id of the tenant whose provider made it

METHODS = "account_authentication_methods"  # allauth's: how this session was proven
ACCOUNT_PATH = "/accounts/"
OPERATOR_PATH = "/operator/"
# What a session of single sign-on may do outside its tenant.
LEAVING = ("/accounts/logout/", "/accounts/login/", "/accounts/inactive/")


def signed_on_tenant(request: HttpRequest) -> int | None:
    """The tenant whose provider made this session, if one did."""
    value = request.session.get(SIGNED_ON)
    return int(value) if value is not None else None


def passed_second_factor(request: HttpRequest) -> bool:
    """Whether a second factor (or a passkey, which is two) was shown in this session."""
    records = request.session.get(METHODS) or []
    return any(isinstance(record, dict) and record.get("method") == "mfa" for record in records)


def is_of_this_tenant(request: HttpRequest, tenant: Tenant) -> bool:
    """Whether this session may know the tenant at all."""
    made_by = signed_on_tenant(request)
    return made_by is None or made_by == tenant.pk


def door_of(request: HttpRequest, rest: str) -> str:
    """How a member came in."""
    if signed_on_tenant(request) is not None:
        return Door.SIGN_ON
    return Door.ADMIN if rest.startswith("/admin/") else Door.PAGE


def inside(request: HttpRequest, member: Membership, rest: str) -> HttpResponse | None:
    """The answer instead of the tenant's page, or None when the page opens."""
    tenant = member.tenant
    if signed_on_tenant(request) is not None:
        if rest.startswith(ACCOUNT_PATH) and rest not in LEAVING:
            return personal_pages_closed(request)
        return None
    if rest in LEAVING:
        return None
    if tenant.sign_on_only and not (member.role == Role.ADMIN and passed_second_factor(request)):
        return _led(request, f"{reverse('signon', kwargs={'slug': tenant.slug})}")
    if tenant.second_factor_required and not passed_second_factor(request):
        return _to_second_factor(request, tenant)
    return None


def outside(request: HttpRequest) -> HttpResponse | None:
    """The answer instead of a page outside tenants, or None when it opens."""
    if not request.path_info.startswith(ACCOUNT_PATH) or request.path_info in LEAVING:
        return None
    return personal_pages_closed(request) if signed_on_tenant(request) is not None else None


def may_operate(request: HttpRequest) -> bool:
    """Whether this session may be the platform operator's: no company's provider, and a second factor where one is asked."""
    if signed_on_tenant(request) is not None:
        return False
    return passed_second_factor(request) or not settings.OPERATOR_SECOND_FACTOR


def to_second_factor(request: HttpRequest, next_url: str) -> HttpResponse:
    """Where one is set up, or shown when there is one already."""
    from allauth.mfa.utils import is_mfa_enabled

    name = "mfa_reauthenticate" if is_mfa_enabled(request.user) else "mfa_index"
    return _led(request, f"{reverse(name, urlconf=settings.ROOT_URLCONF)}?{urlencode({'next': next_url})}")


def _to_second_factor(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    words = _("%(company)s asks for a second factor. Set one up here; then go on.")
    if not request.headers.get("HX-Request"):
        messages.info(request, words % {"company": tenant.name})
    return to_second_factor(request, f"/t/{tenant.slug}/")


def personal_pages_closed(request: HttpRequest) -> HttpResponse:
    """403 in words: password, factors and addresses are the person's, not the provider's."""
    context = {"user": request.user}
    return HttpResponse(
        render_to_string("accounts/signon/personal_closed.html", context, request), status=403
    )


def _led(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect; htmx would put the other page into a corner of this one, so it is told to leave."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
