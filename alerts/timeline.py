"""What alerts write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ALERT_OPENED = "alert_opened"
ALERT_RESOLVED = "alert_resolved"
ALERT_CLOSED = "alert_closed"
ALERT_SNOOZED = "alert_snoozed"
ALERT_WOKE = "alert_woke"
ALERT_REOPENED = "alert_reopened"
ALERT_ASSIGNED = "alert_assigned"

LABELS = {
    ALERT_OPENED: _("Alert"),
    ALERT_RESOLVED: _("Alert resolved by itself"),
    ALERT_CLOSED: _("Alert closed"),
    ALERT_SNOOZED: _("Alert snoozed"),
    ALERT_WOKE: _("Snooze is over"),
    ALERT_REOPENED: _("Alert opened again"),
    ALERT_ASSIGNED: _("Alert assigned"),
}
