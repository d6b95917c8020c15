"""Routes of playbooks, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import TasksView
from .routines_api import ChecklistsView, OnboardingView
from .run_api import PauseRunView, ResumeRunView, StartRunsView, StopRunView

urlpatterns = [
    path("tasks", TasksView.as_view(), name="api-tasks"),
    path("playbook-runs", StartRunsView.as_view(), name="api-playbook-runs"),
    path("playbook-runs/<int:run_id>/pause", PauseRunView.as_view(), name="api-playbook-run-pause"),
    path("playbook-runs/<int:run_id>/resume", ResumeRunView.as_view(), name="api-playbook-run-resume"),
    path("playbook-runs/<int:run_id>/stop", StopRunView.as_view(), name="api-playbook-run-stop"),
    path("onboarding", OnboardingView.as_view(), name="api-onboarding"),
    path("checklists", ChecklistsView.as_view(), name="api-checklists"),
]
