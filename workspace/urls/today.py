"""The list of the day: its items and what is done with them."""

from __future__ import annotations

from django.urls import path

from workspace.views import agenda, handover, today

ROUTES = [
    path("today/alerts/", today.alerts, name="today_alerts"),
    path("today/team/", today.team, name="today_team"),
    path("today/do/", agenda.deed, name="today_do"),
    path("today/undo/", agenda.undo, name="today_undo"),
    path("today/reopen/", agenda.reopen, name="today_reopen"),
    path("today/items/<int:pk>/", agenda.item, name="today_item"),
    path("hand-over/", handover.hand_over_book, name="handovers"),
    path("hand-over/<int:pk>/", handover.handover_page, name="handover"),
    path("hand-over/<int:pk>/undo/", handover.handover_undo, name="handover_undo"),
]
