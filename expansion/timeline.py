"""What opportunities write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

OPENED = "opportunity_opened"
MOVED = "opportunity_moved"
WON = "opportunity_won"
LOST = "opportunity_lost"
REOPENED = "opportunity_reopened"
DISCOUNT_ASKED = "opportunity_discount_asked"
DISCOUNT_DECIDED = "opportunity_discount_decided"
PROPOSED = "opportunity_proposed"

LABELS = {
    OPENED: _("Opportunity found"),
    MOVED: _("Opportunity moved"),
    WON: _("Opportunity won"),
    LOST: _("Opportunity lost"),
    REOPENED: _("Opportunity opened again"),
    DISCOUNT_ASKED: _("Discount asked for"),
    DISCOUNT_DECIDED: _("Discount decided"),
    PROPOSED: _("Proposal made"),
}
