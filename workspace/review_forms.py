"""Forms of registers, packs and the cadence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from qbr.cadence import add_months
from qbr.models import Entry, Highlight, Risk, RoadmapItem, RoiEntry
from qbr.registers.services import quarter_of

TEXT_LENGTH = 4000
DAY = {"type": "date"}


class MonthField(forms.CharField):
    """A month, `2026-03`, as its first day."""

    widget = forms.TextInput(attrs={"type": "month"})

    def to_python(self, value: Any) -> Any:
        """The month's first day; None of nothing."""
        text = str(value or "").strip()
        if not text or isinstance(value, date):
            return value or None
        try:
            return date.fromisoformat(f"{text[:7]}-01")
        except ValueError as error:
            raise forms.ValidationError(_("Enter a month, such as 2026-03.")) from error

    def prepare_value(self, value: Any) -> Any:
        """As the browser's field has it."""
        return value.isoformat()[:7] if isinstance(value, date) else value


class DayField(forms.DateField):
    """A date with the browser's own picker."""

    widget = forms.DateInput(attrs=DAY, format="%Y-%m-%d")


def _text(label: Any, *, required: bool = False, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class RegisterForm(forms.Form):
    """A line of a register; `members` are those who may own one, `figures` what may prove one."""

    def __init__(
        self,
        *args: Any,
        members: Sequence[Membership] = (),
        figures: Sequence[tuple[int, str]] = (),
        today: date,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fill(members, figures, today)

    def fill(self, members: Sequence[Membership], figures: Sequence[tuple[int, str]], today: date) -> None:
        """Give the choices that depend on the tenant."""

    def values(self) -> dict[str, Any]:
        """What was typed, as the register's service takes it."""
        return dict(self.cleaned_data)


class RoiForm(RegisterForm):
    """Value that was proven."""

    title = forms.CharField(label=gettext_lazy("What"), max_length=200)
    kind = forms.ChoiceField(label=gettext_lazy("Kind of value"), choices=RoiEntry.Kind.choices)
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"), min_value=Decimal("0.01"), max_digits=14, decimal_places=2
    )
    currency = forms.CharField(label=gettext_lazy("Currency"), min_length=3, max_length=3)
    first_month = MonthField(label=gettext_lazy("From month"))
    last_month = MonthField(
        label=gettext_lazy("To month"),
        help_text=gettext_lazy("The amount is shared out evenly among the months."),
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=200,
        help_text=gettext_lazy("Where the number comes from, such as the customer's CRM."),
    )
    evidence = _text(gettext_lazy("Evidence"))
    figure = forms.TypedChoiceField(
        label=gettext_lazy("Figure"), required=False, coerce=int, empty_value=None
    )

    def fill(self, members: Sequence[Membership], figures: Sequence[tuple[int, str]], today: date) -> None:
        """The account's newest figures."""
        field = cast(forms.TypedChoiceField, self.fields["figure"])
        field.choices = [("", _("None")), *figures]

    def values(self) -> dict[str, Any]:
        """The amount in cents."""
        said = dict(self.cleaned_data)
        said["amount_cents"] = int((said.pop("amount") * 100).to_integral_value())
        return said


class RiskForm(RegisterForm):
    """Something that may go wrong."""

    title = forms.CharField(label=gettext_lazy("Risk"), max_length=200)
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"), coerce=int, choices=Risk.Severity.choices, initial=2
    )
    likelihood = forms.TypedChoiceField(
        label=gettext_lazy("Likelihood"), coerce=int, choices=Risk.Likelihood.choices, initial=2
    )
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=Risk.State.choices)
    owner = forms.TypedChoiceField(label=gettext_lazy("Owner"), required=False, coerce=int, empty_value=None)
    mitigation = _text(gettext_lazy("Mitigation"))
    due_on = DayField(label=gettext_lazy("Due"), required=False)

    def fill(self, members: Sequence[Membership], figures: Sequence[tuple[int, str]], today: date) -> None:
        """Who may own it."""
        field = cast(forms.TypedChoiceField, self.fields["owner"])
        field.choices = [("", _("Nobody")), *((member.pk, str(member)) for member in members)]


class RoadmapForm(RegisterForm):
    """Something that comes."""

    title = forms.CharField(label=gettext_lazy("What"), max_length=200)
    detail = _text(gettext_lazy("Details"))
    quarter_on = forms.TypedChoiceField(label=gettext_lazy("Quarter"), coerce=date.fromisoformat)
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=RoadmapItem.State.choices)
    audience = forms.CharField(label=gettext_lazy("For whom"), max_length=200, required=False)

    def fill(self, members: Sequence[Membership], figures: Sequence[tuple[int, str]], today: date) -> None:
        """The last quarter and the next seven, and the one that is chosen."""
        field = cast(forms.TypedChoiceField, self.fields["quarter_on"])
        start = add_months(quarter_of(today), -3)
        quarters = {add_months(start, 3 * n) for n in range(9)}
        chosen = self.initial.get("quarter_on")
        if isinstance(chosen, date):
            quarters.add(chosen)
        field.choices = [(day.isoformat(), quarter_name(day)) for day in sorted(quarters)]
        if not self.initial.get("quarter_on"):
            self.initial["quarter_on"] = add_months(quarter_of(today), 3)


def quarter_name(day: date) -> str:
    """A quarter in the member's language."""
    return _("Q%(number)d %(year)d") % {"number": (day.month + 2) // 3, "year": day.year}


class HighlightForm(RegisterForm):
    """Something worth telling."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Highlight.Kind.choices)
    title = forms.CharField(label=gettext_lazy("What"), max_length=200)
    detail = _text(gettext_lazy("Details"))
    happened_on = DayField(label=gettext_lazy("When"))

    def fill(self, members: Sequence[Membership], figures: Sequence[tuple[int, str]], today: date) -> None:
        """Today unless said otherwise."""
        self.initial.setdefault("happened_on", today)


REGISTER_FORMS: Mapping[str, type[RegisterForm]] = {
    "roi": RoiForm,
    "risk": RiskForm,
    "roadmap": RoadmapForm,
    "highlight": HighlightForm,
}


def initial_of(register: str, entry: Entry | None, currency: str, today: date) -> dict[str, Any]:
    """What a form begins with."""
    if entry is None:
        return {"currency": currency, "first_month": today, "last_month": today} if register == "roi" else {}
    names = REGISTER_FORMS[register].base_fields
    said = {name: getattr(entry, name, None) for name in names}
    if isinstance(entry, RoiEntry):
        said |= {
            "amount": (Decimal(entry.amount_cents) / 100).quantize(Decimal("0.01")),
            "figure": entry.figure_id,
        }
    if isinstance(entry, Risk):
        said["owner"] = entry.owner_id
    return said


class ActionForm(forms.Form):
    """Something agreed at a review."""

    title = forms.CharField(label=gettext_lazy("What has to be done"), max_length=200)
    owner = forms.TypedChoiceField(
        label=gettext_lazy("Who of us"), required=False, coerce=int, empty_value=None
    )
    customer_owner = forms.CharField(
        label=gettext_lazy("Who of the customer"), required=False, max_length=200
    )
    due_on = DayField(label=gettext_lazy("Until"))

    def __init__(self, *args: Any, members: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["owner"])
        field.choices = [
            ("", _("The account's owner")),
            *((member.pk, str(member)) for member in members),
        ]


class CadenceForm(forms.Form):
    """When packs are drafted, and for whom."""

    draft_days = forms.IntegerField(
        label=gettext_lazy("Draft the pack so many days before the review"), min_value=1, max_value=60
    )
    share_days = forms.IntegerField(
        label=gettext_lazy("A shared pack can be opened for so many days"), min_value=1, max_value=365
    )
    include_tech = forms.BooleanField(label=gettext_lazy("Also for accounts with tech touch"), required=False)
