"""Addresses of case studies outside a tenant: the approver's page, and what was published."""

from __future__ import annotations

from django.urls import path

from nps.stories import public

urlpatterns = [
    path("story-approval/<str:token>/", public.approval_page, name="story-approval"),
    path("story-approval/<str:token>/story.pdf", public.approval_pdf, name="story-approval-pdf"),
    path("story-approval/<str:token>/brand.css", public.approval_brand, name="story-approval-brand"),
    path(
        "story-approval/<str:token>/<slug:kind>.png", public.approval_picture, name="story-approval-picture"
    ),
    path("stories/<slug:tenant_slug>/", public.story_index, name="story-index"),
    path("stories/<slug:tenant_slug>/brand.css", public.company_brand, name="story-brand"),
    path("stories/<slug:tenant_slug>/<slug:slug>/", public.story_page, name="story-page"),
    path("stories/<slug:tenant_slug>/<slug:slug>/story.pdf", public.story_file, name="story-pdf"),
    path(
        "stories/<slug:tenant_slug>/<slug:slug>/<slug:kind>.png", public.story_picture, name="story-picture"
    ),
]
