"""Signing in, passwords and second factors: allauth's pages, with what we answer otherwise before them."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.http import Http404, HttpRequest
from django.urls import include, path

from accounts.factor_forms import RemovePasskeyForm


def no_own_address(request: HttpRequest) -> NoReturn:
    """Nobody gives the own login another address: an unproven one would receive what is meant for its real owner.

    allauth lets somebody without a proven address choose any. An invitation to that address by another company would
    then open that company to this login.
    """
    raise Http404


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Removes a passkey unless it is the last factor of somebody who needs one."""

    form_class = RemovePasskeyForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form looks at the key itself."""
        return {**super().get_form_kwargs(), "authenticator": self.object}


urlpatterns = [
    path("email/", no_own_address, name="account_email"),
    path("2fa/webauthn/keys/<int:pk>/remove/", RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
