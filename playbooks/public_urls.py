"""Addresses outside a tenant that belong to playbooks."""

from __future__ import annotations

from django.urls import path

from playbooks.feed import task_feed
from playbooks.onboarding.public import onboarding_brand, onboarding_plan

urlpatterns = [
    path("feeds/tasks/<str:token>.ics", task_feed, name="task-feed"),
    path("onboarding/<str:token>/", onboarding_plan, name="onboarding-plan"),
    path("onboarding/<str:token>/brand.css", onboarding_brand, name="onboarding-brand"),
]
