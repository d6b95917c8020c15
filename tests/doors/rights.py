"""The doors of people, teams and the company's settings."""

from __future__ import annotations

from tests.doors.door import ADMIN, VIEWER, deed, form, page

TENANT = [
    form("team/", VIEWER, post=ADMIN),
    form("team/<int:pk>/", ADMIN, pk="member"),
    form("team/<int:pk>/leave/", ADMIN, pk="member"),
    deed("team/<int:pk>/return/", ADMIN, pk="member"),
    deed("team/<int:pk>/invite-again/", ADMIN, pk="member"),
    deed("team/<int:pk>/revoke/", ADMIN, pk="member"),
    form("team/teams/", VIEWER, post=ADMIN),
    form("team/teams/<int:pk>/", ADMIN, pk="team"),
    deed("team/teams/<int:pk>/remove/", ADMIN, pk="team"),
    page("team/roles/"),
    form("keys/", ADMIN),
    deed("keys/<int:pk>/revoke/", ADMIN, pk="key"),
    page("settings/", ADMIN),
    form("settings/company/", ADMIN),
    form("settings/look/", ADMIN),
    form("settings/data/", ADMIN),
    form("settings/money/", ADMIN),
    page("settings/privacy/", ADMIN),
    form("settings/privacy/<int:pk>/", ADMIN, pk="contact"),
    form("settings/export/", ADMIN),
    page("settings/export/<int:pk>/archive.zip", ADMIN, pk="company_export"),
    form("settings/end/", ADMIN),
    deed("settings/end/confirm/", ADMIN),
    deed("settings/end/cancel/", ADMIN),
]
# Closed (404) unless the operator lets companies sign themselves up.
PUBLIC = ["signup/", "signup/<str:token>/"]
# For platform operators only; 404 for everybody else.
OPERATOR = [
    "operator/platform/",
    "operator/platform/<int:pk>/suspend/",
    "operator/platform/<int:pk>/resume/",
    "operator/platform/<int:pk>/enter/",
]
