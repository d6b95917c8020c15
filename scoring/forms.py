"""Forms of the model editor: they say what is wrong before anything is saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scoring.bands import Bands
from scoring.matrix.columns import FITTING
from scoring.models import Component, ExceptionRule, Measure, Version
from scoring.places import fault_words
from scoring.scale_text import BAD_PAIR, ScaleTextError, read_scale_text, write_scale_text
from scoring.scales import ScaleError, scale_from_dict
from scoring.services.drafts import NO_FIT, NO_METRIC, weight_problem
from scoring.specs import Parts, exception_column, version_parts
from usage.models import Metric


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Thresholds of a draft, and what a band needs to change."""

    class Meta:
        model = Version
        fields = (
            "healthy_above",
            "critical_below",
            "coverage_min",
            "hysteresis",
            "hysteresis_points",
            "hysteresis_runs",
            "note",
        )

    def clean(self) -> dict[str, Any]:
        """The lower threshold must not be above the upper one, and both bands must stay within reach."""
        cleaned = super().clean() or {}
        above, below = cleaned.get("healthy_above"), cleaned.get("critical_below")
        if above is None or below is None:
            return cleaned
        if below > above:
            self.add_error(
                "critical_below", _("The threshold of the worst band must not be above that of the best one.")
            )
        elif cleaned.get("hysteresis") == Version.Hysteresis.POINTS:
            bands = Bands("health", above, below, points=cleaned.get("hysteresis_points") or 0.0)
            for _path, message in bands.problems():
                self.add_error("hysteresis_points", _(message))
        return cleaned


class ExceptionFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """The exceptions of a draft: each is told once which measures the draft has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.instance
        self.parts = version_parts(version.tenant, [version])[version.pk] if version.pk else []

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """The measures that a condition can look at."""
        return {**super().get_form_kwargs(index), "parts": self.parts}


class ExceptionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """One exception: a condition on a measure that the draft has."""

    metric_key = forms.ChoiceField(label=gettext_lazy("metric"))
    component_key = forms.ChoiceField(label=gettext_lazy("component"), required=False)

    class Meta:
        model = ExceptionRule
        fields = (
            "position",
            "name",
            "metric_key",
            "component_key",
            "aggregate",
            "reads",
            "operator",
            "value",
            "cap",
        )
        widgets = {
            "name": forms.TextInput(attrs={"size": 24}),
            "value": forms.NumberInput(attrs={"class": "vIntegerField", "step": "any"}),
            "cap": forms.NumberInput(attrs={"class": "vIntegerField", "step": "any"}),
        }

    def __init__(self, *args: Any, parts: Parts = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = parts
        metrics = sorted({measure.metric_key for _part, own in parts for measure in own})
        self._choose("metric_key", "---------", [(key, key) for key in metrics])
        self._choose(
            "component_key", _("whichever reads it"), [(part.key, part.label) for part, _own in parts]
        )

    def _choose(self, name: str, nothing: str, choices: list[tuple[str, str]]) -> None:
        """Offer what the draft has; a choice that is gone stays visible until it is mended."""
        current = getattr(self.instance, name)
        if current and current not in dict(choices):
            choices.append((current, current))
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *choices]

    def clean(self) -> dict[str, Any]:
        """The condition must mean one measure of the draft, no more and no less."""
        cleaned = super().clean() or {}
        if cleaned.get("metric_key"):
            rule = ExceptionRule(
                metric_key=cleaned["metric_key"],
                component_key=cleaned.get("component_key") or "",
                aggregate=cleaned.get("aggregate") or "",
            )
            _column, fault = exception_column(self.parts, rule)
            if fault:
                self.add_error("metric_key", _(fault))
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
            "Percentile: nothing, or higher_is_better: no, peers: segment (else all), reference_of: day (else those of the "
            "day of publishing). Targets by segment: segment Enterprise: 500. Other values by time since go-live: "
            "from day 0 on a line of its own, their values, from day 90, the values from then on."
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
        metrics = sorted(Metric.objects.filter(active=True), key=lambda one: str(one).lower())
        self.kinds = {one.key: one.kind for one in metrics}
        choices = [(one.key, str(one)) for one in metrics]
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
        try:
            scale_from_dict({"kind": kind, **params})
        except ScaleError as error:
            self.add_error(
                "scale_values", [fault_words(path, _(message)) for path, message in error.problems]
            )
            return
        cleaned["scale_params"] = params

    def save(self, commit: bool = True) -> Any:
        """Keep the parsed scale with the measure."""
        self.instance.scale_params = self.cleaned_data["scale_params"]
        return super().save(commit)
