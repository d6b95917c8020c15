"""First steps, the words of the house, and the living page of components."""

from __future__ import annotations

from django.urls import path

from workspace.views import components, glossary, start

ROUTES = [
    path("get-started/", start.start, name="start"),
    path("get-started/key/", start.start_key, name="start_key"),
    path("get-started/live/", start.start_live, name="start_live"),
    path("get-started/model/", start.start_model, name="start_model"),
    path("get-started/score/", start.start_score, name="start_score"),
    path("glossary/", glossary.glossary, name="glossary"),
    path("components/", components.components, name="components"),
]
