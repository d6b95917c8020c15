"""Addresses outside a tenant that belong to the workspace: where a login leads."""

from __future__ import annotations

from django.urls import path

from workspace.views import entry

urlpatterns = [path("", entry.choose_tenant, name="choose_tenant")]
