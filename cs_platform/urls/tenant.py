"""Addresses inside a tenant, all below `/t/<slug>/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from accounts.admin_site import tenant_admin_site

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", tenant_admin_site.urls),
    path("accounts/", include("accounts.entrance_urls")),
    path("", include("workspace.urls")),
]

handler400 = "accounts.errors.bad_request"
handler403 = "accounts.errors.forbidden"
handler404 = "accounts.errors.not_found"
handler500 = "accounts.errors.server_error"
