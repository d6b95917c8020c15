"""What outreach writes on an account's timeline: the kinds with their labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

MESSAGE_SENT = "message_sent"
MESSAGE_NOT_SENT = "message_not_sent"
MESSAGE_FAILED = "message_failed"
MESSAGE_SHOWN = "message_shown"
MESSAGE_CLICKED = "message_clicked"
MESSAGE_DISMISSED = "message_dismissed"
MESSAGE_UNSUBSCRIBED = "message_unsubscribed"
SLACK_SENT = "slack_sent"
WEBHOOK_SENT = "webhook_sent"
WEBHOOK_FAILED = "webhook_failed"

LABELS = {
    MESSAGE_SENT: _("Message sent"),
    MESSAGE_NOT_SENT: _("Message not sent"),
    MESSAGE_FAILED: _("Message failed"),
    MESSAGE_SHOWN: _("Message seen"),
    MESSAGE_CLICKED: _("Message clicked"),
    MESSAGE_DISMISSED: _("Message dismissed"),
    MESSAGE_UNSUBSCRIBED: _("Unsubscribed"),
    SLACK_SENT: _("Posted to Slack"),
    WEBHOOK_SENT: _("Told another system"),
    WEBHOOK_FAILED: _("Another system could not be told"),
}
