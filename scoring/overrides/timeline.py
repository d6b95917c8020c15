"""What overrides and sentiments write on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

OVERRIDE_SET = "override_set"
OVERRIDE_ENDED = "override_ended"
OVERRIDE_EXPIRED = "override_expired"
SENTIMENT_SET = "sentiment_set"

LABELS = {
    OVERRIDE_SET: _("Health overridden"),
    OVERRIDE_ENDED: _("Override ended"),
    OVERRIDE_EXPIRED: _("Override ran out"),
    SENTIMENT_SET: _("Sentiment"),
}
