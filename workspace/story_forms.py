"""Forms of the pages about case studies."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Contact
from nps.stories.models import Story, StoryApproval, StoryPicture
from nps.stories.services.approving import DAYS, MOST_DAYS


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A date as browsers pick it."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


class StoryForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The text; the service writes it and voids what was approved."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Story
        fields = (
            "title",
            "standfirst",
            "customer",
            "industry",
            "challenge",
            "solution",
            "results_intro",
            "quote",
            "person",
            "role",
            "language",
            "slug",
        )
        widgets = {
            "challenge": forms.Textarea(attrs={"rows": 8}),
            "solution": forms.Textarea(attrs={"rows": 8}),
            "results_intro": forms.Textarea(attrs={"rows": 3}),
            "quote": forms.Textarea(attrs={"rows": 4}),
            "standfirst": forms.Textarea(attrs={"rows": 2}),
        }

    def _post_clean(self) -> None:
        """The form's instance stays as it is read."""


class ResultForm(forms.Form):
    """A figure to add."""

    offer = forms.ChoiceField(label=_("Figure"))
    first = day_field(_("From"))
    last = day_field(_("To"))
    label = forms.CharField(label=_("What it is"), max_length=120, required=False)
    detail = forms.CharField(label=_("Compared with what"), max_length=200, required=False)

    def __init__(self, *args: Any, offers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["offer"]).choices = offers


class PictureForm(forms.Form):
    """A logo or a picture, with the name of who allowed it."""

    kind = forms.ChoiceField(label=_("What it shows"), choices=StoryPicture.Kind.choices)
    picture = forms.FileField(label=_("PNG or JPEG, up to 3 MB"))
    consent = forms.CharField(label=_("Who at the customer allowed it"), max_length=300)


class ApprovalForm(forms.Form):
    """Asking one party."""

    party = forms.ChoiceField(label=_("Whose approval"), choices=StoryApproval.Party.choices)
    contact = forms.TypedChoiceField(label=_("Whom"), coerce=int)
    then = forms.TypedChoiceField(
        label=_("After legal, ask at once"), coerce=int, required=False, empty_value=None
    )
    days = forms.IntegerField(
        label=_("Days the link is open"), min_value=1, max_value=MOST_DAYS, initial=DAYS
    )
    note = forms.CharField(
        label=_("A word of yours"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, people: list[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(one.pk, f"{one} · {one.email}") for one in people if one.email]
        cast(forms.TypedChoiceField, self.fields["contact"]).choices = named
        cast(forms.TypedChoiceField, self.fields["then"]).choices = [("", _("Nobody yet")), *named]
