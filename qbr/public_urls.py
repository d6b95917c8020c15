"""Addresses outside a tenant that belong to packs: whoever has the signed link may open them."""

from __future__ import annotations

from django.urls import path

from qbr.sharing import public

urlpatterns = [
    path("packs/<str:token>/", public.pack_page, name="pack-page"),
    path("packs/<str:token>/pack.pdf", public.pack_pdf_file, name="pack-pdf"),
    path("packs/<str:token>/pack.pptx", public.pack_pptx_file, name="pack-pptx"),
    path("packs/<str:token>/brand.css", public.pack_brand, name="pack-brand"),
    path("packs/<str:token>/logo.png", public.pack_logo, name="pack-logo"),
]
