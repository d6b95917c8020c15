"""How allauth behaves here: nobody signs up by himself, members are invited; sign-ins stand in the audit log."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.mail import Letter, message_of
from accounts.models import Membership, User
from accounts.sealing import seal, unseal
from accounts.services.access import note_failed_sign_in, note_sign_in
from accounts.sessions import begin_session


class ClosedSignupAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Closes the sign-up page; mail looks like the rest of our mail."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This address and this password do not belong together."),
        "enter_current_password": _("Type your present password."),
        "too_many_login_attempts": _(
            "Too many attempts failed. Wait five minutes, then try again or set a new password."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No: accounts are made by an administrator."""
        return False

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """Where the login leads; the companies of the person read of it in their audit logs."""
        begin_session(request, user)
        note_sign_in(user=user, request=request)
        answer: HttpResponse = super().post_login(request, user, **details)
        return answer

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Tell the companies of the address that somebody did not get in."""
        note_failed_sign_in(email=str(credentials.get("email") or ""), request=request, why="password")

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


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Seeds and recovery codes are sealed; who belongs to a company that asks for a factor keeps one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("Your company asks for a second factor, so the last one stays."),
    }

    def encrypt(self, text: str) -> str:
        """Worth nothing without SECRET_KEY."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed."""
        return unseal(encrypted_text)

    def _get_site_name(self) -> str:
        """What authenticator apps and passkeys show."""
        return str(_("Customer success"))

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """A name to start with."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return str(_("Passkey %(number)d") % {"number": number})

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last factor of somebody who needs one."""
        others = (
            Authenticator.objects.filter(user_id=authenticator.user_id)
            .exclude(pk=authenticator.pk)
            .exclude(type=Authenticator.Type.RECOVERY_CODES)
        )
        return others.exists() or not needs_second_factor(authenticator.user_id)


def needs_second_factor(user_id: int) -> bool:
    """Whether one of the person's companies asks for a second factor."""
    return Membership.objects.filter(
        user_id=user_id, is_active=True, tenant__second_factor_required=True
    ).exists()
