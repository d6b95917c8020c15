"""Forms for what people say beside the computed score."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from scoring.overrides.services import DEFAULT_DAYS, EXPIRY_DAYS, REASON_LENGTH
from workspace.bands import HEALTH_BANDS, UNKNOWN

SENTIMENTS = (
    (5, _("5 – delighted")),
    (4, _("4 – content")),
    (3, _("3 – neither")),
    (2, _("2 – unhappy")),
    (1, _("1 – about to leave")),
)


def _expiries() -> list[tuple[int, str]]:
    """How long an override may stand, in the language of whoever asks: a lazy text with a number is no longer lazy."""
    return [(days, ngettext("%d day", "%d days", days) % days) for days in EXPIRY_DAYS]


class OverrideForm(forms.Form):
    """Another band or score for an account, for a while, with a reason."""

    band = forms.ChoiceField(
        label=_("Band"),
        required=False,
        choices=[("", _("By the score below")), *((b.key, b.word) for b in HEALTH_BANDS if b is not UNKNOWN)],
    )
    score = forms.FloatField(
        label=_("Score"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Only if you want to say a number; its band follows from the model's thresholds."),
        widget=forms.NumberInput(attrs={"step": "any", "min": "0", "max": "100"}),
    )
    days = forms.TypedChoiceField(
        label=_("It ends by itself after"),
        coerce=int,
        choices=_expiries,
        initial=DEFAULT_DAYS,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why. Without a reason nobody can judge the override later.")},
        help_text=_("What do you know that the numbers do not?"),
    )

    def refuse(self, error: ValidationError) -> None:
        """Show what the service did not accept beside the fields."""
        for name, found in error.message_dict.items():
            self.add_error(name if name in self.fields else None, ValidationError(found))

    def wish(self) -> dict[str, Any]:
        """What the service takes."""
        return {name: self.cleaned_data[name] for name in ("band", "score", "days", "reason")}


class SentimentForm(forms.Form):
    """How the member sees an account, 1 to 5."""

    value = forms.TypedChoiceField(
        label=_("How do you see this account?"), coerce=int, choices=SENTIMENTS, initial=3
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=REASON_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
