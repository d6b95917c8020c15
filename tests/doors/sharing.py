"""The doors of files of packs, their links and comments."""

from __future__ import annotations

from tests.doors.door import CSM, deed, form, page

TENANT = [
    form("packs/<int:pk>/share/", CSM, pk="shared_pack"),
    page("packs/<int:pk>/files/<slug:kind>/", pk="shared_pack", kind="pack_kind"),
    deed("packs/<int:pk>/files/<slug:kind>/make/", CSM, pk="shared_pack", kind="pack_kind"),
    deed("packs/links/<int:pk>/revoke/", CSM, pk="pack_link"),
    deed("packs/comments/<int:pk>/answer/", CSM, pk="pack_comment"),
    form("packs/bundle/", CSM),
    page("packs/bundle/<int:pk>/", CSM, pk="pack_job"),
    page("packs/bundle/<int:pk>/packs.zip", CSM, pk="pack_job"),
]
SIGNED = [
    "packs/<str:token>/",
    "packs/<str:token>/pack.pdf",
    "packs/<str:token>/pack.pptx",
    "packs/<str:token>/brand.css",
    "packs/<str:token>/logo.png",
]
