"""Addresses of outreach outside a tenant: leaving needs no login, only the signed link."""

from __future__ import annotations

from django.urls import path

from outreach import views

urlpatterns = [path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe")]
