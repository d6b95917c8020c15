"""What references write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ASKED = "reference_asked"
AGREED = "reference_agreed"
DECLINED = "reference_declined"
UNANSWERED = "reference_unanswered"
LISTED = "reference_listed"
USED = "reference_used"
REQUESTED = "reference_requested"

LABELS = {
    ASKED: _("Asked to be a reference"),
    AGREED: _("Agreed to be a reference"),
    DECLINED: _("Declined to be a reference"),
    UNANSWERED: _("No answer about being a reference"),
    LISTED: _("In the reference library"),
    USED: _("Used as a reference"),
    REQUESTED: _("Sales asks for this reference"),
}
