"""Routes of alerts, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import AlertsView, BulkAlertsView, CloseAlertView, SnoozeAlertView
from .rules_api import RulesView

urlpatterns = [
    path("alerts", AlertsView.as_view(), name="api-alerts"),
    path("alerts/bulk", BulkAlertsView.as_view(), name="api-alerts-bulk"),
    path("rules", RulesView.as_view(), name="api-rules"),
    path("alerts/<int:alert_id>/close", CloseAlertView.as_view(), name="api-alert-close"),
    path("alerts/<int:alert_id>/snooze", SnoozeAlertView.as_view(), name="api-alert-snooze"),
]
