"""The doors of references and case studies."""

from __future__ import annotations

from tests.doors.door import ADMIN, CSM, VIEWER, api, deed, form, page

TENANT = [
    page("references/"),
    page("references/library/"),
    form("references/requests/", VIEWER, CSM),
    deed("references/requests/<int:pk>/decide/", CSM, pk="reference_request"),
    deed("references/requests/<int:pk>/cancel/", CSM, pk="reference_request"),
    form("references/settings/", ADMIN),
    deed("references/propose/<int:pk>/", CSM, pk="account"),
    deed("references/asks/<int:pk>/answer/", CSM, pk="reference_ask"),
    deed("references/uses/<int:pk>/outcome/", CSM, pk="reference_use"),
    page("references/<int:pk>/", pk="reference"),
    deed("references/<int:pk>/ask/", CSM, pk="reference"),
    deed("references/<int:pk>/listing/", CSM, pk="reference"),
    deed("references/<int:pk>/rest/", CSM, pk="reference"),
    deed("references/<int:pk>/wake/", CSM, pk="reference"),
    deed("references/<int:pk>/use/", CSM, pk="reference"),
    page("stories/"),
    deed("stories/new/<int:pk>/", CSM, pk="account"),
    form("stories/<int:pk>/", VIEWER, CSM, pk="story"),
    deed("stories/<int:pk>/preview/", VIEWER, pk="story"),
    page("stories/<int:pk>/story.pdf", pk="story"),
    deed("stories/<int:pk>/results/add/", CSM, pk="story"),
    deed("stories/results/<int:pk>/change/", CSM, pk="story_result"),
    deed("stories/results/<int:pk>/refresh/", CSM, pk="story_result"),
    deed("stories/results/<int:pk>/remove/", CSM, pk="story_result"),
    deed("stories/<int:pk>/verify/", CSM, pk="story"),
    deed("stories/<int:pk>/pictures/", CSM, pk="story"),
    deed("stories/<int:pk>/pictures/remove/", CSM, pk="story"),
    page("stories/<int:pk>/pictures/<slug:kind>.png", pk="story", kind="picture_kind"),
    deed("stories/<int:pk>/ask/", CSM, pk="story"),
    deed("stories/approvals/<int:pk>/revoke/", CSM, pk="story_approval"),
    deed("stories/<int:pk>/publish/", CSM, pk="story"),
    deed("stories/<int:pk>/withdraw/", CSM, pk="story"),
    deed("stories/<int:pk>/reopen/", CSM, pk="story"),
]
API = [
    api("api/v1/references", GET="read"),
    api("api/v1/references/<int:reference_id>/uses", POST="write", reference_id="reference"),
    api("api/v1/stories", GET="read"),
]
# Open to whoever has the signed link.
SIGNED = [
    "story-approval/<str:token>/",
    "story-approval/<str:token>/story.pdf",
    "story-approval/<str:token>/brand.css",
    "story-approval/<str:token>/<slug:kind>.png",
]
# What was published, for everybody.
PUBLIC = [
    "stories/<slug:tenant_slug>/",
    "stories/<slug:tenant_slug>/brand.css",
    "stories/<slug:tenant_slug>/<slug:slug>/",
    "stories/<slug:tenant_slug>/<slug:slug>/story.pdf",
    "stories/<slug:tenant_slug>/<slug:slug>/<slug:kind>.png",
]
