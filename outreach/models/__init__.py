"""Tables of outreach; each name is exported here."""

from .messages import Message, Suppression, Template
from .notices import Notification, NotificationChoice
from .settings import OutreachSettings
from .webhooks import Attempt, Delivery, Endpoint, Event

__all__ = [
    "Attempt",
    "Delivery",
    "Endpoint",
    "Event",
    "Message",
    "Notification",
    "NotificationChoice",
    "OutreachSettings",
    "Suppression",
    "Template",
]
