"""Reads of outreach."""

from .in_app import in_app_messages
from .notices import choices_of, notifications, unread_count

__all__ = ["choices_of", "in_app_messages", "notifications", "unread_count"]
