"""Which provider a company has, for people who are not signed in yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.fence.scope import tenant_scope
from accounts.models import SignOn, Tenant

TENANT_PAGE = re.compile(r"/t/([a-z0-9][a-z0-9-]{0,49})/")


@dataclass(frozen=True)
class Offer:
    """A way in beside the password."""

    company: str
    slug: str
    label: str
    next_url: str
    only: bool


def sign_on_of(slug: str, *, also_off: bool = False) -> tuple[Tenant, SignOn] | None:
    """The tenant and its provider, when members may sign in with it."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        return None
    with tenant_scope(tenant):
        config = SignOn.objects.first()
    return (tenant, config) if config and (config.is_enabled or also_off) else None


def offered_to(request: HttpRequest) -> Offer | None:
    """The sign-on of the company whose page the visitor asked for."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    match = TENANT_PAGE.match(wanted)
    found = sign_on_of(match[1]) if match else None
    if found is None:
        return None
    tenant, config = found
    return Offer(tenant.name, tenant.slug, str(config), wanted, tenant.sign_on_only)
