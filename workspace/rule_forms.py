"""The forms of a rule beside its condition: what it is called, whom it is about, how patient it is, what happens then."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Tenant
from alerts.forms import PREFIX, metric_choices
from alerts.forms import WORDS as THRESHOLD_WORDS
from alerts.models import Channel, Interrupts, Rule, Severity, Topic
from alerts.params import PARAMS, parse_params
from playbooks.selectors import startable_playbooks

MOST_DAYS = 365
MOST_WORDS = 30
LISTS = ("segments", "stages")


class RuleForm(forms.Form):
    """A rule; the thresholds of a shipped kind are added by `thresholds`, a condition is another form."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(
        label=_("Description"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    segments = forms.CharField(
        label=_("Only these segments"),
        required=False,
        help_text=_("Separated by commas; empty: everybody."),
    )
    stages = forms.CharField(
        label=_("Only these stages"), required=False, help_text=_("Separated by commas; empty: everybody.")
    )
    plan_kinds = forms.MultipleChoiceField(
        label=_("Only these kinds of plan"),
        required=False,
        choices=Account.PlanKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    grace_days = forms.IntegerField(
        label=_("Days of silence after go-live"), min_value=0, max_value=MOST_DAYS, initial=0
    )
    volume_metric = forms.ChoiceField(label=_("Only with enough of this metric"), required=False)
    volume_least = forms.FloatField(
        label=_("At least, in the last 28 days"), required=False, min_value=0, initial=0
    )
    include_churned = forms.BooleanField(label=_("Churned accounts, too"), required=False)
    dwell_days = forms.IntegerField(
        label=_("Days it must hold before it fires"), min_value=0, max_value=90, initial=0
    )
    clear_days = forms.IntegerField(
        label=_("Days it must be clear before an alert resolves"), min_value=1, max_value=90, initial=1
    )
    cooldown_days = forms.IntegerField(
        label=_("Days of silence after an alert has ended"), min_value=0, max_value=MOST_DAYS, initial=7
    )
    reentry_max = forms.IntegerField(
        label=_("Most alerts per account"),
        min_value=0,
        max_value=100,
        initial=0,
        help_text=_("0 is no limit."),
    )
    reentry_days = forms.IntegerField(label=_("… within days"), min_value=1, max_value=MOST_DAYS, initial=30)
    severity = forms.ChoiceField(label=_("Severity"), choices=Severity.choices, initial=Severity.MEDIUM)
    topic = forms.ChoiceField(label=_("It is about"), choices=Topic.choices, initial=Topic.RISK)
    interrupts = forms.ChoiceField(
        label=_("Goes to a person"),
        choices=Interrupts.choices,
        initial=Interrupts.AUTO,
        help_text=_("Everything else only sets automation in motion and waits in the digest."),
    )
    channels = forms.MultipleChoiceField(
        label=_("Also by"),
        required=False,
        choices=Channel.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For alerts that go to a person; the inbox has every alert."),
    )
    play = forms.ChoiceField(label=_("Starts a play"), choices=Rule.Play.choices, initial=Rule.Play.NONE)
    play_key = forms.ChoiceField(label=_("Play"), required=False)

    # What stands together on the page.
    ABOUT = ("name", "description")
    AUDIENCE = (*LISTS, "plan_kinds", "grace_days", "volume_metric", "volume_least", "include_churned")
    PATIENCE = ("dwell_days", "clear_days", "cooldown_days", "reentry_max", "reentry_days")
    DEEDS = ("severity", "topic", "interrupts", "channels", "play", "play_key")

    def __init__(self, data: Any = None, *, tenant: Tenant, rule: Rule | None = None) -> None:
        self.rule, self.thresholds = rule, [] if rule is None else _threshold_names(rule)
        initial = {} if rule is None else _initial(rule)
        super().__init__(data, initial=initial)
        metrics = metric_choices()
        plays = [("", "—"), *((play.key, play.name) for play in startable_playbooks(tenant.pk))]
        if rule is not None and rule.play_key and rule.play_key not in dict(plays):
            plays.append((rule.play_key, rule.play_key))
        choices: Any = self.fields["play_key"]
        choices.choices = plays
        choices = self.fields["volume_metric"]
        choices.choices = [("", "—"), *metrics]
        if rule is not None:
            for name in self.thresholds:
                self.fields[name] = _field(name.removeprefix(PREFIX), initial[name], metrics)

    def part(self, names: tuple[str, ...]) -> list[forms.BoundField]:
        """Some of the fields, in order."""
        return [self[name] for name in names]

    def about(self) -> list[forms.BoundField]:
        """Name and description."""
        return self.part(self.ABOUT)

    def when(self) -> list[forms.BoundField]:
        """The thresholds of a shipped kind."""
        return self.part(tuple(self.thresholds))

    def audience(self) -> list[forms.BoundField]:
        """Whom it is about."""
        return self.part(self.AUDIENCE)

    def patience(self) -> list[forms.BoundField]:
        """How patient it is."""
        return self.part(self.PATIENCE)

    def deeds(self) -> list[forms.BoundField]:
        """What happens then."""
        return self.part(self.DEEDS)

    def clean(self) -> dict[str, Any]:
        """Check the thresholds together, as the nightly run reads them, and that a play is named where one is needed."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("play") == Rule.Play.FIXED and not cleaned.get("play_key"):
            self.add_error("play_key", gettext("Choose the play."))
        for name in LISTS:
            words = [word.strip() for word in cleaned.get(name, "").split(",") if word.strip()]
            if len(words) > MOST_WORDS or any(len(word) > 50 for word in words):
                self.add_error(name, gettext("At most 30 words of at most 50 letters each."))
            cleaned[name] = words
        if self.rule is not None and self.thresholds and not self.errors:
            try:
                parse_params(self.rule.kind, self.params())
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def params(self) -> dict[str, Any]:
        """The thresholds as they are stored."""
        found = {name.removeprefix(PREFIX): self.cleaned_data[name] for name in self.thresholds}
        if "metrics" in found:
            found["metrics"] = [key.strip() for key in found["metrics"].split(",") if key.strip()]
        return found

    def changes(self) -> dict[str, Any]:
        """What the services of rules take."""
        names = (*self.ABOUT, *self.AUDIENCE, *self.PATIENCE, *self.DEEDS)
        found = {name: self.cleaned_data[name] for name in names}
        found["volume_least"] = found["volume_least"] or 0.0
        return found | ({"params": self.params()} if self.thresholds else {})


def _threshold_names(rule: Rule) -> list[str]:
    if rule.kind == Rule.Kind.CONDITIONS:
        return []
    # With a prefix: a threshold and a setting of every rule may share a name, such as the grace of onboarding.
    return [PREFIX + name for name in PARAMS[rule.kind].__struct_fields__]


def _initial(rule: Rule) -> dict[str, Any]:
    found = {name: getattr(rule, name) for name in RuleForm.base_fields if hasattr(rule, name)}
    found |= {name: ", ".join(found[name]) for name in LISTS}
    if rule.kind != Rule.Kind.CONDITIONS:
        values = msgspec.to_builtins(parse_params(rule.kind, rule.params))
        found |= {
            PREFIX + name: ", ".join(value) if isinstance(value, list | tuple) else value
            for name, value in values.items()
        }
    return found


def _field(name: str, value: object, metrics: list[tuple[str, str]]) -> forms.Field:
    said: Any = THRESHOLD_WORDS[name]
    label, words = said
    if isinstance(value, bool):
        return forms.BooleanField(label=label, required=False)
    if isinstance(value, int):
        return forms.IntegerField(label=label, min_value=0, help_text=words)
    if isinstance(value, float):
        return forms.FloatField(label=label, min_value=0, help_text=words)
    if name == "metric":
        known = metrics if value in dict(metrics) else [*metrics, (str(value), str(value))]
        return forms.ChoiceField(label=label, choices=known, help_text=words)
    return forms.CharField(
        label=label, required=False, max_length=500, help_text=_("Keys, separated by commas.")
    )
