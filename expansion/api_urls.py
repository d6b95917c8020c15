"""Routes of expansion, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import OpportunitiesView, OpportunityView, WhitespaceView

urlpatterns = [
    path("opportunities", OpportunitiesView.as_view(), name="api-opportunities"),
    path("opportunities/<int:opportunity_id>", OpportunityView.as_view(), name="api-opportunity"),
    path("whitespace", WhitespaceView.as_view(), name="api-whitespace"),
]
