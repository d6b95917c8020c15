"""Forms of single sign-on and of the rules how members come in."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, SignOn
from accounts.signon.saml import read_metadata

NEW_MEMBERS = [
    ("", _("Nobody: members are invited")),
    *((role.value, role.label) for role in (Role.VIEWER, Role.CSM, Role.MANAGER)),
]


class SignOnForm(forms.Form):
    """The tenant's provider; the style sheet shows the fields of the protocol that is chosen."""

    # What stands together on the page, and for which protocol ("" is both).
    PARTS = (
        ("", ("protocol", "label")),
        ("saml", ("metadata",)),
        ("", ("issuer",)),
        ("oidc", ("client_id", "secret")),
        ("saml", ("sso_url", "certificate", "starts_elsewhere")),
        ("", ("new_member_role", "domains", "vouches", "is_enabled")),
    )

    protocol = forms.ChoiceField(label=_("Protocol"), choices=SignOn.Protocol.choices)
    label = forms.CharField(label=_("Name on the button"), max_length=60, required=False)
    metadata = forms.CharField(
        label=_("Metadata of the provider (SAML)"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Paste the XML; it fills in entity id, address and certificate."),
    )
    issuer = forms.CharField(
        label=_("Issuer (OpenID Connect) or entity id (SAML)"), max_length=500, required=False
    )
    client_id = forms.CharField(label=_("Client id (OpenID Connect)"), max_length=255, required=False)
    secret = forms.CharField(
        label=_("Client secret (OpenID Connect)"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Stored sealed and never shown. Leave it empty to keep the one that is there."),
    )
    sso_url = forms.CharField(label=_("Sign-on address (SAML)"), max_length=500, required=False)
    certificate = forms.CharField(
        label=_("Signing certificate (SAML)"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    new_member_role = forms.ChoiceField(
        label=_("Who is not a member yet becomes"), choices=NEW_MEMBERS, required=False
    )
    domains = forms.CharField(
        label=_("…with an address at these domains"),
        required=False,
        max_length=2000,
        help_text=_("Separated by commas, for example example.com, example.org."),
    )
    vouches = forms.BooleanField(
        label=_("The provider vouches for addresses without saying that it verified them"),
        required=False,
        help_text=_(
            "Needed for Microsoft Entra ID. Only where people cannot choose their own address at the provider."
        ),
    )
    starts_elsewhere = forms.BooleanField(
        label=_("Sign-on may begin at the provider (SAML)"),
        required=False,
        help_text=_("Less safe: nobody can tell whether the person asked for it."),
    )
    is_enabled = forms.BooleanField(label=_("Members may sign in with it"), required=False)

    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in order, each group with the protocol that it is for."""
        return [(protocol, [self[name] for name in names]) for protocol, names in self.PARTS]

    def clean_domains(self) -> list[str]:
        """As a list."""
        return [one for one in re.split(r"[\s,;]+", self.cleaned_data["domains"]) if one]

    def clean(self) -> dict[str, Any]:
        """Fields that a pasted metadata file says are taken from it."""
        data: dict[str, Any] = super().clean() or {}
        pasted = data.pop("metadata", "").strip()
        if pasted and data.get("protocol") == SignOn.Protocol.SAML:
            try:
                told = read_metadata(pasted)
            except ValueError as error:
                self.add_error("metadata", str(error))
            else:
                data |= {
                    "issuer": told.issuer,
                    "sso_url": told.sso_url,
                    "certificate": told.certificate,
                }
        return data


class AccessForm(forms.Form):
    """The rules that hold for every member."""

    second_factor_required = forms.BooleanField(
        label=_("Everybody needs a second factor"),
        required=False,
        help_text=_(
            "Members without one are led to set it up before any page opens. Whoever comes by single sign-on "
            "shows it to the provider."
        ),
    )
    sign_on_only = forms.BooleanField(
        label=_("Only by single sign-on"),
        required=False,
        help_text=_(
            "Passwords open nothing here any more, except for admins with a second factor: the way in when the "
            "provider fails."
        ),
    )
