"""API routes of health, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import DistributionView

urlpatterns = [path("health/distribution", DistributionView.as_view(), name="health_distribution")]
