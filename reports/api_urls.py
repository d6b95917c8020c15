"""Addresses of the API of reports."""

from __future__ import annotations

from django.urls import path

from reports.api import ReportDetailView, ReportListView

urlpatterns = [
    path("reports", ReportListView.as_view(), name="api-reports"),
    path("reports/<str:name>", ReportDetailView.as_view(), name="api-report"),
]
