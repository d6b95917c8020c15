"""What the day's list writes on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SEEN_TO = "agenda_done"
PUT_OFF = "agenda_snoozed"
NOT_MINE = "agenda_skipped"
BACK = "agenda_back"

LABELS = {
    SEEN_TO: _("Seen to"),
    PUT_OFF: _("Put off"),
    NOT_MINE: _("Not for me"),
    BACK: _("Back on the list"),
}
