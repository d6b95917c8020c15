"""How what is in the outbox leaves the house, by kind; told to the relay in `ready()`."""

from __future__ import annotations

MESSAGE, SLACK, WEBHOOK = "message", "slack", "webhook"


def register_channels() -> None:
    """Make our kinds known to the relay."""
    from accounts.outbox import register_outbox_handler
    from outreach.delivery import messages, slack, webhooks

    register_outbox_handler(MESSAGE, messages.CHANNEL)
    register_outbox_handler(SLACK, slack.CHANNEL)
    register_outbox_handler(WEBHOOK, webhooks.CHANNEL)


__all__ = ["MESSAGE", "SLACK", "WEBHOOK", "register_channels"]
