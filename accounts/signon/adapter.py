"""Where allauth's OpenID Connect client hands over: it proves what a provider said, `entering` decides who comes in."""

from __future__ import annotations

from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.signon.http import open_session


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """No apps of its own, no sign-up, no connecting of accounts: none of allauth's ways to a login are open."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """None: each tenant's provider is made where it is used."""
        return []

    def get_requests_session(self) -> requests.Session:
        """Guarded: the addresses come from tenants."""
        return open_session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """No."""
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Never across tenants: an address means a member of the provider's own tenant only."""
        return

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Here allauth's part ends."""
        raise ImmediateHttpResponse(sociallogin.provider.client.entered(request, sociallogin))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say in words what went wrong."""
        told = request.GET.get("error_description") or request.GET.get("error") or ""
        words = str(exception) if exception else told[:300]
        if not words:
            words = _(
                "The sign-on was not begun in this browser, or took longer than ten minutes. Begin again."
            )
        raise ImmediateHttpResponse(provider.client.refused(request, words))
