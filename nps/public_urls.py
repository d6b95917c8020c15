"""Addresses outside a tenant that belong to surveys, references and stories."""

from __future__ import annotations

from django.urls import path

from nps.surveys.public import survey_brand, survey_logo, survey_page

urlpatterns = [
    path("surveys/<str:token>/", survey_page, name="survey"),
    path("surveys/<str:token>/brand.css", survey_brand, name="survey-brand"),
    path("surveys/<str:token>/logo", survey_logo, name="survey-logo"),
]
