"""The doors of renewals and retention."""

from __future__ import annotations

from tests.doors.door import ADMIN, CSM, MANAGER, api, deed, form, page

TENANT = [
    page("renewals/"),
    page("renewals/export.csv"),
    page("renewals/calendar/"),
    page("renewals/team/", MANAGER),
    page("renewals/retention/"),
    form("renewals/settings/", ADMIN),
    page("renewals/<int:pk>/", pk="renewal"),
    deed("renewals/<int:pk>/forecast/", CSM, pk="renewal"),
    deed("renewals/<int:pk>/call/", CSM, pk="renewal"),
    deed("renewals/<int:pk>/close/", CSM, pk="renewal"),
    deed("renewals/<int:pk>/reason/", CSM, pk="renewal"),
    form("renewals/<int:pk>/plan/", CSM, pk="renewal"),
]
API = [
    api("api/v1/renewals", GET="read"),
    api(
        "api/v1/renewals/<int:renewal_id>",
        GET="read",
        PATCH="write",
        renewal_id="renewal",
        body={"note": "x"},
    ),
    api("api/v1/retention", GET="read"),
]
