"""What case studies write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

STARTED = "story_started"
ASKED = "story_asked"
APPROVED = "story_approved"
CHANGES = "story_changes"
PUBLISHED = "story_published"
WITHDRAWN = "story_withdrawn"

LABELS = {
    STARTED: _("Case study begun"),
    ASKED: _("Approval of the case study asked for"),
    APPROVED: _("Case study approved"),
    CHANGES: _("Changes to the case study asked for"),
    PUBLISHED: _("Case study published"),
    WITHDRAWN: _("Case study withdrawn"),
}
