"""The doors of reviews, figures and registers."""

from __future__ import annotations

from tests.doors.door import ADMIN, CSM, VIEWER, api, deed, form, page

TENANT = [
    page("qbrs/"),
    deed("qbrs/prepare/", CSM),
    form("qbrs/cadence/", ADMIN),
    deed("qbrs/actions/<int:pk>/remove/", CSM, pk="review_action"),
    page("qbrs/<int:pk>/", pk="review"),
    *[
        deed(f"qbrs/<int:pk>/{name}/", CSM, pk="review")
        for name in ("summary", "suggest", "language", "state", "actions")
    ],
    deed("qbrs/<int:pk>/sections/<slug:key>/", CSM, pk="review", key="review_section"),
    form("qbrs/<int:pk>/refresh/", CSM, pk="review"),
    deed("qbrs/<int:pk>/verify/", VIEWER, pk="review"),
    page("figures/<int:pk>/", pk="figure"),
    deed("figures/<int:pk>/verify/", VIEWER, pk="figure"),
    form("registers/<slug:register>/<int:pk>/", CSM, register="register", pk="register_line"),
    *[
        deed(f"registers/<slug:register>/<int:pk>/{name}/", CSM, register="register", pk="register_line")
        for name in ("remove", "restore")
    ],
    deed("accounts/<int:pk>/qbr/", CSM, pk="account"),
    deed("accounts/<int:pk>/qbr/skip/", CSM, pk="account"),
    form("accounts/<int:pk>/register/<slug:register>/", CSM, pk="account", register="register"),
]

API = [
    api("api/v1/qbrs", GET="read"),
    api("api/v1/qbrs/<int:pack_id>", GET="read", pack_id="review"),
    api("api/v1/figures/<int:figure_id>", GET="read", figure_id="figure"),
    api("api/v1/figures/<int:figure_id>/verify", POST="read", figure_id="figure", body={}),
    api("api/v1/roi", GET="read", POST="write"),
]
