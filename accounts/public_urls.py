"""Addresses outside a tenant that are the ground floor's own."""

from __future__ import annotations

from django.urls import path

from accounts import operations_views, signup
from accounts.api_docs import api_docs, api_docs_of

urlpatterns = [
    path("favicon.ico", operations_views.favicon, name="favicon"),
    path("healthz", operations_views.healthz, name="healthz"),
    path("readyz", operations_views.readyz, name="readyz"),
    path("metrics", operations_views.metrics, name="metrics"),
    path("signup/", signup.signup, name="signup"),
    path("signup/<str:token>/", signup.signup_finish, name="signup-finish"),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/docs/<slug:tag>/", api_docs_of, name="api-docs-of"),
]
