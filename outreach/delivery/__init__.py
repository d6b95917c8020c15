"""How what is in the outbox leaves the house, by kind; told to the relay in `ready()`."""

from __future__ import annotations

MESSAGE, SLACK, WEBHOOK, TEMPLATE_TEST = "message", "slack", "webhook", "template_test"


def register_channels() -> None:
    """Make our kinds known to the relay."""
    from accounts.outbox import register_outbox_handler
    from outreach.delivery import messages, slack, webhooks

    register_outbox_handler(MESSAGE, messages.CHANNEL)
    register_outbox_handler(TEMPLATE_TEST, messages.send_test)
    register_outbox_handler(SLACK, slack.CHANNEL)
    register_outbox_handler(WEBHOOK, webhooks.CHANNEL)


__all__ = ["MESSAGE", "SLACK", "TEMPLATE_TEST", "WEBHOOK", "register_channels"]
