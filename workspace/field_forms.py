"""Forms of declared fields: declaring one, and filling in those of an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.custom_fields import Declared
from accounts.field_kinds import written
from accounts.models import CustomField, Membership

YES, NO = "yes", "no"


class DeclareForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a custom field is."""

    choices = forms.CharField(
        label=_("What can be chosen"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One choice a line; only for lists."),
    )

    class Meta:
        model = CustomField
        fields = ("label_en", "label_es", "key", "kind", "section", "required", "position", "active")
        help_texts = {
            "key": _("What systems and files send the value under; it cannot be changed later."),
            "section": _("Fields of one section stand together on the page of an account."),
            "required": _("Pages ask for it and nobody can clear it; accounts without it stay as they are."),
            "active": _("What is not shown keeps its values."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["key"].disabled = True
        self.fields["choices"].initial = "\n".join(self.instance.options)
        self.order_fields(["label_en", "label_es", "key", "kind", "choices", "section"])

    def field(self) -> CustomField:
        """The field as the form says it; the service checks and saves it."""
        found: CustomField = self.instance
        lines = self.cleaned_data["choices"].splitlines()
        found.options = list(dict.fromkeys(line.strip()[:100] for line in lines if line.strip()))
        return found

    def refuse(self, error: ValidationError) -> None:
        """Show what the service found wrong, at the fields it names."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, faults in error.error_dict.items():
            self.add_error("choices" if name == "options" else name, faults)

    def _post_clean(self) -> None:
        """Fill the instance; uniqueness is the service's matter, which locks nothing and says it in words."""
        self.instance = forms.models.construct_instance(self, self.instance, self._meta.fields)


def as_typed(field: CustomField, value: Any) -> Any:
    """A stored value as its control shows it."""
    if value is None:
        return [] if field.kind == CustomField.Kind.CHOICES else ""
    if field.kind == CustomField.Kind.BOOL:
        return YES if value is True else NO if value is False else ""
    if field.kind == CustomField.Kind.CHOICES:
        return list(value) if isinstance(value, list) else [str(value)]
    if field.kind == CustomField.Kind.MONEY and isinstance(value, int):
        return f"{value / 100:.2f}".removesuffix(".00")
    return written(field.kind, value)


def control(field: CustomField, members: Sequence[Membership], *, required: bool) -> forms.Field:
    """The control of a declared field; what is typed is checked by the field's kind, not by the control."""
    label, kinds = str(field), CustomField.Kind
    nothing = [("", "–")]
    match field.kind:
        case kinds.BOOL:
            words = [(YES, gettext("Yes")), (NO, gettext("No"))]
            return forms.ChoiceField(label=label, required=required, choices=nothing + words)
        case kinds.CHOICE:
            options = [(one, one) for one in field.options]
            return forms.ChoiceField(label=label, required=required, choices=nothing + options)
        case kinds.CHOICES:
            return forms.MultipleChoiceField(
                label=label,
                required=required,
                choices=[(one, one) for one in field.options],
                widget=forms.CheckboxSelectMultiple,
            )
        case kinds.MEMBER:
            people = [(member.user.email.lower(), str(member)) for member in members]
            return forms.ChoiceField(label=label, required=required, choices=nothing + people)
        case kinds.DATE:
            return forms.CharField(
                label=label, required=required, widget=forms.TextInput(attrs={"type": "date"})
            )
        case kinds.NUMBER | kinds.MONEY:
            widget = forms.TextInput(attrs={"inputmode": "decimal"})
            return forms.CharField(label=label, required=required, max_length=30, widget=widget)
        case _:
            return forms.CharField(label=label, required=required, max_length=1000)


class ValuesForm(forms.Form):
    """The declared fields of one account."""

    def __init__(
        self,
        *args: Any,
        declared: Declared,
        custom: Mapping[str, Any],
        members: Sequence[Membership],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.declared = declared
        for key, field in declared.fields.items():
            self.fields[self._name(key)] = control(field, members, required=field.required)
            self.initial[self._name(key)] = as_typed(field, custom.get(key))

    def _name(self, key: str) -> str:
        return f"field-{self.declared.fields[key].pk}"

    @cached_property
    def typed(self) -> dict[str, str]:
        """What was typed, by key."""
        found = {}
        for key in self.declared.fields:
            value = self.cleaned_data.get(self._name(key), "")
            found[key] = "; ".join(value) if isinstance(value, list) else str(value)
        return found

    def refuse(self, error: ValidationError) -> None:
        """Show what does not fit at its field."""
        for key, faults in error.error_dict.items():
            self.add_error(self._name(key), faults)
