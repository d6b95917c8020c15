"""Forms of the expansion pages: money is typed in whole units and kept in cents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.visibility import money_hidden
from expansion.models import Offering, Opportunity, OpportunityType
from expansion.pricing import MOST_PCT

CENTS = Decimal(100)
MOST = Decimal(10**11)
TEXT = 4000
DAY = {"type": "date"}


def cents_of(amount: Decimal | None) -> int | None:
    """Cents of a typed amount."""
    return None if amount is None else int((amount * CENTS).quantize(Decimal(1), ROUND_HALF_UP))


def amount_of(cents: int | None) -> Decimal | None:
    """A typed amount of cents, without needless places."""
    if cents is None or money_hidden():
        return None
    return Decimal(cents // 100) if cents % 100 == 0 else (Decimal(cents) / CENTS).quantize(Decimal("0.01"))


def _day(label: Any, *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, required=required, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d")
    )


def _money(label: Any, *, required: bool = True, least: Decimal | None = Decimal(0)) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=required, min_value=least, max_value=MOST, decimal_places=2, max_digits=14
    )


class OpenForm(forms.Form):
    """A new opportunity at an account."""

    account = forms.CharField(
        label=_("Account"), max_length=200, help_text=_("Its external id, as in the list of accounts.")
    )
    offering = forms.ChoiceField(label=_("What could they buy"))
    value = _money(_("Value a month"), required=False)
    seats = forms.IntegerField(label=_("Seats to add"), required=False, min_value=0, max_value=1_000_000)
    note = forms.CharField(
        label=_("Why now"), required=False, max_length=TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, offerings: Sequence[Offering], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for one in offerings:
            groups.setdefault(str(one.get_type_display()), []).append((f"{one.type}:{one.key}", one.name))
        for type_, word in OpportunityType.choices:
            groups.setdefault(str(word), []).append((f"{type_}:", str(_("Not decided yet"))))
        field = cast(forms.ChoiceField, self.fields["offering"])
        field.choices = [("", _("Choose")), *groups.items()]
        self.fields["value"].help_text = str(_("Empty: the list price. What is paid once: its price."))


class EditForm(forms.Form):
    """What is known of an opportunity; every stage asks for some of it."""

    what = forms.ChoiceField(label=_("What is sold"), required=False)
    value = _money(_("Value a month"))
    seats = forms.IntegerField(label=_("Seats to add"), required=False, min_value=0, max_value=1_000_000)
    probability = forms.IntegerField(
        label=_("Probability, %"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Empty: that of the stage."),
    )
    close_on = _day(_("Expected to close"))
    owner = forms.TypedChoiceField(label=_("Owner"), coerce=int, empty_value=None, required=False)
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=300)
    next_on = _day(_("Next step on"), required=False)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
    case_text = forms.CharField(
        label=_("Internal case"),
        required=False,
        max_length=TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What they use, what it brings them, who else could use it."),
    )
    roi = _money(_("ROI a month"), required=False, least=None)
    proposed_on = _day(_("Proposal sent on"), required=False)
    pilot_goal = forms.CharField(label=_("Goal of the pilot"), required=False, max_length=500)
    pilot_until = _day(_("Pilot ends on"), required=False)
    pilot_result = forms.ChoiceField(label=_("How the pilot ended"), required=False)
    pilot_note = forms.CharField(
        label=_("What the pilot showed"),
        required=False,
        max_length=TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    GROUPS = (
        ("deal", ("what", "value", "seats", "probability", "close_on", "owner")),
        ("next", ("next_step", "next_on", "note")),
        ("case", ("case_text", "roi")),
        ("proposal", ("proposed_on",)),
        ("pilot", ("pilot_goal", "pilot_until", "pilot_result", "pilot_note")),
    )

    def __init__(
        self,
        *args: Any,
        one: Opportunity,
        offerings: Sequence[Offering],
        members: Sequence[Membership],
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("initial", _initial(one))
        super().__init__(*args, **kwargs)
        own = [(offering.key, offering.name) for offering in offerings if offering.type == one.type]
        if one.what and one.what not in dict(own):  # one that was switched off meanwhile
            own.append((one.what, one.title))
        cast(forms.ChoiceField, self.fields["what"]).choices = [("", _("Not decided yet")), *own]
        people = [(member.pk, str(member)) for member in members]
        cast(forms.ChoiceField, self.fields["owner"]).choices = [("", "–"), *people]
        results = [("", "–"), *Opportunity.PilotResult.choices]
        cast(forms.ChoiceField, self.fields["pilot_result"]).choices = results
        self.fields["value"].label = _("Value a month") if one.recurring else _("Price")
        for name in ("value", "roi"):
            self.fields[name].label = f"{self.fields[name].label} ({one.currency})"

    def groups(self) -> dict[str, list[forms.BoundField]]:
        """The fields by the part of the page they belong to."""
        return {key: [self[name] for name in names] for key, names in self.GROUPS}

    def fields_to_save(self) -> dict[str, Any]:
        """The cleaned values as the service takes them."""
        data = dict(self.cleaned_data)
        return {
            "what": data.pop("what"),
            "value_cents": cents_of(data.pop("value")),
            "roi_cents": cents_of(data.pop("roi")),
            "probability_pct": data.pop("probability"),
            "owner_id": data.pop("owner"),
            **data,
        }

    FIELD_OF: dict[str, str] = {
        "value_cents": "value",
        "roi_cents": "roi",
        "probability_pct": "probability",
        "owner_id": "owner",
    }


def _initial(one: Opportunity) -> dict[str, Any]:
    return {
        "what": one.what,
        "value": amount_of(one.value_cents),
        "seats": one.seats,
        "probability": one.probability_pct if one.probability_is_own else None,
        "close_on": one.close_on,
        "owner": one.owner_id,
        "next_step": one.next_step,
        "next_on": one.next_on,
        "note": one.note,
        "case_text": one.case_text,
        "roi": amount_of(one.roi_cents),
        "proposed_on": one.proposed_on,
        "pilot_goal": one.pilot_goal,
        "pilot_until": one.pilot_until,
        "pilot_result": one.pilot_result,
        "pilot_note": one.pilot_note,
    }


class DiscountForm(forms.Form):
    """A discount that somebody asks for."""

    pct = forms.IntegerField(label=_("Discount, %"), min_value=0, max_value=MOST_PCT)
    reason = forms.CharField(
        label=_("Why"), max_length=TEXT, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class WinForm(forms.Form):
    """The account bought."""

    starts_on = _day(_("It begins on"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=TEXT)
