"""Signing in, passwords and second factors: allauth's pages, with what we answer otherwise before them."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.urls import include, path

from accounts.factor_forms import RemovePasskeyForm
from accounts.own_address import own_address, own_address_confirm


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Removes a passkey unless it is the last factor of somebody who needs one."""

    form_class = RemovePasskeyForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form looks at the key itself."""
        return {**super().get_form_kwargs(), "authenticator": self.object}


urlpatterns = [
    # Before allauth's page of addresses, which would keep unproven ones.
    path("email/", own_address, name="account_email"),
    path("email/confirm/<str:token>/", own_address_confirm, name="own-address-confirm"),
    path("2fa/webauthn/keys/<int:pk>/remove/", RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
