"""Addresses outside a tenant that are the ground floor's own."""

from __future__ import annotations

from django.urls import path

from accounts import operations_views

urlpatterns = [
    path("healthz", operations_views.healthz, name="healthz"),
    path("readyz", operations_views.readyz, name="readyz"),
    path("metrics", operations_views.metrics, name="metrics"),
]
