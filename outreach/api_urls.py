"""API addresses of outreach, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from outreach import api

urlpatterns = [
    path("messages", api.MessagesView.as_view(), name="api-messages"),
    path("messages/<int:message_id>/report", api.MessageReportView.as_view(), name="api-message-report"),
]
