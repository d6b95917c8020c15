"""Routes of playbooks, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import RunsView, TasksView

urlpatterns = [
    path("tasks", TasksView.as_view(), name="api-tasks"),
    path("playbook-runs", RunsView.as_view(), name="api-playbook-runs"),
]
