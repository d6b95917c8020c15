"""Absolute addresses for mail and background work, where no request says what the page's own address is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, reverse, set_script_prefix

from accounts.models import Tenant


def public_url(name: str, **kwargs: Any) -> str:
    """The absolute address of a page outside tenants."""
    return str(settings.PUBLIC_URL) + _path(settings.ROOT_URLCONF, name, kwargs)


def tenant_url(tenant: Tenant, name: str = "", **kwargs: Any) -> str:
    """The absolute address of a page of the tenant; without a name, of its first page."""
    path = _path(settings.TENANT_URLCONF, name, kwargs) if name else "/"
    return f"{settings.PUBLIC_URL}/t/{tenant.slug}{path}"


def _path(urlconf: str, name: str, kwargs: dict[str, Any]) -> str:
    # A request inside a tenant has set the prefix /t/<slug>/, which would be put before every address.
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        return reverse(name, urlconf=urlconf, kwargs=kwargs or None)
    finally:
        set_script_prefix(prefix)
