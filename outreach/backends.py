"""The mail backend of an installation where nobody said where mail goes: it stays here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend

logger = logging.getLogger(__name__)


class KeptMail(EmailBackend):
    """What came from the outbox can be looked at on its page; the rest (password mails) is written to the terminal."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Say that each was kept, or show it."""
        shown: list[Any] = []
        for message in email_messages:
            if "Message-ID" in message.extra_headers:
                logger.info("Mail kept, not sent: %s to %s", message.subject, ", ".join(message.to))
            else:
                shown.append(message)
        kept = len(email_messages) - len(shown)
        return kept + (super().send_messages(shown) or 0 if shown else 0)
