"""What surveys write on an account's timeline."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SURVEY_ANSWERED = "survey_answered"
SURVEY_CHANGED = "survey_changed"
SURVEY_CLOSED = "survey_closed"

LABELS = {
    SURVEY_ANSWERED: _("Survey answered"),
    SURVEY_CHANGED: _("Survey answer changed"),
    SURVEY_CLOSED: _("Answered to a survey answer"),
}
