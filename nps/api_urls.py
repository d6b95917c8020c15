"""Routes of surveys, references and stories, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from nps.surveys.api import AnswersView, NpsView, PendingView

urlpatterns = [
    path("nps", NpsView.as_view(), name="api-nps"),
    path("surveys/answers", AnswersView.as_view(), name="api-survey-answers"),
    path("surveys/pending", PendingView.as_view(), name="api-survey-pending"),
]
