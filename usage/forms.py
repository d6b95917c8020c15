"""Forms of the admin: a metric, a feature."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.fence.scope import current_tenant_id
from accounts.models import Tenant
from usage.models import Feature, Metric
from usage.services.definitions import check_definition
from usage.services.sql_metrics import try_query

TRY_BUTTON = "_try"


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """The lines as a list, without blanks and repeats."""
        lines = value if isinstance(value, list | tuple) else (value or "").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def validate(self, value: Any) -> None:
        """Names of at most 200 characters."""
        super().validate(value)
        if any(len(line) > 200 for line in value):
            raise ValidationError(_("A name may have at most 200 characters."))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return bool(self.to_python(initial) != self.to_python(data))


class MetricForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a metric counts; the service checks it and gives it its slot."""

    events = LinesField(
        label=_("events"), required=False,
        help_text=_("One name a line; case, spaces and punctuation do not matter."),
    )  # fmt: skip

    class Meta:
        model = Metric
        fields = (
            "name", "key", "kind", "query", "events", "property", "dimension", "decimals", "unit", "numerator",
            "denominator", "hold_days", "grace_days", "higher_is_better", "active",
        )  # fmt: skip

        widgets = {
            "query": forms.Textarea(
                attrs={"rows": 12, "cols": 100, "class": "vLargeTextField sql", "spellcheck": "false"}
            )
        }

    def is_valid(self) -> bool:
        """Trying a query saves nothing: the page is shown again with what was typed."""
        return super().is_valid() and TRY_BUTTON not in self.data

    def clean(self) -> dict[str, Any]:
        """The rules of the service, beside the fields they are about."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        values = {name: cleaned.get(name, getattr(self.instance, name)) for name in self.Meta.fields}
        metric = Metric(pk=self.instance.pk, **values)
        tenant = Tenant.objects.get(pk=current_tenant_id())
        try:
            check_definition(tenant, metric)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                self.add_error(name if name in self.fields else None, messages)
        if not self.errors and self._must_be_tried(metric):
            problem = try_query(tenant=tenant, text=metric.query, decimals=metric.decimals).problem
            if problem:
                self.add_error("query", problem)
        return cleaned

    def _must_be_tried(self, metric: Metric) -> bool:
        """A query that would fail or run long every night is refused now; the button shows the result by itself."""
        changed = {"query", "kind", "active"} & set(self.changed_data)
        return (
            metric.kind == Metric.Kind.SQL and metric.active and bool(changed) and TRY_BUTTON not in self.data
        )


class FeatureForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The events that count as using a feature."""

    events = LinesField(
        label=_("events"), required=False,
        help_text=_("Names of events and feature labels that count as using it, one a line."),
    )  # fmt: skip

    class Meta:
        model = Feature
        fields = ("name", "key", "events", "access", "is_key", "active")
