"""The doors of the list of the day."""

from __future__ import annotations

from tests.doors.door import CSM, MANAGER, deed, form, page

TENANT = [
    page("today/alerts/"),
    page("today/team/", MANAGER),
    deed("today/do/", CSM),
    deed("today/undo/", CSM),
    deed("today/reopen/", CSM),
    page("today/items/<int:pk>/", pk="account"),
    form("hand-over/", MANAGER),
    page("hand-over/<int:pk>/", CSM, pk="playbooks.handover"),
    deed("hand-over/<int:pk>/undo/", MANAGER, pk="playbooks.handover"),
]
