"""The form for whom, how often and until when a version of a play runs; and the one for a new play."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from playbooks.models import PlaybookVersion, Run
from playbooks.terms import (
    MAX_EXIT_DAYS,
    MAX_EXITS,
    MAX_HOLDOUT_PCT,
    MAX_MEASURE_DAYS,
    MIN_MEASURE_DAYS,
    read_entry,
    read_exits,
)
from playbooks.words import BANDS
from workspace.condition_rows import ConditionRows

HEALTH = ("healthy", "at_risk", "critical", "unknown")
AT_ONCE, LATER, NEVER = "at_once", "later", "never"


class NewPlayForm(forms.Form):
    """A play from nothing."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(
        label=_("When to use it"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class ExitRows:
    """One exit criterion as it is typed: conditions, days, outcome, and whether it must come back."""

    def __init__(
        self,
        number: int,
        rows: ConditionRows,
        days: str = "14",
        outcome: str = "recovered",
        back: bool = False,
    ) -> None:
        self.number, self.rows, self.days, self.outcome, self.back = number, rows, days, outcome, back
        self.prefix = f"exit{number}"

    @property
    def empty(self) -> bool:
        """Whether no condition was chosen."""
        return all(row.empty for row in self.rows.rows)


class TermsForm(forms.Form):
    """Entry, exit, re-entry, group and hold-out of a version."""

    segments = forms.CharField(
        label=_("Segments"),
        required=False,
        max_length=1000,
        help_text=_("Several with commas between them; empty: all."),
        widget=forms.TextInput(attrs={"list": "known-segments"}),
    )
    stages = forms.CharField(
        label=_("Lifecycle stages"),
        required=False,
        max_length=1000,
        help_text=_("Several with commas between them; empty: all."),
        widget=forms.TextInput(attrs={"list": "known-stages"}),
    )
    bands = forms.MultipleChoiceField(
        label=_("Health"), required=False, choices=[(key, BANDS[key]) for key in HEALTH]
    )
    again = forms.ChoiceField(
        label=_("May it run again at the same account"),
        choices=[
            (AT_ONCE, _("Yes, at once")),
            (LATER, _("Yes, so many days after its end")),
            (NEVER, _("No, never")),
        ],
    )
    again_days = forms.IntegerField(
        label=_("After so many days"), min_value=1, max_value=3650, required=False
    )
    group = forms.SlugField(
        label=_("Group"),
        max_length=60,
        required=False,
        help_text=_("Of the plays of one group, only one runs at an account at a time."),
    )
    holdout_pct = forms.IntegerField(
        label=_("Hold-out share in percent"),
        min_value=0,
        max_value=MAX_HOLDOUT_PCT,
        help_text=_("For so many of a hundred accounts nothing is done, to see what the play achieves."),
    )
    measure_days = forms.IntegerField(
        label=_("Days until the outcome is measured"),
        min_value=MIN_MEASURE_DAYS,
        max_value=MAX_MEASURE_DAYS,
        help_text=_(
            "In both groups, by the criteria above; whoever has not got there by then counts as no effect."
        ),
    )

    def __init__(self, data: Any = None, *, version: PlaybookVersion) -> None:
        super().__init__(data, initial=None if data is not None else _initial(version))
        self.asks_for_more = data is not None and any(key.startswith("more") for key in data)
        self.outcomes = Run.Outcome.choices
        self.chosen_bands = data.getlist("bands") if data is not None else _initial(version)["bands"]
        if data is None:
            self.entry_rows = ConditionRows.of("entry", read_entry(version.entry).conditions)
            exits = [
                ExitRows(
                    n, ConditionRows.of(f"exit{n}", each.conditions), str(each.days), each.outcome, each.back
                )
                for n, each in enumerate(read_exits(version.exits))
            ]
            self.exits = exits or [ExitRows(0, ConditionRows.of("exit0", ()))]
            return
        self.entry_rows = ConditionRows.typed("entry", data, more="more-entry" in data)
        self.exits = []
        for n in range(MAX_EXITS):
            if f"exit{n}-days" in data:
                rows = ConditionRows.typed(f"exit{n}", data, more=f"more-exit{n}" in data)
                typed = (data.get(f"exit{n}-days", "")[:5], data.get(f"exit{n}-outcome", "")[:20])
                self.exits.append(ExitRows(n, rows, *typed, back=f"exit{n}-back" in data))
        if "more-exits" in data and len(self.exits) < MAX_EXITS:
            number = len(self.exits)
            self.exits.append(ExitRows(number, ConditionRows.of(f"exit{number}", ())))

    @property
    def may_add_exit(self) -> bool:
        """Whether another criterion fits."""
        return len(self.exits) < MAX_EXITS

    def clean(self) -> dict[str, Any]:
        """Rows of conditions are part of the form."""
        data = super().clean() or {}
        if self.entry_rows.problem:
            self.add_error(None, self.entry_rows.problem)
        for each in self.exits:
            if each.empty:
                continue
            if each.rows.problem:
                self.add_error(None, each.rows.problem)
            if not each.days.isdigit() or int(each.days) > MAX_EXIT_DAYS:
                self.add_error(
                    None,
                    _("Criterion %(number)d: the days are a whole number from 0 to 365.")
                    % {"number": each.number + 1},
                )
        if data.get("again") == LATER and not data.get("again_days"):
            self.add_error("again_days", _("Say after how many days."))
        return data

    def terms(self) -> dict[str, Any]:
        """What the version stores."""
        data = self.cleaned_data
        entry: dict[str, Any] = {
            name: values
            for name, values in (
                ("segments", _listed(data["segments"])),
                ("stages", _listed(data["stages"])),
                ("bands", data["bands"]),
                ("conditions", self.entry_rows.stored),
            )
            if values
        }
        exits = [
            {
                "outcome": each.outcome,
                "days": int(each.days),
                "back": each.back,
                "conditions": each.rows.stored,
            }
            for each in self.exits
            if not each.empty
        ]
        again = {AT_ONCE: 0, LATER: data.get("again_days"), NEVER: None}[data["again"]]
        return {
            "entry": entry,
            "exits": exits,
            "reentry_days": again,
            "group": data["group"],
            "holdout_pct": data["holdout_pct"],
            "measure_days": data["measure_days"],
        }

    def refuse(self, error: ValidationError) -> None:
        """Show what the service did not accept."""
        if hasattr(error, "error_dict"):
            for name, found in error.message_dict.items():
                self.add_error(name if name in self.fields else None, ValidationError(found))
        else:
            self.add_error(None, ValidationError(error.messages))


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _initial(version: PlaybookVersion) -> dict[str, Any]:
    entry = read_entry(version.entry)
    days = version.reentry_days
    return {
        "segments": ", ".join(entry.segments),
        "stages": ", ".join(entry.stages),
        "bands": list(entry.bands),
        "again": NEVER if days is None else LATER if days else AT_ONCE,
        "again_days": days or None,
        "group": version.group,
        "holdout_pct": version.holdout_pct,
        "measure_days": version.measure_days,
    }
