"""Forms of the pages on which packs are shared and bundled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.links import MOST_DAYS
from accounts.models import Contact, Membership
from qbr.models import PackFile


class ShareForm(forms.Form):
    """Who gets a link, for how long, and what the mail says."""

    contact_ids = forms.MultipleChoiceField(
        label=_("Send to"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nobody chosen: one link that you pass on yourself. It is shown once."),
    )
    days = forms.IntegerField(label=_("Open for days"), min_value=1, max_value=MOST_DAYS)
    subject = forms.CharField(label=_("Subject"), max_length=300, required=False)
    message = forms.CharField(
        label=_("Text of the mail"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=_("The button with the link comes below it by itself."),
    )

    def __init__(self, *args: Any, contacts: Sequence[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["contact_ids"]
        assert isinstance(choice, forms.MultipleChoiceField)
        choice.choices = [(str(one.pk), f"{one.name or one.email} · {one.email}") for one in contacts]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return self.cleaned_data | {"contact_ids": [int(pk) for pk in self.cleaned_data["contact_ids"]]}


class BundleForm(forms.Form):
    """A month, whose packs, and as what."""

    month = forms.CharField(label=_("Month"), widget=forms.TextInput(attrs={"type": "month"}))
    owner = forms.TypedChoiceField(label=_("Owner"), required=False, coerce=int, empty_value=None)
    kinds = forms.MultipleChoiceField(
        label=_("As"), choices=PackFile.Kind.choices, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, owners: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["owner"]
        assert isinstance(choice, forms.TypedChoiceField)
        everybody = [("", _("Everybody"))] if len(owners) > 1 else []
        choice.choices = [*everybody, *((one.pk, str(one)) for one in owners)]
        choice.required = not everybody

    def clean_month(self) -> date:
        """The first day of the month."""
        try:
            return datetime.strptime(self.cleaned_data["month"], "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
        except ValueError as error:
            raise ValidationError(gettext("Write the month as year and month, such as 2026-07.")) from error
