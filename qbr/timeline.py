"""What reviews and registers write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

DRAFTED, READY, SENT = "qbr_drafted", "qbr_ready", "qbr_sent"
HELD, SKIPPED, REOPENED, AGREED = "qbr_held", "qbr_skipped", "qbr_reopened", "qbr_agreed"
VALUE, RISK, ROADMAP, LEARNT = "value_noted", "value_risk", "value_roadmap", "value_learnt"

LABELS = {
    DRAFTED: _("QBR pack drafted"),
    READY: _("QBR pack ready"),
    SENT: _("QBR pack sent"),
    HELD: _("QBR held"),
    SKIPPED: _("QBR skipped"),
    REOPENED: _("QBR pack opened again"),
    AGREED: _("Agreed at a QBR"),
    VALUE: _("ROI register changed"),
    RISK: _("Risk register changed"),
    ROADMAP: _("Roadmap changed"),
    LEARNT: _("Highlight or learning noted"),
}
