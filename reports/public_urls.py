"""Addresses of reports outside a tenant: leaving needs no login, only the signed link."""

from __future__ import annotations

from django.urls import path

from reports import views

urlpatterns = [path("reports/stop/<str:token>/", views.stop, name="report_stop")]
