"""Forms of the workspace's own pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Membership, Note, User

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
    """A note on an account's timeline: what it was, who took part, what was said."""

    kind = forms.ChoiceField(
        label=_("What it was"), choices=Note.Kind.choices, initial=Note.Kind.NOTE, required=False
    )
    text = forms.CharField(
        label=_("Note"),
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5, "data-mentions": ""}),
        help_text=_("The first line is its title. @ and a name tells a colleague. Links can be followed."),
    )
    contacts = forms.TypedMultipleChoiceField(
        label=_("Who took part"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, people: Sequence[tuple[int, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.TypedMultipleChoiceField, self.fields["contacts"]).choices = list(people)
        if not people:
            del self.fields["contacts"]

    def clean_kind(self) -> str:
        """A form without the choice, such as the one of Today, writes a plain note."""
        return str(self.cleaned_data["kind"] or Note.Kind.NOTE)


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


class FileForm(forms.Form):
    """A file for an account."""

    file = forms.FileField(label=_("File"))


class RolesForm(forms.Form):
    """What somebody is at their account: roles that are known, and others by their names."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )
    others = forms.CharField(
        label=_("Other roles"), max_length=300, required=False, help_text=_("Separated by commas.")
    )

    def __init__(
        self, *args: Any, known: Sequence[tuple[str, str]], current: Sequence[str], **kwargs: Any
    ) -> None:
        names = {key for key, _word in known}
        plain = {role.replace("_", " ").strip().lower(): role for role in current}
        kwargs["initial"] = {
            "roles": [key for key in plain if key in names],
            "others": ", ".join(role for key, role in plain.items() if key not in names),
        }
        super().__init__(*args, **kwargs)
        cast(forms.MultipleChoiceField, self.fields["roles"]).choices = list(known)

    def wish(self) -> list[str]:
        """The roles that were said."""
        others = [one.strip() for one in self.cleaned_data["others"].split(",")]
        return [*self.cleaned_data["roles"], *(one for one in others if one)]


class ParentForm(forms.Form):
    """The account above, by name or id; empty for none."""

    parent = forms.CharField(
        label=_("Account above it"),
        max_length=200,
        required=False,
        help_text=_("The start of its name, or its id in your systems. Empty: none."),
    )
