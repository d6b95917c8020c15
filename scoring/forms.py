"""Forms of the model editor: they say what is wrong before anything is saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scoring.matrix.columns import FITTING
from scoring.models import Component, Measure, Version
from scoring.scale_text import BAD_PAIR, ScaleTextError, read_scale_text, write_scale_text
from scoring.scales import ScaleError, scale_from_dict
from scoring.services.drafts import NO_FIT, NO_METRIC, weight_problem
from usage.models import Metric


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Thresholds of a draft."""

    class Meta:
        model = Version
        fields = ("healthy_above", "critical_below", "coverage_min", "note")

    def clean(self) -> dict[str, Any]:
        """The lower threshold must not be above the upper one."""
        cleaned = super().clean() or {}
        above, below = cleaned.get("healthy_above"), cleaned.get("critical_below")
        if above is not None and below is not None and below > above:
            self.add_error(
                "critical_below", _("The threshold of the worst band must not be above that of the best one.")
            )
        return cleaned


class ComponentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """One component of a draft."""

    class Meta:
        model = Component
        fields = ("position", "key", "name", "weight", "missing_policy", "hold_days", "combine")
        widgets = {
            "key": forms.TextInput(attrs={"size": 13}),
            "name": forms.TextInput(attrs={"size": 18}),
            "weight": forms.NumberInput(attrs={"class": "vIntegerField", "step": "any"}),
        }

    def clean(self) -> dict[str, Any]:
        """Holding needs to know for how long."""
        cleaned = super().clean() or {}
        if cleaned.get("missing_policy") == Component.Missing.HOLD and not cleaned.get("hold_days"):
            self.add_error("hold_days", _("Enter between 1 and 90 days to hold the last value."))
        return cleaned


class ComponentFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """The components of a draft: their weights must add up to 100."""

    def clean(self) -> None:
        """Refuse weights that do not add up, and a model without components."""
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and form.cleaned_data.get("key") and not form.cleaned_data.get("DELETE")
        ]
        if not kept:
            raise ValidationError(_("A model needs at least one component."))
        if words := weight_problem(data["weight"] for data in kept):
            raise ValidationError(words)


class MeasureForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """One measure: a metric that is there, counted in a way that fits it, and a scale that makes sense."""

    metric_key = forms.ChoiceField(label=gettext_lazy("metric"))
    scale_values = forms.CharField(
        label=gettext_lazy("values of the scale"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 22}),
        help_text=gettext_lazy(
            "Line through points and steps: value: score, such as 0: 0, 5: 40, 20: 100 (steps also below: 0). "
            "Line: worst: 0, best: 20. Percent of target: target: 100, or nothing. "
            "Lower is better: full_until: 24, zero_at: 168. Change: worst: 0.5, best: 1.5, same: 70. "
            "Percentile: nothing, or higher_is_better: no; the peers are taken from today's accounts."
        ),
    )

    class Meta:
        model = Measure
        fields = (
            "position",
            "metric_key",
            "aggregate",
            "window_days",
            "baseline_days",
            "half_life_days",
            "weight",
            "scale_kind",
        )
        widgets = {"weight": forms.NumberInput(attrs={"class": "vIntegerField", "step": "any"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        metrics = list(Metric.objects.filter(active=True).order_by("name").values_list("key", "name", "kind"))
        self.kinds = {key: kind for key, _name, kind in metrics}
        choices = [(key, _(name)) for key, name, _kind in metrics]
        current = self.instance.metric_key
        if current and current not in self.kinds:
            choices.append((current, current))
        field = self.fields["metric_key"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "---------"), *choices]
        if self.instance.pk:
            self.fields["scale_values"].initial = write_scale_text(
                self.instance.scale_kind, self.instance.scale_params
            )

    def clean(self) -> dict[str, Any]:
        """Check metric, way of counting and scale together; every fault at its field."""
        cleaned = super().clean() or {}
        key, aggregate = cleaned.get("metric_key"), cleaned.get("aggregate")
        if key and key not in self.kinds:
            self.add_error("metric_key", _(NO_METRIC))
        elif key and aggregate and aggregate not in FITTING.get(self.kinds[key], ()):
            fitting = [str(Measure.Aggregate(name).label) for name in FITTING.get(self.kinds[key], ())]
            self.add_error(
                "aggregate",
                _("%(problem)s Choose: %(choices)s.")
                % {
                    "problem": _(NO_FIT),
                    "choices": ", ".join(fitting) or "–",
                },
            )
        self._clean_scale(cleaned)
        return cleaned

    def _clean_scale(self, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("scale_kind")
        if not kind:
            return
        try:
            params = read_scale_text(kind, cleaned.get("scale_values") or "")
        except ScaleTextError as error:
            self.add_error("scale_values", f"{error.part}: {_(BAD_PAIR)}")
            return
        if kind == Measure.ScaleKind.PERCENTILE:
            # The peers are never typed: those of the draft stay until publishing takes today's.
            params["reference"] = self.instance.scale_params.get("reference") or [0]
        try:
            scale_from_dict({"kind": kind, **params})
        except ScaleError as error:
            self.add_error("scale_values", [f"{path}: {_(message)}" for path, message in error.problems])
            return
        if params.get("reference") == [0]:
            params.pop("reference")
        cleaned["scale_params"] = params

    def save(self, commit: bool = True) -> Any:
        """Keep the parsed scale with the measure."""
        self.instance.scale_params = self.cleaned_data["scale_params"]
        return super().save(commit)
