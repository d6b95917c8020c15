"""Forms of people, teams and the company's settings; each field says what a change of it causes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.brand import DARK_SURFACE, HEX_COLOUR, LIGHT_SURFACE, READABLE, contrast
from accounts.models import Membership, Role, Team, Tenant, TenantSettings
from workspace.forms import zone_choices

ADDRESS_BREAK = re.compile(r"[\s,;]+")
NOBODY, BOOK = "nobody", "book"


def _teams(field: forms.Field, teams: Sequence[Team]) -> None:
    cast(forms.MultipleChoiceField, field).choices = [(team.pk, team.name) for team in teams]


class InviteForm(forms.Form):
    """New people in the company: who, as what, and whose accounts they see."""

    emails = forms.CharField(
        label=_("E-mail addresses"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=_(
            "One or several, divided by commas or lines. Everybody gets a mail with a link of their own."
        ),
    )
    name = forms.CharField(
        label=_("Name"), max_length=150, required=False, help_text=_("Only for a single address.")
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.CSM)
    scope = forms.ChoiceField(label=_("Sees"), choices=Membership.Scope.choices, initial=Membership.Scope.ALL)
    team_ids = forms.TypedMultipleChoiceField(
        label=_("Teams"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, teams: Sequence[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _teams(self.fields["team_ids"], teams)
        if not teams:
            del self.fields["team_ids"]

    def clean_emails(self) -> list[str]:
        """The addresses one by one."""
        return [part for part in ADDRESS_BREAK.split(self.cleaned_data["emails"]) if part]


class MemberForm(forms.Form):
    """A member's role, scope and teams."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        help_text=_("Holds from the next page that this person opens."),
    )
    scope = forms.ChoiceField(
        label=_("Sees"),
        choices=Membership.Scope.choices,
        help_text=_("In lists, search, files, reports and mails. Admins always see everything."),
    )
    team_ids = forms.TypedMultipleChoiceField(
        label=_("Teams"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, teams: Sequence[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _teams(self.fields["team_ids"], teams)
        if not teams:
            del self.fields["team_ids"]


class LeavingForm(forms.Form):
    """What becomes of the work of somebody who leaves; it has to be chosen."""

    to = forms.ChoiceField(
        label=_("Accounts, open tasks and alerts go to"),
        help_text=_("Without an owner they wait in the pool of the managers."),
    )
    with_keys = forms.BooleanField(
        label=_("Revoke the API keys this person made"),
        required=False,
        help_text=_("Whoever made a key has seen it. What sends or reads with it stops at once."),
    )

    def __init__(
        self, *args: Any, members: Sequence[Membership], has_book: bool, has_keys: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        book = [(BOOK, _("The next page: hand the book over, with a note"))] if has_book else []
        cast(forms.ChoiceField, self.fields["to"]).choices = [
            ("", _("Choose…")),
            *book,
            (NOBODY, _("Nobody: the managers' pool")),
            *((str(member.pk), str(member)) for member in members),
        ]
        if not has_keys:
            del self.fields["with_keys"]


class TeamForm(forms.Form):
    """A team's name and who is in it."""

    name = forms.CharField(label=_("Name of the team"), max_length=100)
    member_ids = forms.TypedMultipleChoiceField(
        label=_("Members"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, members: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.MultipleChoiceField, self.fields["member_ids"])
        field.choices = [(member.pk, str(member)) for member in members]


class CompanyForm(forms.Form):
    """What the company is called, and in which language, money and time zone it works."""

    name = forms.CharField(
        label=_("Name of the company"),
        max_length=200,
        help_text=_("Stands on every page, in mails and on documents for customers."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", "English"), ("es", "Español")],
        help_text=_("For members who chose none, and for customers whose own is not known."),
    )
    currency = forms.CharField(
        label=_("Currency"),
        min_length=3,
        max_length=3,
        help_text=_(
            "Accounts without a currency are counted in it, and sums over accounts from the next night on. "
            "Amounts are not converted."
        ),
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_(
            "Days begin and end in it. A change puts every event on its day anew, in the background; "
            "stored scores stay as they were."
        ),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {field: getattr(tenant, field) for field in ("name", "language", "currency", "timezone")},
        )
        super().__init__(*args, **kwargs)
        choices = zone_choices()
        if tenant.timezone not in dict(choices):
            choices = [*choices, (tenant.timezone, tenant.timezone)]
        cast(forms.ChoiceField, self.fields["timezone"]).choices = choices


class LookForm(forms.Form):
    """The company's colour."""

    brand_color = forms.CharField(
        label=_("Colour"),
        max_length=7,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "#1f6feb", "autocomplete": "off"}),
        help_text=_(
            "As # and six digits; empty for ours. The frame of every page, mails and documents take it."
        ),
    )

    def contrast_note(self) -> Any:
        """What we do about a colour in which text could not be read; None for one that is fine or none."""
        data = self.data if self.is_bound else self.initial
        colour = str(data.get("brand_color") or "").strip()
        if not HEX_COLOUR.match(colour):
            return None
        worst = min(contrast(colour, LIGHT_SURFACE), contrast(colour, DARK_SURFACE))
        if worst >= READABLE:
            return None
        return _(
            "Text in exactly this colour could not be read on every background (contrast %(found)s, at least "
            "%(least)s is needed), so text takes it lighter or darker; surfaces keep it."
        ) % {"found": f"{worst:.1f}", "least": f"{READABLE:.1f}"}


class DataForm(forms.Form):
    """What happens to events, and when the night runs."""

    unknown_accounts = forms.ChoiceField(
        label=_("An event of an unknown account"),
        choices=TenantSettings.UnknownAccounts.choices,
        help_text=_("Either way it is seen on the page of sources. Holds for events from now on."),
    )
    raw_retention_days = forms.IntegerField(
        label=_("Days to keep raw events"),
        min_value=30,
        max_value=3650,
        help_text=_(
            "Older raw events are deleted for good, in whole months, with the next maintenance. Daily figures and "
            "scores stay; new metrics can only look back as far as raw events reach."
        ),
    )
    nightly_hour = forms.IntegerField(
        label=_("Hour of the nightly run"),
        min_value=0,
        max_value=23,
        help_text=_("On the company's clock, 0 to 23. Scores, alerts and tasks of the day are made then."),
    )


class MoneyForm(forms.Form):
    """Which roles see no amounts of money."""

    roles = forms.MultipleChoiceField(
        label=_("Amounts of money are hidden from"),
        choices=[(role.value, role.label) for role in Role if role != Role.ADMIN],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "MRR and everything derived from it: on pages, in charts, in files, in sorting. Documents with amounts "
            "(QBR packs, proposals, case studies, retention) do not open for these roles. Keys of the API see all."
        ),
    )


class PersonForm(forms.Form):
    """Whom a request is about."""

    q = forms.CharField(
        label=_("E-mail address, user id or whole name"),
        max_length=254,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    """Why a person's data are given out or erased."""

    reason = forms.CharField(
        label=_("Why, and who asked for it"),
        max_length=300,
        help_text=_("Stays in the log. Do not write the name or the address of the person here."),
    )


class DeletionForm(forms.Form):
    """The name of the company, typed by whoever wants it deleted."""

    typed = forms.CharField(
        label=_("Type the name of the company"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
