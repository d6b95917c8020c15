"""What leads write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

LEAD_OPENED = "lead_opened"
LEAD_ACCEPTED = "lead_accepted"
LEAD_HANDED = "lead_handed"
LEAD_CONVERTED = "lead_converted"
LEAD_REJECTED = "lead_rejected"
LEAD_EXPIRED = "lead_expired"
LEAD_REOPENED = "lead_reopened"

LABELS = {
    LEAD_OPENED: _("Became a lead"),
    LEAD_ACCEPTED: _("Lead accepted"),
    LEAD_HANDED: _("Lead handed to sales"),
    LEAD_CONVERTED: _("Lead converted"),
    LEAD_REJECTED: _("Lead rejected"),
    LEAD_EXPIRED: _("Lead expired"),
    LEAD_REOPENED: _("Lead opened again"),
}
