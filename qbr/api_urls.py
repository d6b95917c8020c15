"""Routes of reviews, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api import FigureView, PacksView, PackView, RoiView, VerifyFigureView

urlpatterns = [
    path("qbrs", PacksView.as_view(), name="api-qbrs"),
    path("qbrs/<int:pack_id>", PackView.as_view(), name="api-qbr"),
    path("figures/<int:figure_id>", FigureView.as_view(), name="api-figure"),
    path("figures/<int:figure_id>/verify", VerifyFigureView.as_view(), name="api-figure-verify"),
    path("roi", RoiView.as_view(), name="api-roi"),
]
