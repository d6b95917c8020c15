"""Forms of passkeys in our own words; allauth's have labels that only English readers know."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

NAME_LENGTH = 100


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """A key that signs in alone unless the person says otherwise: that is what a passkey is."""

    name = forms.CharField(
        label=_("Name of the key"),
        max_length=NAME_LENGTH,
        required=False,
        help_text=_("So that you know it again, as “My laptop”."),
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without the password"),
        initial=True,
        required=False,
        help_text=_("It asks for your finger, face or PIN then. Without this it is a second factor only."),
    )


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]  # as above
    """The name of a key."""

    name = forms.CharField(label=_("Name of the key"), max_length=NAME_LENGTH)


class RemovePasskeyForm(forms.Form):
    """Asks what allauth asks for authenticator apps only: whether the person may be without this factor."""

    def __init__(self, *args: Any, authenticator: Authenticator, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.authenticator = authenticator

    def clean(self) -> dict[str, Any] | None:
        """Not the last one of somebody whose company asks for one."""
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.authenticator):
            raise adapter.validation_error("cannot_delete_authenticator")
        return super().clean()
