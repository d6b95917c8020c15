"""Routes of expansion and renewals, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from expansion.renewals.api import RenewalsView, RenewalView, RetentionView

from .api import OpportunitiesView, OpportunityView, WhitespaceView

urlpatterns = [
    path("opportunities", OpportunitiesView.as_view(), name="api-opportunities"),
    path("opportunities/<int:opportunity_id>", OpportunityView.as_view(), name="api-opportunity"),
    path("whitespace", WhitespaceView.as_view(), name="api-whitespace"),
    path("renewals", RenewalsView.as_view(), name="api-renewals"),
    path("renewals/<int:renewal_id>", RenewalView.as_view(), name="api-renewal"),
    path("retention", RetentionView.as_view(), name="api-retention"),
]
