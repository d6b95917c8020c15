"""Routes of references and case studies, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import ReferencesView, ReferenceUsesView, StoriesView

urlpatterns = [
    path("references", ReferencesView.as_view(), name="api-references"),
    path("references/<int:reference_id>/uses", ReferenceUsesView.as_view(), name="api-reference-uses"),
    path("stories", StoriesView.as_view(), name="api-stories"),
]
