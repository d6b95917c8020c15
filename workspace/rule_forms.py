"""The form of a rule: its thresholds as fields, one form for every kind, drawn from the kind's own definition."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import Rule, Severity
from alerts.params import PARAMS, parse_params

MOST_DAYS = 365
LABELS = {
    "metrics": _("Metrics, separated by commas; empty: every metric with a target"),
    "metric": _("Metric"),
    "below": _("Fires below this share (0.5 is half)"),
    "weeks": _("Complete weeks in a row"),
    "resolve_at": _("Resolves from this share on"),
    "baseline_weeks": _("Weeks it is compared with"),
    "min_volume": _("Least volume in the week"),
    "minimum": _("Least value"),
    "grace_days": _("Days of grace after go-live"),
    "hours": _("Hours"),
    "points": _("Points lost"),
    "days": _("Within days"),
    "worse_band": _("Also when the band gets worse"),
    "resolve_within": _("Resolves within points of the score before"),
}


class RuleForm(forms.Form):
    """Severity, patience and thresholds of a rule."""

    severity = forms.ChoiceField(label=_("Severity"), choices=Severity.choices)
    dwell_days = forms.IntegerField(label=_("Days it must hold before it fires"), min_value=0, max_value=90)
    cooldown_days = forms.IntegerField(
        label=_("Days of silence after an alert has ended"), min_value=0, max_value=MOST_DAYS
    )

    def __init__(self, *args: Any, rule: Rule, **kwargs: Any) -> None:
        self.rule = rule
        values = msgspec.to_builtins(parse_params(rule.kind, rule.params))
        initial = {
            "severity": rule.severity,
            "dwell_days": rule.dwell_days,
            "cooldown_days": rule.cooldown_days,
            **values,
        }
        initial = {
            name: ", ".join(value) if isinstance(value, (list, tuple)) else value
            for name, value in initial.items()
        }
        super().__init__(*args, **kwargs | {"initial": initial})
        for name, value in values.items():
            self.fields[name] = _field(name, value)

    def clean(self) -> dict[str, Any]:
        """Check the thresholds together, as the nightly run reads them."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                parse_params(self.rule.kind, self.params())
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def params(self) -> dict[str, Any]:
        """The thresholds as they are stored."""
        names = [field.name for field in msgspec.structs.fields(PARAMS[self.rule.kind])]
        found = {name: self.cleaned_data[name] for name in names}
        if "metrics" in found:
            found["metrics"] = [key.strip() for key in found["metrics"].split(",") if key.strip()]
        return found

    def changes(self) -> dict[str, Any]:
        """What `save_rule` takes."""
        return {name: self.cleaned_data[name] for name in ("severity", "dwell_days", "cooldown_days")} | {
            "params": self.params()
        }


def _field(name: str, value: object) -> forms.Field:
    label = LABELS.get(name, name)
    if isinstance(value, bool):
        return forms.BooleanField(label=label, required=False)
    if isinstance(value, int):
        return forms.IntegerField(label=label, min_value=0)
    if isinstance(value, float):
        return forms.FloatField(label=label, min_value=0)
    return forms.CharField(label=label, required=not isinstance(value, (list, tuple)), max_length=500)
