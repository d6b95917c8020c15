"""Addresses outside a tenant that belong to the workspace: where a login leads."""

from __future__ import annotations

from django.urls import path

from workspace.views import entry, platform

urlpatterns = [
    path("", entry.choose_tenant, name="choose_tenant"),
    path("operator/platform/", platform.platform, name="platform"),
    path("operator/platform/<int:pk>/suspend/", platform.platform_suspend, name="platform-suspend"),
    path("operator/platform/<int:pk>/resume/", platform.platform_resume, name="platform-resume"),
    path("operator/platform/<int:pk>/enter/", platform.platform_enter, name="platform-enter"),
]
