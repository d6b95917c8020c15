"""Forms of attention: one's own budget and digest, and what holds for the company."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Tenant, Ticket
from alerts.models import MemberAttention
from alerts.models.attention import MOST_ALERTS
from alerts.selectors import attention_of

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]


def _hour(text: str) -> int | None:
    return int(text) if text else None


class MyAttentionForm(forms.Form):
    """What one member wants otherwise than the company."""

    budget = forms.IntegerField(
        label=_("Alerts that may interrupt me at once"),
        required=False,
        min_value=1,
        max_value=MOST_ALERTS,
        help_text=_(
            "Empty: as the company says. The most deserving come first, the rest waits in the digest."
        ),
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of my daily digest"),
        required=False,
        coerce=_hour,
        empty_value=None,
        choices=[("", _("As the company says")), *HOURS],
        help_text=_("In my own time zone."),
    )
    wants_digest = forms.BooleanField(label=_("Send me the digest by e-mail"), required=False)

    def __init__(self, data: Any = None, *, tenant: Tenant, member: Membership) -> None:
        row = MemberAttention.objects.filter(tenant=tenant, member=member).first()
        row = row or MemberAttention(tenant=tenant, member=member)
        initial = {name: getattr(row, name) for name in ("budget", "digest_hour", "wants_digest")}
        super().__init__(data, initial=initial)


class CompanyAttentionForm(forms.Form):
    """What holds for everybody."""

    prefix = "company"
    budget = forms.IntegerField(
        label=_("Alerts that may interrupt a CSM at once"), min_value=1, max_value=MOST_ALERTS
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the daily digest"),
        coerce=int,
        choices=HOURS,
        help_text=_("In each member's own time zone."),
    )
    enterprise_segments = forms.CharField(
        label=_("Segments that are enterprise"),
        required=False,
        max_length=1000,
        help_text=_("Separated by commas. Alerts at their accounts go to a person."),
    )
    complex_severity = forms.ChoiceField(
        label=_("An open ticket from this severity on is complex"),
        choices=Ticket.Severity.choices,
        help_text=_("Alerts at such accounts go to a person."),
    )

    def __init__(self, data: Any = None, *, tenant: Tenant) -> None:
        row = attention_of(tenant)
        names = ("budget", "digest_hour", "complex_severity")
        initial = {name: getattr(row, name) for name in names}
        initial["enterprise_segments"] = ", ".join(row.enterprise_segments)
        super().__init__(data, initial=initial)

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        words = self.cleaned_data["enterprise_segments"].split(",")
        return {**self.cleaned_data, "enterprise_segments": [word.strip() for word in words if word.strip()]}
