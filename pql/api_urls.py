"""Routes of leads, relative to /api/v1/; an account's score is at `accounts/{external_id}/pql` of scoring."""

from __future__ import annotations

from django.urls import path

from .api import AcceptLeadView, ConvertLeadView, LeadsView, RejectLeadView

urlpatterns = [
    path("leads", LeadsView.as_view(), name="api-leads"),
    path("leads/<int:lead_id>/accept", AcceptLeadView.as_view(), name="api-lead-accept"),
    path("leads/<int:lead_id>/reject", RejectLeadView.as_view(), name="api-lead-reject"),
    path("leads/<int:lead_id>/convert", ConvertLeadView.as_view(), name="api-lead-convert"),
]
