"""The admin's form of a rule: a field for each of its thresholds."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.fence.scope import current_tenant_id
from playbooks.selectors import startable_playbooks
from usage.models import Metric

from .conditions import ConditionError
from .models import Channel, Rule
from .params import PARAMS, parse_params, stored_params
from .rule_words import fault_words

PREFIX = "threshold_"

# Label and help of each threshold.
WORDS: dict[str, tuple[Promise, Promise | str]] = {
    "metrics": (
        gettext_lazy("Metrics"),
        gettext_lazy("None chosen: every metric the account has a target for."),
    ),
    "metric": (gettext_lazy("Metric"), ""),
    "below": (
        gettext_lazy("Fires under this share"),
        gettext_lazy("0.5 is 50%. Exactly on it does not fire."),
    ),
    "resolve_at": (
        gettext_lazy("Resolves from this share on"),
        gettext_lazy("Not less than the share that fires."),
    ),
    "weeks": (gettext_lazy("Complete weeks in a row"), ""),
    "baseline_weeks": (gettext_lazy("Weeks to compare with"), ""),
    "min_volume": (
        gettext_lazy("Least volume in the week"),
        gettext_lazy("Weeks with fewer are not judged."),
    ),
    "minimum": (gettext_lazy("Fires under"), ""),
    "grace_days": (gettext_lazy("Days of grace after go-live"), ""),
    "hours": (gettext_lazy("Hours"), gettext_lazy("Fires after more than this many.")),
    "points": (gettext_lazy("Points lost"), gettext_lazy("Exactly this many fire.")),
    "days": (gettext_lazy("Within days"), ""),
    "worse_band": (gettext_lazy("A worse band fires, too"), ""),
    "least_people": (
        gettext_lazy("Least contacts with access"),
        gettext_lazy("Of two people one says little."),
    ),
    "inactive_days": (gettext_lazy("Days of silence"), gettext_lazy("After having been active.")),
    "forget_days": (gettext_lazy("Days after which it is old news"), ""),
    "unless_another": (gettext_lazy("Not while another champion is active"), ""),
    "tree": (
        gettext_lazy("Conditions as JSON"),
        gettext_lazy("Easier on the page Rules of the workspace."),
    ),
    "resolve_within": (gettext_lazy("Resolves within so many points of the score before"), ""),
}


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A rule; `rule_form` adds the thresholds of its kind."""

    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Channels besides the inbox"),
        choices=Channel.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Rule
        fields = [
            "key",
            "name",
            "description",
            "kind",
            "severity",
            "play",
            "play_key",
            "channels",
            "enabled",
            "position",
            "dwell_days",
            "cooldown_days",
            "clear_days",
            "reentry_max",
            "reentry_days",
            "grace_days",
            "include_churned",
            "interrupts",
            "topic",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:  # conditions are built on a page of the workspace
            kinds = [choice for choice in Rule.Kind.choices if choice[0] != Rule.Kind.CONDITIONS]
            self.fields["kind"] = forms.ChoiceField(label=gettext_lazy("Kind"), choices=kinds)
        if "play_key" in self.fields:
            plays = [("", "—"), *((play.key, play.name) for play in startable_playbooks(current_tenant_id()))]
            self.fields["play_key"] = forms.ChoiceField(
                label=gettext_lazy("Play"),
                choices=plays,
                required=False,
                help_text=gettext_lazy(
                    "Beside the weakest component: the play for components that have none."
                ),
            )

    def clean(self) -> dict[str, Any]:
        """Check the thresholds together and that a play is named where one is needed."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("play") == Rule.Play.FIXED and not cleaned.get("play_key"):
            self.add_error("play_key", _("Choose the play."))
        kind = cleaned.get("kind") or self.instance.kind
        values = {
            name.removeprefix(PREFIX): value for name, value in cleaned.items() if name.startswith(PREFIX)
        }
        if kind and not self.errors:
            try:
                self.instance.params = stored_params(parse_params(kind, values))
            except ConditionError as error:
                raise ValidationError(f"{error.path}: {fault_words(error)}") from error
            except ValueError as error:
                raise ValidationError(
                    _("These thresholds cannot be used: %(reason)s") % {"reason": error}
                ) from error
        return cleaned


def rule_form(kind: str, params: dict[str, Any], metrics: list[tuple[str, str]]) -> type[RuleForm]:
    """A form with a field for every threshold of the kind; `metrics` are the choices where one is named."""
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(PARAMS[kind]):
        fields[PREFIX + field.name] = _threshold(field.name, params.get(field.name, field.default), metrics)
    return type("KindRuleForm", (RuleForm,), fields)


def metric_choices() -> list[tuple[str, str]]:
    """The tenant's active metrics."""
    return sorted(
        ((one.key, str(one)) for one in Metric.objects.filter(active=True)), key=lambda one: one[1].lower()
    )


def _threshold(name: str, value: Any, metrics: list[tuple[str, str]]) -> forms.Field:
    label, words = WORDS[name]
    common: dict[str, Any] = {"label": label, "help_text": words, "initial": value}
    if name == "tree":
        return forms.JSONField(**common)
    if isinstance(value, bool):
        return forms.BooleanField(required=False, **common)
    if isinstance(value, list | tuple):
        return forms.MultipleChoiceField(
            choices=_with(metrics, value), required=False, widget=forms.CheckboxSelectMultiple, **common
        )
    if isinstance(value, str):
        return forms.ChoiceField(choices=_with(metrics, [value]), **common)
    if name in {
        "weeks",
        "baseline_weeks",
        "grace_days",
        "days",
        "least_people",
        "inactive_days",
        "forget_days",
    }:
        return forms.IntegerField(min_value=0, max_value=365, **common)
    return forms.FloatField(min_value=0, **common)


def _with(metrics: list[tuple[str, str]], chosen: list[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    """The choices, including chosen ones that are no active metric any more."""
    known = {key for key, _name in metrics}
    return [*metrics, *((key, key) for key in chosen if key not in known)]
