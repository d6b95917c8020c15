"""Forms of the pages about surveys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from nps.surveys.models import Survey, SurveySettings
from nps.surveys.scales import CATEGORIES
from nps.surveys.services.editing import CHOSEN_ONCE, FIELDS, SETTINGS
from playbooks.models import Playbook

LONG = ("body_en", "body_es")
LISTS = ("roles", "segments")


class Words(forms.CharField):
    """Several words in one field, parted by commas."""

    def prepare_value(self, value: Any) -> Any:
        """A list as it is typed."""
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list where CharField has a text
        """What was typed as a list."""
        text = super().to_python(value) or ""
        return list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))

    def run_validators(self, value: Any) -> None:
        """Each word for itself; the service checks the whole."""

    def validate(self, value: Any) -> None:
        """None at all is fine."""


class Numbers(Words):
    """Several whole numbers, parted by commas."""

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]  # as above
        """What was typed as numbers."""
        words = super().to_python(value)
        if not all(word.isascii() and word.isdigit() and len(word) < 5 for word in words):
            raise forms.ValidationError(_("Write whole numbers with commas between them, such as 45, 90."))
        return [int(word) for word in words]


class SurveyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A survey; the service says what is wrong beyond the single fields."""

    days = Numbers(
        label=_("Days after go-live"),
        required=False,
        help_text=_("With commas between them, such as 45, 90. For surveys that count from go-live."),
    )
    roles = Words(
        label=_("Roles of the contacts"),
        required=False,
        help_text=_("With commas between them; empty: everybody."),
    )
    segments = Words(
        label=_("Segments"), required=False, help_text=_("With commas between them; empty: all of them.")
    )

    class Meta:
        model = Survey
        fields = (*CHOSEN_ONCE, *FIELDS)
        widgets = {name: forms.Textarea(attrs={"rows": 10}) for name in LONG}

    def __init__(self, *args: Any, plays: list[Playbook], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("No play")), *((play.key, play.name) for play in plays)]
        known = {key for key, _name in choices}
        for category in CATEGORIES:
            name = f"{category}_play"
            now = getattr(self.instance, name)
            own = [] if now in known else [(now, now)]
            self.fields[name] = forms.ChoiceField(
                label=self.fields[name].label, required=False, choices=[*choices, *own]
            )
        if self.instance.pk:
            for name in CHOSEN_ONCE:
                del self.fields[name]
            if self.instance.trigger != Survey.Trigger.GO_LIVE:
                del self.fields["days"]

    def _post_clean(self) -> None:
        """The service checks the row and says what is wrong."""


class SurveySettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What holds for all surveys."""

    class Meta:
        model = SurveySettings
        fields = SETTINGS

    def _post_clean(self) -> None:
        """The service checks the row."""


class WaveForm(forms.Form):
    """A round of a survey."""

    name = forms.CharField(label=_("Name of the wave"), max_length=120)
    starts_on = forms.DateField(label=_("Begins on"), widget=forms.DateInput(attrs={"type": "date"}))


class CloseForm(forms.Form):
    """What came of a detractor's answer."""

    note = forms.CharField(
        label=_("What came of it"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
