"""Forms of the workspace's own pages."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Membership, User

NOTE_LENGTH = 4000


def zone_choices() -> list[tuple[str, str]]:
    """Time zones of places; the abbreviations and the Etc ones help nobody."""
    return [
        (name, name.replace("_", " "))
        for name in sorted(available_timezones())
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    ] + [("UTC", "UTC")]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A person's name, language, time zone and appearance."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As the company")), *User._meta.get_field("language").flatchoices],
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"), required=False, choices=lambda: [("", _("As the company")), *zone_choices()]
    )

    class Meta:
        model = User
        fields = ("name", "language", "timezone", "theme")
        labels = {"name": _("Name"), "theme": _("Appearance")}


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(label=_("What is it for"), max_length=100)
    scope = forms.ChoiceField(label=_("It may"), choices=ApiKey.Scope.choices, initial=ApiKey.Scope.INGEST)


class NoteForm(forms.Form):
    """A note on an account's timeline."""

    text = forms.CharField(label=_("Note"), max_length=NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))


class TaskForm(forms.Form):
    """Something to do at an account by a date."""

    title = forms.CharField(label=_("What has to be done"), max_length=200)
    body = forms.CharField(
        label=_("Details"), max_length=NOTE_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    assignee = forms.TypedChoiceField(label=_("Who"), coerce=int)
    due_on = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, members: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignee = cast(forms.TypedChoiceField, self.fields["assignee"])
        assignee.choices = [(member.pk, str(member)) for member in members]
