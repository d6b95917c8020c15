"""Forms of the pages about references."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Contact
from nps.references.models import (
    Incentive,
    Reference,
    ReferenceAsk,
    ReferenceSettings,
    ReferenceType,
    ReferenceUse,
)
from nps.references.services.settings import FIELDS
from workspace.expansion_forms import amount_of, cents_of

WORDS_HELP = _("Separated by commas.")


class WordsField(forms.CharField):
    """Several words in one line."""

    def to_python(self, value: Any) -> Any:
        """The words, each once."""
        text = super().to_python(value) or ""
        words = [word.strip()[:80] for word in text.split(",")]
        return list(dict.fromkeys(word for word in words if word))

    def validate(self, value: Any) -> None:
        """At most twenty; the length of each was cut to what fits."""
        if len(value) > 20:
            raise forms.ValidationError(_("Twenty words are enough."))

    def prepare_value(self, value: Any) -> Any:
        """The words as they are typed."""
        return ", ".join(value) if isinstance(value, list) else value


class AskForm(forms.Form):
    """Asking a person."""

    contact = forms.TypedChoiceField(label=_("Whom"), coerce=int)
    by_mail = forms.TypedChoiceField(
        label=_("How"),
        coerce=lambda value: value == "mail",
        choices=[("mail", _("By mail, now")), ("person", _("I have asked in person"))],
        initial="mail",
    )
    incentive = forms.ChoiceField(label=_("Thank-you"), choices=Incentive.choices, initial=Incentive.FEATURED)
    donation = forms.DecimalField(
        label=_("Donation"), min_value=0, max_digits=9, decimal_places=2, required=False
    )
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    body = forms.CharField(
        label=_("Text"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 8})
    )

    def __init__(self, *args: Any, people: list[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = cast(forms.TypedChoiceField, self.fields["contact"])
        contact.choices = [
            (one.pk, f"{one} · {', '.join(one.roles)}" if one.roles else str(one)) for one in people
        ]

    def clean(self) -> dict[str, Any]:
        """A mail needs words."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("by_mail"):
            for name in ("subject", "body"):
                if not str(cleaned.get(name, "")).strip():
                    self.add_error(name, _("A mail needs a subject and a text."))
        cleaned["cents"] = int((cleaned.get("donation") or Decimal(0)) * 100)
        return cleaned


class AnswerForm(forms.Form):
    """What came of an ask."""

    answer = forms.ChoiceField(label=_("Answer"), choices=ReferenceAsk.Answer.choices[1:])
    types = forms.MultipleChoiceField(
        label=_("Agreed to"),
        choices=ReferenceType.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("In their words"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    never = forms.BooleanField(label=_("Never ask this customer again"), required=False)


class ListingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a customer may be used for."""

    types = forms.MultipleChoiceField(
        label=_("Agreed to"), choices=ReferenceType.choices, widget=forms.CheckboxSelectMultiple
    )
    contact = forms.TypedChoiceField(label=_("Who speaks"), coerce=int, required=False, empty_value=None)
    products = WordsField(label=_("Products"), required=False, help_text=WORDS_HELP, max_length=2000)
    use_cases = WordsField(label=_("Use cases"), required=False, help_text=WORDS_HELP, max_length=2000)

    class Meta:
        model = Reference
        fields = (
            "types",
            "contact",
            "industry",
            "products",
            "use_cases",
            "region",
            "language",
            "quote",
            "note",
            "uses_per_quarter",
        )
        widgets = {"quote": forms.Textarea(attrs={"rows": 3}), "note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, people: list[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = cast(forms.TypedChoiceField, self.fields["contact"])
        contact.choices = [("", "–"), *((one.pk, str(one)) for one in people)]
        self.initial["contact"] = self.instance.contact_id or ""

    def _post_clean(self) -> None:
        """The service writes and checks; the form's instance stays as it is read."""


class RestForm(forms.Form):
    """A rest until a day."""

    until = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=_("Why"), max_length=300, required=False)


class UseForm(forms.Form):
    """A use for a deal."""

    deal = forms.CharField(label=_("For which deal"), max_length=200)
    kind = forms.ChoiceField(label=_("What for"), choices=ReferenceType.choices)
    used_on = forms.DateField(
        label=_("When"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    outcome = forms.ChoiceField(label=_("What came of it"), choices=ReferenceUse.Outcome.choices)
    note = forms.CharField(label=_("Note"), max_length=2000, required=False)

    def __init__(self, *args: Any, types: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = cast(forms.ChoiceField, self.fields["kind"])
        kind.choices = [pair for pair in ReferenceType.choices if pair[0] in types]


class RequestForm(forms.Form):
    """Sales needs a reference."""

    deal = forms.CharField(label=_("For which deal"), max_length=200)
    kind = forms.ChoiceField(label=_("What for"), choices=ReferenceType.choices)
    reference = forms.TypedChoiceField(label=_("Whom"), coerce=int, required=False, empty_value=None)
    wanted = forms.CharField(
        label=_("What would fit, and what the call is about"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    needed_on = forms.DateField(
        label=_("Needed by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, references: list[Reference], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reference = cast(forms.TypedChoiceField, self.fields["reference"])
        reference.choices = [
            ("", _("Somebody who fits")),
            *((one.pk, one.account.name) for one in references),
        ]


class CentsField(forms.DecimalField):
    """Money: typed in whole units, given on in cents."""

    def prepare_value(self, value: Any) -> Any:
        """What is kept, as people write it; what was typed stays as it is."""
        return amount_of(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """The cents."""
        return cents_of(super().clean(value))


class ReferenceSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Thresholds and limits."""

    roi_min_cents = CentsField(
        label=_("ROI per month from"),
        help_text=_("In the account's own currency."),
        min_value=0,
        max_digits=14,
        decimal_places=2,
    )
    donation_max_cents = CentsField(
        label=_("Largest donation"), min_value=0, max_value=100_000, max_digits=8, decimal_places=2
    )

    class Meta:
        model = ReferenceSettings
        fields = FIELDS

    def _post_clean(self) -> None:
        """The service writes and checks."""
