"""How allauth behaves here: nobody signs up by himself, members are invited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.mail import Letter, message_of


class ClosedSignupAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Closes the sign-up page; mail looks like the rest of our mail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No: accounts are made by an administrator."""
        return False

    def render_mail(
        self,
        template_prefix: str,
        email: str,
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Password mails in the look of all the others."""
        plain = super().render_mail(template_prefix, email, context, headers)
        letter = Letter(
            plain.subject,
            plain.body,
            language=get_language() or "en",
            action_label=plain.subject,
            action_url=context.get("password_reset_url", ""),
        )
        dressed = message_of(letter, tenant=None, to=plain.to, headers=plain.extra_headers)
        dressed.from_email = plain.from_email
        return dressed
