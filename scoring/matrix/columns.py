"""How each kind of measure becomes SQL expressions, and its result a number. Pure text and arithmetic.

Totals are rounded to the metric's decimals and decayed days are summed in whole units: the order in which PostgreSQL happens
to visit rows must not change a score, not even in the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.specs import MeasureSource
from scoring.windows import DAYS_PER_WEEK, decay_weight, decay_window

Array = NDArray[np.float64]
# Decayed days are summed as whole multiples of 1 / FADE_UNIT; a weight of 1 still fits PostgreSQL's int4, whose sum is fast.
FADE_UNIT = 2**30

ZERO_WHEN_SILENT = frozenset({"per_week", "total", "users", "features", "active_days", "decayed_days"})
ACTIVITY = frozenset({"active_days", "decayed_days"})
CONTACTS = frozenset({"users", "features"})

# Which ways of counting fit which kind of metric; the first is the usual one.
FITTING: dict[str, tuple[str, ...]] = {
    "all_events": ("per_week", "total", "change"),
    "count": ("per_week", "total", "change"),
    "sum": ("per_week", "total", "change"),
    "last": ("latest", "mean", "max"),
    "max": ("max", "latest"),
    "pushed": ("latest", "mean", "max"),
    "state": ("latest", "mean", "max"),
    "sql": ("latest", "mean", "max"),
    "ratio": ("ratio",),
    "distinct_users": ("users",),
    "features_used": ("features",),
    "active_days": ("active_days", "decayed_days"),
}


@dataclass(frozen=True)
class MetricFacts:
    """What the matrix must know of a metric."""

    id: int
    key: str
    kind: str
    slot: int | None
    decimals: int = 0
    hold_days: int = 7
    numerator: str = ""
    denominator: str = ""
    chosen_events: bool = False  # distinct users of some events only


@dataclass(frozen=True)
class Column:
    """One measure ready to be read: `metric` is None when the tenant has no such metric, which makes it missing."""

    position: int
    source: MeasureSource
    metric: MetricFacts | None
    parts: tuple[MetricFacts, ...] = ()  # numerator and denominator of a ratio

    @property
    def look_back(self) -> int:
        """How many days before the scored one are read, the scored one included."""
        source = self.source
        if source.aggregate == "decayed_days":
            return decay_window(source.half_life_days)
        if source.aggregate == "change":
            return source.window_days + source.baseline_days
        if (
            source.aggregate == "latest"
            and self.metric
            and self.metric.kind
            in (
                "pushed",
                "state",
                "sql",
            )
        ):
            return max(self.metric.hold_days, 1)  # how long a value holds is the metric's business
        return source.window_days

    def expressions(self, distinct_days: bool, active: str = "") -> list[str]:
        """The aggregates that this measure needs, over rows `u` looked at from day `d.day`.

        `active` is the condition that a row is a day on which the account did anything, where not all rows are.
        """
        source, window = self.source, int(self.look_back)
        slot = int(self.metric.slot or 0) if self.metric else 0
        inside = f"u.day > d.day - {window}"
        if active and source.aggregate in ACTIVITY:
            inside += f" AND {active}"
        match source.aggregate:
            case "per_week" | "total":
                return [_sum(slot, inside)]
            case "mean":
                return [_sum(slot, inside), f'count(u."values"[{slot}]) FILTER (WHERE {inside})']
            case "max":
                return [f'max(u."values"[{slot}]) FILTER (WHERE {inside})']
            case "latest":
                value = f'u."values"[{slot}]'
                known = ", u.known_on" if distinct_days else ""
                # Rising, as the key delivers the rows: nothing is sorted, and the last one is taken.
                found = f"array_agg({value} ORDER BY u.day{known}) FILTER (WHERE {inside} AND {value} IS NOT NULL)"
                return [f"({found})[array_upper({found}, 1)]"]
            case "ratio":
                return [_sum(int(part.slot or 0), inside) for part in self.parts]
            case "change":
                recent = f"u.day > d.day - {int(source.window_days)}"
                return [
                    _sum(slot, recent),
                    _sum(slot, f"{inside} AND u.day <= d.day - {int(source.window_days)}"),
                ]
            case "active_days":
                return [f"count(*) FILTER (WHERE {inside})"]
            case "decayed_days":
                return [
                    f"sum((%(fade_{self.position})s::int4[])[d.day - u.day + 1]) FILTER (WHERE {inside})::float8"
                ]
        raise ValueError(f"No way to count {source.aggregate}.")

    def fade(self) -> list[int]:
        """Whole-number weights of a decayed measure: index 0 is the scored day."""
        half_life = self.source.half_life_days
        return [round(decay_weight(ago, half_life) * FADE_UNIT) for ago in range(self.look_back)]

    def finish(self, values: Sequence[Array]) -> Array:
        """From the aggregates to the raw measure."""
        source = self.source
        decimals = self.metric.decimals if self.metric else 0
        match source.aggregate:
            case "per_week":
                return np.round(values[0], decimals) * DAYS_PER_WEEK / source.window_days
            case "total":
                return np.round(values[0], decimals)
            case "mean":
                return _divide(np.round(values[0], decimals), values[1])
            case "ratio":
                top, bottom = self.parts
                return _divide(np.round(values[0], top.decimals), np.round(values[1], bottom.decimals))
            case "change":
                recent = np.asarray(np.round(np.nan_to_num(values[0]), decimals), dtype=np.float64)
                before = np.asarray(np.round(np.nan_to_num(values[1]), decimals), dtype=np.float64)
                return _divide(recent * source.baseline_days, before * source.window_days)
            case "decayed_days":
                return values[0] / FADE_UNIT
        return values[0]


def _sum(slot: int, condition: str) -> str:
    return f'sum(u."values"[{slot}]) FILTER (WHERE {condition})'


def _divide(top: Array, bottom: Array) -> Array:
    """NaN instead of a division by nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, np.nan_to_num(top) / bottom, np.nan)


def plan_columns(sources: Sequence[MeasureSource], metrics: dict[str, MetricFacts]) -> list[Column]:
    """Columns for these measures; one whose metric (or a part of it) is not there cannot be read and stays missing."""
    columns = []
    for position, source in enumerate(sources):
        metric = metrics.get(source.metric_key)
        parts: tuple[MetricFacts, ...] = ()
        if metric and source.aggregate not in FITTING.get(metric.kind, ()):
            metric = None
        if metric and metric.kind == "ratio":
            found = [metrics.get(key) for key in (metric.numerator, metric.denominator)]
            parts = tuple(part for part in found if part and part.slot)
            metric = metric if len(parts) == 2 else None
        columns.append(Column(position, source, metric, parts))
    return columns
