"""What a backtest is asked, as a form; the defaults are those that the command has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scoring.backtest.parameters import (
    ARRIVALS,
    AUTO,
    DEFAULT_HORIZON,
    DEFAULT_STEP,
    MAX_HORIZON,
    MAX_STEP,
    MIN_HORIZON,
    MIN_STEP,
    OCCURRED,
    PUBLISHED,
    RECEIVED,
    SCALES,
    THEN,
    Refusal,
    Wanted,
)
from scoring.backtest.words import OUTCOME_NAMES, refusal_words
from scoring.models import Version

ARRIVAL_NAMES = {
    AUTO: _("Once received, if recorded"),
    RECEIVED: _("Once received"),
    OCCURRED: _("Once they happened"),
}
SCALE_NAMES = {
    AUTO: _("Drawn anew if younger than the dates"),
    THEN: _("Drawn anew on the first date"),
    PUBLISHED: _("As published"),
}
PLAIN = ("version", "outcome", "horizon_days")
# Which field a refusal is about; one of none of them stands above the form.
ABOUT = {
    "step": "step_days",
    "too_many": "step_days",
    "horizon": "horizon_days",
    "short": "horizon_days",
    "order": "first",
    "early": "first",
    "future": "last",
    "horizon_end": "last",
    "no_churn": "outcome",
    "no_subscriptions": "outcome",
    "no_events": "outcome",
}


def _day(label: Any, help_text: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class BacktestForm(forms.Form):
    """The version, the dates, the question."""

    version = forms.TypedChoiceField(label=_("Version"), coerce=int)
    outcome = forms.ChoiceField(
        label=_("What happened afterwards"),
        choices=[
            (AUTO, _("Churn if known, else inactivity")),
            *OUTCOME_NAMES.items(),
        ],
        initial=AUTO,
    )
    horizon_days = forms.IntegerField(
        label=_("Within how many days after each date"),
        min_value=MIN_HORIZON,
        max_value=MAX_HORIZON,
        initial=DEFAULT_HORIZON,
    )
    first = _day(_("First date"), _("Empty: up to eight dates that end with the last one."))
    last = _day(_("Last date"), _("Empty: the last one after which everything is known."))
    step_days = forms.IntegerField(
        label=_("Days between two dates"), min_value=MIN_STEP, max_value=MAX_STEP, initial=DEFAULT_STEP
    )
    everyone = forms.BooleanField(
        label=_("Inactivity: count accounts too that had been silent for as long already"), required=False
    )
    arrival = forms.ChoiceField(
        label=_("Events count"), choices=[(key, ARRIVAL_NAMES[key]) for key in ARRIVALS], initial=AUTO
    )
    scales = forms.ChoiceField(
        label=_("Scales"), choices=[(key, SCALE_NAMES[key]) for key in SCALES], initial=AUTO
    )

    def __init__(self, *args: Any, versions: Sequence[Version], **kwargs: Any) -> None:
        self.versions = {version.pk: version for version in versions}
        super().__init__(*args, **kwargs)
        field = self.fields["version"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(version.pk, f"{version} ({version.get_state_display()})") for version in versions]

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """What everybody chooses."""
        return [self[name] for name in PLAIN]

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        """What has a good default."""
        return [self[name] for name in self.fields if name not in PLAIN]

    @property
    def has_detail_errors(self) -> bool:
        """Whether a fault is among the details, which then must be seen."""
        return any(name not in PLAIN for name in self.errors if name != "__all__")

    @property
    def wanted(self) -> Wanted:
        """What is asked."""
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if name != "version"})

    @property
    def chosen(self) -> Version:
        """The version that is asked about."""
        return self.versions[self.cleaned_data["version"]]

    def refuse(self, refusal: Refusal) -> None:
        """Say why it cannot be done, beside the field that can mend it."""
        self.add_error(ABOUT.get(refusal.code), refusal_words(refusal.code, refusal.values))
