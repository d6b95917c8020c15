"""What the middleware puts on a request, as types."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import ApiKey, Membership, Tenant, User


class SiteRequest(HttpRequest):
    """Any request behind `TenantMiddleware`: with a member's tenant, a key's tenant, or none."""

    tenant: Tenant | None
    member: Membership | None
    api_key: ApiKey | None
    has_others: bool  # whether the member is in other companies too
    htmx: HtmxDetails


class TenantRequest(SiteRequest):
    """A member's request below `/t/<slug>/`."""

    tenant: Tenant
    member: Membership
    user: User


def of_member(request: HttpRequest) -> TenantRequest:
    """The request of a member inside the tenant; everybody else gets 404."""
    if getattr(request, "member", None) is None:
        raise Http404
    return cast(TenantRequest, request)


def api_key_of(request: HttpRequest) -> ApiKey | None:
    """The valid key that the middleware found on the request, if any."""
    key: ApiKey | None = getattr(request, "api_key", None)
    return key
