"""What renewals write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RENEWAL_CLOSED = "renewal_closed"
RENEWAL_RISK = "renewal_risk"
RENEWAL_FORECAST = "renewal_forecast"
RENEWAL_PLAN = "renewal_plan"
RENEWAL_CALL = "renewal_call"
RENEWAL_CHECKPOINT = "renewal_checkpoint"

LABELS = {
    RENEWAL_CLOSED: _("Renewal closed"),
    RENEWAL_RISK: _("Renewal became at risk"),
    RENEWAL_FORECAST: _("Renewal forecast"),
    RENEWAL_PLAN: _("Action plan for the renewal"),
    RENEWAL_CALL: _("Call about the renewal"),
    RENEWAL_CHECKPOINT: _("Renewal checkpoint"),
}
