"""Addresses outside a tenant: login, the API (tenant by key), health of the process."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from accounts.admin_site import operator_admin_site

API_APPS = (
    *("accounts", "usage", "scoring", "health", "alerts", "playbooks", "pql", "outreach"),
    *("expansion", "qbr", "nps", "nps.stories", "reports"),
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.public_urls")),
    path("", include("outreach.public_urls")),
    path("", include("playbooks.public_urls")),
    path("", include("nps.public_urls")),
    path("", include("qbr.public_urls")),
    path("", include("nps.stories.public_urls")),
    path("", include("reports.public_urls")),
    path("", include("workspace.public_urls")),
    path("accounts/", include("accounts.entrance_urls")),
    path("sso/<slug:slug>/", include("accounts.signon.urls")),
    path("operator/", operator_admin_site.urls),
    *[path("api/v1/", include(f"{app}.api_urls")) for app in API_APPS],
    path("v1/", include("usage.ingest_urls")),
]
if settings.ANYMAIL_PROVIDER and settings.ANYMAIL.get("WEBHOOK_SECRET"):
    urlpatterns.append(path("anymail/", include("anymail.urls")))  # bounces and complaints

handler400 = "accounts.errors.bad_request"
handler403 = "accounts.errors.forbidden"
handler404 = "accounts.errors.not_found"
handler500 = "accounts.errors.server_error"
