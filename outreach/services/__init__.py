"""Writes of outreach; everything is written in the caller's scope and transaction and leaves by the outbox."""

from .forgetting import forget_old
from .installing import install_outreach
from .mailing import Mail, send_emails
from .messaging import send_email, send_in_app
from .notifying import mark_all_read, mark_read, notify_members, save_choices
from .publishing import publish_event
from .slack import post_to_slack

__all__ = [
    "Mail",
    "forget_old",
    "install_outreach",
    "mark_all_read",
    "mark_read",
    "notify_members",
    "post_to_slack",
    "publish_event",
    "save_choices",
    "send_email",
    "send_emails",
    "send_in_app",
]
