"""Addresses outside a tenant that belong to onboarding."""

from __future__ import annotations

from django.urls import path

from playbooks.onboarding.public import onboarding_brand, onboarding_plan

urlpatterns = [
    path("onboarding/<str:token>/", onboarding_plan, name="onboarding-plan"),
    path("onboarding/<str:token>/brand.css", onboarding_brand, name="onboarding-brand"),
]
