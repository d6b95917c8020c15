"""Forms of renewals: forecast, call, end, plan, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.visibility import money_hidden
from expansion.models import Renewal, RenewalSettings
from expansion.renewals.services import MOST_STEPS, PlanStep

NOTE_LENGTH = 4000
MOST_AMOUNT = 10**13
PLAN_ROWS = 3


def cents_of(amount: Decimal | None) -> int | None:
    """An amount of a form in cents."""
    return None if amount is None else int((amount * 100).to_integral_value())


def amount_of(cents: int | None) -> Decimal | None:
    """Cents as a form shows them."""
    if cents is None or money_hidden():
        return None
    return Decimal(cents // 100) if cents % 100 == 0 else (Decimal(cents) / 100).quantize(Decimal("0.01"))


def _amount(label: Any, help_text: Any, *, required: bool = False) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=0,
        max_value=MOST_AMOUNT,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "0.01", "min": "0"}),
    )


class RefusableForm(forms.Form):
    """A form whose service may refuse what was typed."""

    def refuse(self, error: ValidationError) -> None:
        """Show what the service did not accept beside the fields it is about."""
        for name, found in error.error_dict.items():
            self.add_error(name if name in self.fields else None, found)


class ForecastForm(RefusableForm):
    """How likely a renewal is, and what it will come to."""

    category = forms.ChoiceField(
        label=_("Category"), required=False, choices=[("", _("By the numbers")), *Renewal.Category.choices]
    )
    forecast_cents = _amount(_("Forecast"), _("At most the target. Empty: the whole target."))
    note = forms.CharField(
        label=_("Why"), required=False, max_length=NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 2})
    )

    @classmethod
    def of(cls, renewal: Renewal, data: Mapping[str, Any] | None = None) -> ForecastForm:
        """The form with what stands now."""
        return cls(
            data,
            prefix="forecast",
            initial={
                "category": renewal.category if renewal.category_by_hand else "",
                "forecast_cents": amount_of(renewal.said_cents),
            },
        )


class CallForm(RefusableForm):
    """What was said in a call; at a checkpoint also what the CSM expects."""

    note = forms.CharField(
        label=_("What was said"), max_length=NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
    category = forms.ChoiceField(
        label=_("What do you expect?"), required=False, choices=[("", "–"), *Renewal.Category.choices]
    )


class CloseForm(RefusableForm):
    """How a renewal ended."""

    final = _amount(_("Final amount"), _("Of the whole term. 0: it is lost."), required=True)
    reason = forms.ChoiceField(
        label=_("Why it comes to less"), required=False, choices=[("", "–"), *Renewal.Reason.choices]
    )
    reason_note = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ReasonForm(RefusableForm):
    """Why something was lost, after it closed by itself."""

    reason = forms.ChoiceField(label=_("Why"), choices=[("", "–"), *Renewal.Reason.choices])
    reason_note = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What the company decides about renewals."""

    rates_text = forms.CharField(
        label=_("Rates to the company's currency"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "One a line, such as “USD 0.92”. Without rates, amounts of different currencies are never added up."
        ),
    )

    class Meta:
        model = RenewalSettings
        fields = (
            "usual_term_months",
            "shortest_term_months",
            "commit_pct",
            "best_case_pct",
            "at_risk_pct",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = (f"{currency} {rate}" for currency, rate in self.instance.rates.items())
        self.fields["rates_text"].initial = "\n".join(lines)

    def validate_unique(self) -> None:
        """The service keeps the one row."""

    def wish(self) -> dict[str, Any]:
        """What the service takes."""
        rates: dict[str, str] = {}
        for text in self.cleaned_data["rates_text"].splitlines():
            if text.strip():
                currency, _space, rate = text.strip().partition(" ")
                rates[currency] = rate
        return {name: self.cleaned_data[name] for name in self.Meta.fields} | {"rates": rates}

    def refuse(self, error: ValidationError) -> None:
        """Show what the service did not accept beside the fields it is about."""
        for name, found in error.error_dict.items():
            field = "rates_text" if name == "rates" else name
            self.add_error(field if field in self.fields else None, found)


# ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────────


class PlanRow:
    """One step as it was typed, with its faults."""

    def __init__(self, number: int, data: Mapping[str, Any] | None, owner_id: int | None) -> None:
        self.number = number
        typed = data or {}
        self.title = str(typed.get(f"title-{number}", "")).strip()
        self.owner = str(typed.get(f"owner-{number}", owner_id or ""))
        self.due = str(typed.get(f"due-{number}", ""))
        self.errors: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed; an owner alone is what the form proposed."""
        return not (self.title or self.due)

    def step(self, members: Sequence[Membership]) -> PlanStep:
        """The step as the service takes it; what cannot be read is missing."""
        known = {str(member.pk) for member in members}
        try:
            due_on = date.fromisoformat(self.due)
        except ValueError:
            due_on = None
        return PlanStep(self.title[:200], int(self.owner) if self.owner in known else None, due_on)


class PlanForm:
    """A plan as a table of steps; empty rows are left out, the service judges the others."""

    def __init__(self, data: Mapping[str, Any] | None, owner_id: int | None) -> None:
        self.summary = str((data or {}).get("summary", "")).strip()[:NOTE_LENGTH]
        rows = PLAN_ROWS
        if data is not None:
            given = str(data.get("rows", ""))
            rows = (
                min(int(given), MOST_STEPS)
                if given.isascii() and given.isdigit() and len(given) < 4
                else PLAN_ROWS
            )
        self.rows = [PlanRow(number, data, owner_id) for number in range(max(rows, 1))]
        self.errors: list[str] = []

    def add_row(self, owner_id: int | None) -> None:
        """Room for one step more, up to the most."""
        if len(self.rows) < MOST_STEPS:
            self.rows.append(PlanRow(len(self.rows), None, owner_id))

    def steps(self, members: Sequence[Membership]) -> list[PlanStep]:
        """The steps that were typed."""
        return [row.step(members) for row in self.rows if not row.is_empty]

    def refuse(self, error: ValidationError) -> None:
        """Put each fault to its row."""
        typed = [row for row in self.rows if not row.is_empty]
        for name, messages in error.message_dict.items():
            number = name.rpartition("-")[2]
            if number.isdigit() and int(number) < len(typed):
                typed[int(number)].errors += messages
            else:
                self.errors += messages

    @property
    def is_full(self) -> bool:
        """Whether no step can be added."""
        return len(self.rows) >= MOST_STEPS


def plan_hint() -> str:
    """What a good plan is, on the form."""
    return gettext("Two or three steps that change something, each with one person and a day.")
