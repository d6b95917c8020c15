"""The doors of expansion."""

from __future__ import annotations

from tests.doors.door import ADMIN, CSM, api, deed, form, page

TENANT = [
    page("expansion/"),
    page("expansion/export.csv"),
    form("expansion/new/", CSM),
    page("expansion/whitespace/"),
    page("expansion/whitespace/export.csv"),
    deed("expansion/discounts/<int:pk>/decide/", ADMIN, pk="discount"),
    page("expansion/proposals/<int:pk>/", pk="proposal"),
    page("expansion/<int:pk>/", pk="opportunity"),
    deed("expansion/<int:pk>/edit/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/move/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/win/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/lose/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/reopen/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/discount/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/discount/withdraw/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/bundle/", CSM, pk="opportunity"),
    deed("expansion/<int:pk>/propose/", CSM, pk="opportunity"),
]
API = [
    api("api/v1/opportunities", GET="read", POST="write", body={"account_id": "x", "type": "services"}),
    api(
        "api/v1/opportunities/<int:opportunity_id>",
        GET="read",
        PATCH="write",
        opportunity_id="opportunity",
        body={},
    ),
    api("api/v1/whitespace", GET="read"),
]
