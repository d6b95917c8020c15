"""One person on the model of the account: which measures can be known of a person, and the peers they stand among. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scoring.engine import ModelSpec
from scoring.matrix.columns import FADE_UNIT
from scoring.scales import Percentile
from scoring.specs import MeasureSource
from scoring.windows import decay_weight, decay_window

ACTIVE, FADED, FEATURES, EVENTS, SIGNALS = "active", "faded", "features", "events", "signals"


@dataclass(frozen=True)
class PersonMeasure:
    """How one measure of an account's model is read for a person; `what` is None where a person has no such thing."""

    what: str | None
    window_days: int
    per_week: bool = False
    half_life_days: int = 0

    def fade(self) -> list[int]:
        """Weights of days that count less the older they are, in whole units: sums do not depend on the order of rows."""
        return [round(decay_weight(ago, self.half_life_days) * FADE_UNIT) for ago in range(self.window_days)]


def person_measures(
    sources: Sequence[MeasureSource], *, everything: str, signals: str
) -> list[PersonMeasure]:
    """The measures of a version for a person: days, features, all events and signals; the team's size is nobody's own."""
    return [_person_measure(source, everything, signals) for source in sources]


def _person_measure(source: MeasureSource, everything: str, signals: str) -> PersonMeasure:
    window = source.window_days
    match source.aggregate:
        case "active_days":
            return PersonMeasure(ACTIVE, window)
        case "decayed_days":
            return PersonMeasure(
                FADED, decay_window(source.half_life_days), half_life_days=source.half_life_days
            )
        case "features":
            return PersonMeasure(FEATURES, window)
        case "per_week" | "total" if source.metric_key == everything:
            return PersonMeasure(EVENTS, window, per_week=source.aggregate == "per_week")
        case "latest" if source.metric_key == signals:
            return PersonMeasure(SIGNALS, window)
    return PersonMeasure(None, window)


def person_spec(
    spec: ModelSpec, measures: Sequence[PersonMeasure], peers: Sequence[Percentile | None]
) -> ModelSpec:
    """The account's model for a person: events are ranked among peers, for one person never does what a team does.

    Without enough peers the account's own scale stays.
    """
    parts, column = [], 0
    for component in spec.components:
        scaled = []
        for measure in component.measures:
            rank = peers[column] if measures[column].what == EVENTS else None
            scaled.append(replace(measure, scale=rank) if rank else measure)
            column += 1
        parts.append(replace(component, measures=tuple(scaled)))
    return replace(spec, components=tuple(parts))
