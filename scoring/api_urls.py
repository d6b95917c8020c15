"""API routes of scoring, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import AccountHistoryView, AccountPqlView, AccountScoreView, EvaluateView, ModelView
from .overrides.api import EndOverrideView, OverridesView

urlpatterns = [
    path("accounts/<str:external_id>/health", AccountScoreView.as_view(), name="account_health"),
    path(
        "accounts/<str:external_id>/health/history",
        AccountHistoryView.as_view(),
        name="account_health_history",
    ),
    path("accounts/<str:external_id>/pql", AccountPqlView.as_view(), name="account_pql"),
    path("accounts/<str:external_id>/overrides", OverridesView.as_view(), name="account_overrides"),
    path(
        "accounts/<str:external_id>/overrides/<int:override_id>/end",
        EndOverrideView.as_view(),
        name="account_override_end",
    ),
    path("models/<str:key>", ModelView.as_view(), name="model"),
    path("models/<str:key>/evaluate", EvaluateView.as_view(), name="model_evaluate"),
]
