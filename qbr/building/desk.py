"""What lies before whoever writes a pack: figures, registers, names, and which figures were shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from qbr import numbers
from qbr.experiments import Outcome
from qbr.figures import FigureResult
from qbr.figures.shipped.metrics import outcome_of
from qbr.models import Figure
from usage.models import Metric
from usage.starter import starter_name

from .asking import Key, Period, experiment_metrics, kpi_metrics
from .material import Material

MOST_KPIS = 7
ALWAYS_TOLD = ("features_used", "all_events")  # at the end of the tiles: what everybody has
Drawn = Mapping[Key, tuple[Figure, FigureResult]]


@dataclass
class Desk:
    """Everything about one account and period."""

    material: Material
    period: Period
    drawn: Drawn
    metrics: Mapping[str, Metric]
    currency: str
    today: date
    used: dict[Key, None] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The reader's."""
        return self.material.language

    def value(self, *key: str) -> float | None:
        """The value of a figure; None where it was not asked or has none."""
        found = self.drawn.get(key)
        return found[1].value if found else None

    def show(self, *key: str) -> int | None:
        """The id of a figure that is shown; None before it is stored."""
        self.used[key] = None
        return self.drawn[key][0].pk

    def ids(self, *keys: Key) -> tuple[int, ...]:
        """The ids of figures that stand behind a block."""
        return tuple(pk for pk in (self.show(*key) for key in keys) if pk is not None)

    def text(self, *key: str) -> str:
        """A figure's value as it is read."""
        figure, result = self.drawn[key]
        return numbers.value_text(result.value, figure.unit, figure.currency, self.language)

    def name(self, metric: Metric) -> str:
        """What a metric is called in the reader's language."""
        return starter_name(metric.key, metric.name, self.language)

    def shown_metrics(self) -> list[Metric]:
        """Metrics that have something to say: a value, now or before, that is not nothing."""
        telling = [metric for metric in kpi_metrics(self.metrics) if self._tells(metric)]
        first = [metric for metric in telling if metric.key not in ALWAYS_TOLD]
        return (first + [metric for metric in telling if metric.key in ALWAYS_TOLD])[:MOST_KPIS]

    def _tells(self, metric: Metric) -> bool:
        value = self.value("total", metric.key)
        if value is None:
            return False
        change = self.drawn.get(("change", metric.key))
        return bool(value or (change and change[1].rows[0][2]))

    def outcomes(self) -> list[tuple[Metric, Outcome]]:
        """The tests of variants with any trial."""
        found = []
        for metric in experiment_metrics(self.metrics):
            rows = list(self.drawn[("experiment", metric.key)][1].rows)
            if rows:
                found.append((metric, outcome_of(rows, higher_is_better=metric.higher_is_better)))
        return found
