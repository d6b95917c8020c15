"""API routes of usage, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from usage import api

urlpatterns = [
    path("events", api.EventsView.as_view(), name="api-events"),
    path("batches/<uuid:batch_id>", api.BatchView.as_view(), name="api-batch"),
    path("metrics/bulk", api.MetricsBulkView.as_view(), name="api-metrics-bulk"),
]
