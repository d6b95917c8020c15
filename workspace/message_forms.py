"""Forms of the pages about messages, webhooks and notifications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outreach.events import event_types
from outreach.models import OutreachSettings, Template
from outreach.services.choosing import SETTINGS, TEXTS

TIME = {"type": "time"}


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Who mail comes from, how often and when."""

    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_(
            "PNG, SVG, JPEG or GIF, at most 300 KB. It stands on mails, and on packs and other documents."
        ),
    )
    remove_logo = forms.BooleanField(label=_("Take the logo away"), required=False)
    brand_color = forms.CharField(
        label=_("Brand colour"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={"placeholder": "#2f5bea", "spellcheck": "false"}),
        help_text=_(
            "# and six digits. Pages, mails and documents are in this colour, darker where it would not be read."
        ),
    )

    class Meta:
        model = OutreachSettings
        fields = SETTINGS
        widgets = {
            "quiet_from": forms.TimeInput(attrs=TIME, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs=TIME, format="%H:%M"),
        }

    def _post_clean(self) -> None:
        """The service checks the row; here the fields alone are enough."""


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A text in both languages."""

    class Meta:
        model = Template
        fields = TEXTS
        widgets = {
            "body_en": forms.Textarea(attrs={"rows": 9}),
            "body_es": forms.Textarea(attrs={"rows": 9}),
        }

    def _post_clean(self) -> None:
        """The service checks the row and says what is wrong."""


class SuppressForm(forms.Form):
    """An address that must not be written to."""

    address = forms.EmailField(label=_("E-mail address"), max_length=254)
    note = forms.CharField(label=_("Why"), max_length=300, required=False)


class SlackForm(forms.Form):
    """The incoming webhook of a channel."""

    address = forms.CharField(
        label=_("Address of the incoming webhook"),
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
        help_text=_("Slack makes it under “Incoming webhooks”. It is stored sealed and never shown again."),
    )


class EndpointForm(forms.Form):
    """Where events go, and which."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        widget=forms.TextInput(
            attrs={
                "placeholder": "https://",
                "autocomplete": "off",
                "spellcheck": "false",
                "inputmode": "url",
            }
        ),
    )
    description = forms.CharField(label=_("What is it for"), max_length=200, required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them, also those that come later."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["event_types"]
        assert isinstance(choice, forms.MultipleChoiceField)
        choice.choices = [(kind.name, kind.name) for kind in event_types()]


class ReplayForm(forms.Form):
    """From when on what failed is sent again."""

    since = forms.DateTimeField(
        label=_("Everything that failed since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
    )
