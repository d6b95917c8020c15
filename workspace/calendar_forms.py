"""Forms for working days: the company's, a member's own, days off."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from playbooks.calendars import countries
from playbooks.services.calendars import MAX_ESCALATION_DAYS


class _PlaceForm(forms.Form):
    """A week, and where the holidays are those of."""

    week = forms.TypedMultipleChoiceField(
        label=_("Working days"), coerce=int, choices=lambda: list(WEEKDAYS.items()), required=False
    )
    country = forms.ChoiceField(label=_("Public holidays of"), required=False)
    region = forms.CharField(
        label=_("Region"),
        max_length=10,
        required=False,
        help_text=_("The code of a region with holidays of its own, such as MD for Madrid."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [("", self.nowhere()), *((code, code) for code in sorted(countries()))]
        cast(forms.ChoiceField, self.fields["country"]).choices = places

    def nowhere(self) -> Any:
        """What no country means."""
        return _("no country")

    @property
    def chosen_days(self) -> list[int]:
        """The days that are ticked."""
        typed: Any = self.data  # a QueryDict when the form was sent
        value = typed.getlist("week") if self.is_bound else self.initial.get("week", [])
        return [int(day) for day in value if str(day).isdigit()]


class CompanyDaysForm(_PlaceForm):
    """The company's week, and when managers hear of overdue tasks."""

    escalate_after_days = forms.IntegerField(
        label=_("Tell the managers when a task is overdue by so many working days"),
        min_value=0,
        max_value=MAX_ESCALATION_DAYS,
    )


class OwnDaysForm(_PlaceForm):
    """What is different for one member."""

    def nowhere(self) -> Any:
        """What no country means."""
        return _("as the company")


class DaysOffForm(forms.Form):
    """Days on which nobody of these works."""

    first = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    note = forms.CharField(label=_("Note"), max_length=100, required=False)
