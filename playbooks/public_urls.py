"""Addresses outside a tenant that belong to playbooks."""

from __future__ import annotations

from django.urls import path

from playbooks.feed import task_feed

urlpatterns = [path("feeds/tasks/<str:token>.ics", task_feed, name="task-feed")]
