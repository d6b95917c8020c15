"""Forms for the steps of a play, one per kind, and for the terms of a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role
from playbooks import engine
from playbooks.models import Priority, Step
from playbooks.recipients import plain_role
from playbooks.workdays import MAX_WORKING_DAYS

KNOWN_ROLES = ("champion", "decision maker", "billing", "admin", "user")
OWNER, POOL = "owner", "manager_pool"
Choices = list[tuple[str, Any]]


class StepForm(forms.Form):
    """What every step has: a title, and where it goes on."""

    kind = engine.TASK
    title = forms.CharField(label=_("Title"), max_length=200)

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["next"] = forms.ChoiceField(
            label=self.next_label(), required=False, choices=choices["steps"]
        )
        self.choose(choices)

    def next_label(self) -> Any:
        """How the way on is called."""
        return _("Then go on with")

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """Give the fields of a kind what they can choose from."""

    def columns(self) -> dict[str, Any]:
        """What the step stores in columns of its own."""
        return {"title": self.cleaned_data["title"]}

    def config(self) -> dict[str, Any]:
        """What the step stores as its settings."""
        return {}

    def refuse(self, error: ValidationError) -> None:
        """Show what the service did not accept."""
        if hasattr(error, "error_dict"):
            for name, found in error.message_dict.items():
                self.add_error(name if name in self.fields else None, ValidationError(found))
        else:
            self.add_error(None, ValidationError(error.messages))


def days_field(label: Any, initial: int = 1, help_text: Any = "") -> forms.IntegerField:
    """A number of days."""
    return forms.IntegerField(
        label=label, min_value=0, max_value=MAX_WORKING_DAYS, initial=initial, help_text=help_text
    )


class TaskStepForm(StepForm):
    """Something a person does."""

    body = forms.CharField(
        label=_("What to do, and what good looks like"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    days = days_field(_("Due after so many working days"))
    who = forms.ChoiceField(label=_("Who does it"), initial=OWNER)
    priority = forms.TypedChoiceField(
        label=_("Priority"), coerce=int, choices=Priority.choices, initial=Priority.NORMAL
    )

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """People, pools and roles."""
        cast(forms.ChoiceField, self.fields["who"]).choices = choices["who"]

    def columns(self) -> dict[str, Any]:
        """Who, when and how urgently."""
        data = self.cleaned_data
        return {
            "title": data["title"],
            "body": data["body"],
            "due_in_days": data["days"],
            "priority": data["priority"],
            **owner_columns(data["who"]),
        }


class EmailStepForm(StepForm):
    """A mail to a contact."""

    kind = engine.EMAIL
    to_role = forms.CharField(
        label=_("To whom"),
        required=False,
        max_length=50,
        help_text=_("A role, such as champion or billing; empty: whoever was there last."),
        widget=forms.TextInput(attrs={"list": "contact-roles"}),
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=[
            ("engagement", _("Engagement: caps, quiet hours and unsubscribing apply")),
            ("service", _("Service: something they must know")),
        ],
    )
    template = forms.ChoiceField(label=_("Template"), required=False)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=200)
    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_(
            "Merge fields such as {{ contact.first_name|there }}, {{ account.name }} or {{ owner.name }} are filled in. "
            "With a template chosen, subject and text are the template's."
        ),
    )

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """The templates there are."""
        cast(forms.ChoiceField, self.fields["template"]).choices = choices["templates"]

    def config(self) -> dict[str, Any]:
        """The words and the recipient."""
        data = self.cleaned_data
        words = (
            {}
            if data["template"]
            else {"subject": data["subject"], "body": data["text"].replace("\r\n", "\n")}
        )
        return {
            "template": data["template"],
            "to_role": plain_role(data["to_role"]),
            "purpose": data["purpose"],
            **words,
        }


class InAppStepForm(StepForm):
    """A message inside the tenant's product."""

    kind = engine.IN_APP
    to_role = forms.CharField(
        label=_("To whom"),
        required=False,
        max_length=50,
        help_text=_("A role, such as champion or billing; empty: everybody at the account."),
        widget=forms.TextInput(attrs={"list": "contact-roles"}),
    )
    heading = forms.CharField(label=_("Heading"), required=False, max_length=200)
    text = forms.CharField(label=_("Text"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))
    action_url = forms.URLField(
        label=_("Where its button leads"), required=False, max_length=500, assume_scheme="https"
    )

    def config(self) -> dict[str, Any]:
        """The words and the recipient."""
        data = self.cleaned_data
        return {
            "heading": data["heading"],
            "text": data["text"].replace("\r\n", "\n"),
            "action_url": data["action_url"],
            "to_role": plain_role(data["to_role"]),
        }


class WaitStepForm(StepForm):
    """A pause, or a wait for something."""

    kind = engine.WAIT
    days = days_field(_("Days"), 5, _("How long it lasts; with conditions below: at most so long."))
    unit = forms.ChoiceField(
        label=_("Counted in"),
        choices=[("working", _("working days")), ("calendar", _("calendar days"))],
        initial="working",
    )

    def next_label(self) -> Any:
        """A wait for something may end well or in vain."""
        return _("Then, or as soon as the conditions hold, go on with")

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """Where it goes on when it waited in vain."""
        self.fields["otherwise"] = forms.ChoiceField(
            label=_("When the time is up and they do not hold, go on with"),
            required=False,
            choices=choices["steps"],
        )

    def columns(self) -> dict[str, Any]:
        """How long."""
        return {"title": self.cleaned_data["title"], "due_in_days": self.cleaned_data["days"]}

    def config(self) -> dict[str, Any]:
        """In which days; conditions and ways are added by the page."""
        return {"unit": self.cleaned_data["unit"]}


class BranchStepForm(StepForm):
    """A question about the account."""

    kind = engine.BRANCH

    def next_label(self) -> Any:
        """The way when it holds."""
        return _("When all of them hold, go on with")

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """The way when it does not."""
        self.fields["otherwise"] = forms.ChoiceField(
            label=_("Otherwise go on with"), required=False, choices=choices["steps"]
        )


class WebhookStepForm(StepForm):
    """A word to other systems."""

    kind = engine.WEBHOOK
    name = forms.CharField(
        label=_("What it is called there"),
        required=False,
        max_length=200,
        help_text=_("Sent as an event play.step to the webhooks that ask for it; empty: the title."),
    )

    def config(self) -> dict[str, Any]:
        """The name."""
        return {"name": self.cleaned_data["name"]}


class SetFieldStepForm(StepForm):
    """A change to the account."""

    kind = engine.SET_FIELD
    field = forms.ChoiceField(
        label=_("Field"),
        choices=[
            ("stage", _("Lifecycle stage")),
            ("segment", _("Segment")),
            ("touch_model", _("Touch model (tech, pooled or named)")),
            ("add_tag", _("Add a tag")),
            ("remove_tag", _("Remove a tag")),
            ("custom", _("A custom field")),
        ],
    )
    key = forms.CharField(label=_("Name of the custom field"), required=False, max_length=60)
    value = forms.CharField(label=_("Value"), required=False, max_length=200)

    def config(self) -> dict[str, Any]:
        """What is set to what."""
        data = self.cleaned_data
        return {
            "field": data["field"],
            "key": data["key"].strip() if data["field"] == "custom" else "",
            "value": data["value"].strip(),
        }


class StartPlayStepForm(StepForm):
    """Another play."""

    kind = engine.START_PLAY
    play = forms.ChoiceField(label=_("Play"))

    def choose(self, choices: Mapping[str, Choices]) -> None:
        """The other plays."""
        cast(forms.ChoiceField, self.fields["play"]).choices = choices["plays"]

    def config(self) -> dict[str, Any]:
        """Which one."""
        return {"play": self.cleaned_data["play"]}


FORMS: dict[str, type[StepForm]] = {
    form.kind: form
    for form in (
        TaskStepForm,
        EmailStepForm,
        InAppStepForm,
        WaitStepForm,
        BranchStepForm,
        WebhookStepForm,
        SetFieldStepForm,
        StartPlayStepForm,
    )
}


def owner_columns(who: str) -> dict[str, Any]:
    """What "who does it" means in columns."""
    rule, _colon, value = who.partition(":")
    return {
        "owner_rule": rule,
        "owner_role": value if rule == Step.OwnerRule.ROLE else "",
        "owner_member_id": int(value) if rule == Step.OwnerRule.PERSON else None,
    }


def who_of(step: Step) -> str:
    """ "Who does it" of a stored step."""
    if step.owner_rule == Step.OwnerRule.ROLE:
        return f"role:{step.owner_role}"
    if step.owner_rule == Step.OwnerRule.PERSON:
        return f"person:{step.owner_member_id}"
    return str(step.owner_rule)


def who_choices(members: Sequence[Membership]) -> Choices:
    """Everybody a step can be given to."""
    return [
        (OWNER, _("The account's owner")),
        (POOL, _("The managers' pool")),
        *[
            (f"role:{role.value}", _("Everyone with the role %(role)s") % {"role": role.label})
            for role in (Role.CSM, Role.MANAGER, Role.ADMIN)
        ],
        *[(f"person:{member.pk}", str(member)) for member in members],
    ]


def initial_of(step: Step, labels: Mapping[str, int]) -> dict[str, Any]:
    """What a form shows of a stored step; ways are shown by the step that they lead to."""
    config = step.config
    found = {
        "title": step.title,
        "body": step.body,
        "days": step.due_in_days,
        "priority": step.priority,
        "who": who_of(step),
        "next": way_of(step.next_label, labels),
        "otherwise": way_of(config.get("otherwise", ""), labels),
    }
    if step.kind == engine.EMAIL:
        found["text"] = config.get("body", "")
    known = ("template", "subject", "to_role", "purpose", "heading", "action_url", "unit", "name", "field")
    found |= {name: config[name] for name in (*known, "key", "value", "play") if name in config}
    return found | ({"text": config.get("text", "")} if step.kind == engine.IN_APP else {})


def way_of(label: str, labels: Mapping[str, int]) -> str:
    """A label as the form's choice."""
    if label in ("", engine.END):
        return label
    return f"step:{labels[label]}" if label in labels else ""
