"""The engine: raw measures in, scores with their explanation out. Pure, vectorised, used by every caller.

The nightly run, the calculator, the preview of a draft and (later) what-if and backtest all end in `combine`, so that they
cannot disagree. One row per account; the columns of measures follow the order of the specification.

Every sum runs over columns in a fixed order and element by element, never as a matrix product: an account's score must not
depend, not even in its last bit, on which other accounts stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .bands import UNKNOWN, Bands, Codes
from .scales import Array, Beside, Peers, Problem, Scale

Flags: TypeAlias = NDArray[np.bool_]

OPERATORS: dict[str, Callable[[Array, float], Flags]] = {
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    ">=": np.greater_equal,
    ">": np.greater,
}
READS = ("value", "score")
MISSING_POLICIES = ("exclude", "zero", "neutral", "hold")
COMBINATIONS = ("mean", "min", "max")
NEUTRAL_VALUE = 50.0
NO_MEASURE = "No measure of this model reads this metric: add one, or take the exception out."
SCORE_DECIMALS = 6
DEFAULT_COVERAGE_MIN = 0.5
MAX_HOLD_DAYS = 90


class SpecError(ValueError):
    """A model that makes no sense: `problems` lists every fault as (path, message)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.problems))


@dataclass(frozen=True)
class MeasureSpec:
    """One measure: its key, the scale that turns it into 0-100, its weight inside the component."""

    key: str
    scale: Scale
    weight: float = 1.0


@dataclass(frozen=True)
class ComponentSpec:
    """A named, weighted part of a model and what it does when its measures are missing."""

    key: str
    name: str
    weight: float
    measures: tuple[MeasureSpec, ...] = ()
    missing: str = "exclude"
    hold_days: int = 0
    combine: str = "mean"


@dataclass(frozen=True)
class ExceptionSpec:
    """A condition on one measure: where it holds, the score is at most `cap`. A missing measure fulfils nothing."""

    name: str
    column: int  # of the measure, in the order of the columns
    operator: str
    value: float
    cap: float
    reads: str = "value"  # the raw value, or the measure's score

    def holds(self, raw: Array, scaled: Array) -> Flags:
        """Where the condition is fulfilled."""
        found = (scaled if self.reads == "score" else raw)[:, self.column]
        with np.errstate(invalid="ignore"):
            fulfilled: Flags = OPERATORS[self.operator](found, self.value) & ~np.isnan(found)
        return fulfilled


@dataclass(frozen=True)
class ModelSpec:
    """A score model as the engine needs it; refused when it makes no sense."""

    components: tuple[ComponentSpec, ...]
    bands: Bands = field(default_factory=Bands)
    coverage_min: float = DEFAULT_COVERAGE_MIN
    exceptions: tuple[ExceptionSpec, ...] = ()

    def __post_init__(self) -> None:
        if problems := spec_problems(self):
            raise SpecError(problems)

    @property
    def measures(self) -> tuple[MeasureSpec, ...]:
        """All measures, in the order of the columns."""
        return tuple(measure for component in self.components for measure in component.measures)


@dataclass(frozen=True)
class Scores:
    """What came out: one row per account, one column per component (or measure, in `scaled`)."""

    score: Array  # rounded once, no more than its exceptions allow; NaN where nothing was present
    band: Codes
    coverage: Array  # 0-1
    values: Array  # component values 0-100; NaN where the component did not count
    points: Array  # value x weight / sum of weights present; with the adjustment they add up to the score
    effective: Array  # the weight that the component really had, in percent
    missing: Flags  # no measure of the component was present
    adjustment: Array  # what an exception took away, never above 0; 0 where none did
    exception: Codes  # which one, in the order of the specification; -1 where none did
    scaled: Array | None = None  # measures on 0-100, before any policy

    def pick(self, rows: NDArray[np.intp]) -> Scores:
        """Some of the rows."""
        columns = {name.name: getattr(self, name.name) for name in fields(self)}
        picked: dict[str, Any] = {
            name: None if column is None else column[rows] for name, column in columns.items()
        }
        return Scores(**picked)


def _weight_problems(path: str, weight: float, *, positive: bool) -> list[Problem]:
    if not math.isfinite(weight) or weight < 0 or (positive and weight == 0):
        return [(path, "Enter a weight greater than 0." if positive else "A weight cannot be negative.")]
    return []


def _exception_problems(path: str, exception: ExceptionSpec, measures: int) -> list[Problem]:
    problems: list[Problem] = []
    if not 0 <= exception.column < measures:
        problems.append((f"{path}.metric", NO_MEASURE))
    if exception.operator not in OPERATORS:
        problems.append((f"{path}.operator", "There is no such comparison. Known ones: <, <=, =, >=, >."))
    if exception.reads not in READS:
        problems.append((f"{path}.reads", "An exception looks at a value or at a score."))
    if not math.isfinite(exception.value):
        problems.append((f"{path}.value", "Enter a number."))
    if not 0 <= exception.cap <= 100:
        problems.append((f"{path}.cap", "Enter a score between 0 and 100."))
    return problems


def spec_problems(spec: ModelSpec) -> list[Problem]:
    """Every fault of a model, as (path, message); the paths use component and measure keys."""
    problems: list[Problem] = []
    if not spec.components:
        problems.append(("components", "A model needs at least one component."))
    elif not any(component.weight > 0 for component in spec.components):
        problems.append(("components", "At least one component needs a weight greater than 0."))
    if len({component.key for component in spec.components}) < len(spec.components):
        problems.append(("components", "Two components have the same key."))
    for component in spec.components:
        path = component.key
        problems += _weight_problems(f"{path}.weight", component.weight, positive=False)
        if component.missing not in MISSING_POLICIES:
            problems.append((f"{path}.missing", "There is no such policy for missing data."))
        if component.combine not in COMBINATIONS:
            problems.append((f"{path}.combine", "There is no such way to combine measures."))
        if not 0 <= component.hold_days <= MAX_HOLD_DAYS or (
            component.missing == "hold" and component.hold_days < 1
        ):
            problems.append((f"{path}.hold_days", "Enter between 1 and 90 days to hold the last value."))
        for measure in component.measures:
            problems += _weight_problems(f"{path}.{measure.key}.weight", measure.weight, positive=True)
    problems += spec.bands.problems()
    for place, exception in enumerate(spec.exceptions):
        problems += _exception_problems(f"exceptions[{place}]", exception, len(spec.measures))
    if not 0 <= spec.coverage_min <= 1:
        problems.append(("coverage_min", "The minimum coverage must lie between 0 and 1."))
    return problems


@dataclass(frozen=True)
class Circumstances:
    """What scales may ask of each row beside its values; nothing is needed where no scale asks."""

    targets: Array | None = (
        None  # rows x measures: the target to hold a value against, NaN where there is none
    )
    tenure: Array | None = None  # rows: days since go-live
    peers: Mapping[int, Peers] = field(default_factory=dict)  # by column: the peers of each row

    def of(self, column: int) -> Beside:
        """What one measure's scale is told."""
        own = None if self.targets is None else self.targets[:, column]
        return Beside(own, self.tenure, self.peers.get(column))


def scale_measures(spec: ModelSpec, raw: Array, about: Circumstances) -> Array:
    """Every measure on 0-100; NaN stays NaN."""
    scaled = np.empty_like(raw, dtype=np.float64)
    for column, measure in enumerate(spec.measures):
        scaled[:, column] = measure.scale.apply(raw[:, column], about.of(column))
    return scaled


def _fill(component: ComponentSpec, value: Array, held: Array | None) -> Array:
    """Put what the component's policy says in the place of missing values."""
    absent = np.isnan(value)
    if component.missing == "zero":
        return np.where(absent, 0.0, value)
    if component.missing == "neutral":
        return np.where(absent, NEUTRAL_VALUE, value)
    if component.missing == "hold" and held is not None:
        return np.where(absent, held, value)
    return value


def _merge(component: ComponentSpec, columns: Sequence[Array]) -> Array:
    """One value from the component's measures: weighted mean, minimum or maximum of those that are there."""
    if component.combine != "mean":
        pick = np.fmin if component.combine == "min" else np.fmax  # both skip NaN
        merged = columns[0]
        for column in columns[1:]:
            merged = pick(merged, column)
        return merged
    total, weights = np.zeros_like(columns[0]), np.zeros_like(columns[0])
    for measure, column in zip(component.measures, columns, strict=True):
        there = ~np.isnan(column)
        total += np.where(there, column, 0.0) * measure.weight
        weights += there * measure.weight
    # Rounding of the weights must not push a mean of 100s over 100.
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(np.where(weights > 0, total / weights, np.nan), 0.0, 100.0)


def score(
    spec: ModelSpec, raw: Array, *, about: Circumstances | None = None, held: Array | None = None
) -> Scores:
    """Score accounts from their raw measures.

    `raw` and `held` have one row per account and one column per measure; `held` is the last known scaled value, NaN where
    there is none within the component's hold days.
    """
    raw = np.asarray(raw, dtype=np.float64)
    if raw.ndim != 2 or raw.shape[1] != len(spec.measures):
        raise ValueError(f"Expected {len(spec.measures)} measures a row, got an array of shape {raw.shape}.")
    scaled = scale_measures(spec, raw, about or Circumstances())
    rows, count = raw.shape[0], len(spec.components)
    values, share = np.full((rows, count), np.nan), np.zeros((rows, count))
    start = 0
    for position, component in enumerate(spec.components):
        width = len(component.measures)
        columns = [scaled[:, start + offset] for offset in range(width)]
        if width:
            total = math.fsum(measure.weight for measure in component.measures)
            present = np.zeros(rows)
            for measure, column in zip(component.measures, columns, strict=True):
                present += ~np.isnan(column) * measure.weight
            share[:, position] = np.minimum(present / total, 1.0)
            filled = [
                _fill(component, column, None if held is None else held[:, start + offset])
                for offset, column in enumerate(columns)
            ]
            values[:, position] = _merge(component, filled)
        start += width
    holding = [exception.holds(raw, scaled) for exception in spec.exceptions]
    return replace(combine(spec, values, share, holding), scaled=scaled)


def _lowest_cap(spec: ModelSpec, holding: Sequence[Flags], rows: int) -> tuple[Array, Codes]:
    """The lowest cap of the exceptions that hold, and which one it is; the first of several equal ones."""
    cap, which = np.full(rows, np.inf), np.full(rows, -1, dtype=np.int16)
    for place, (exception, holds) in enumerate(zip(spec.exceptions, holding, strict=True)):
        lower = holds & (exception.cap < cap)
        cap[lower], which[lower] = exception.cap, place
    return cap, which


def combine(
    spec: ModelSpec, values: Array, share: Array | None = None, holding: Sequence[Flags] = ()
) -> Scores:
    """Score accounts from component values (NaN = missing) and the share of each component that was present.

    Without `share` a component that has a value is wholly present. A missing component gets what its policy says; a zero or
    neutral one has weight but does not count as present, so an account with nothing present has no score. `holding` says,
    exception by exception, for which accounts its condition is fulfilled; without it (from component values alone nobody can
    tell) none is. Points stay what the components earned: `points + adjustment = score`.
    """
    values = np.asarray(values, dtype=np.float64)
    share = (~np.isnan(values)).astype(np.float64) if share is None else np.asarray(share, dtype=np.float64)
    values = values.copy()
    rows, all_weights = values.shape[0], math.fsum(component.weight for component in spec.components)
    total, weights, covered = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for position, component in enumerate(spec.components):
        value = values[:, position] = _fill(component, values[:, position], None)
        there = ~np.isnan(value)
        total += np.where(there, value, 0.0) * component.weight
        weights += there * component.weight
        covered += share[:, position] * component.weight
    coverage = np.minimum(covered / all_weights, 1.0)
    counts = (covered > 0) & (weights > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.where(counts, np.round(total / weights, SCORE_DECIMALS), np.nan)
    points, effective = np.full(values.shape, np.nan), np.zeros(values.shape)
    for position, component in enumerate(spec.components):
        value = values[:, position]
        used = counts & ~np.isnan(value)
        points[used, position] = value[used] * component.weight / weights[used]
        effective[used, position] = 100.0 * component.weight / weights[used]
    capped, adjustment = result, np.zeros(rows)
    which = np.full(rows, -1, dtype=np.int16)
    if holding:
        cap, lowest = _lowest_cap(spec, holding, rows)
        binds = counts & (cap < result)
        capped = np.where(binds, cap, result)
        adjustment[binds] = cap[binds] - result[binds]
        which[binds] = lowest[binds]
    band = spec.bands.classify(capped)
    band[coverage < spec.coverage_min] = UNKNOWN
    return Scores(capped, band, coverage, values, points, effective, share <= 0, adjustment, which)


def combine_given(spec: ModelSpec, values: Array, raw: Array) -> Scores:
    """The calculator: component values, and what is given of measures (NaN: nothing), which the exceptions look at.

    A component that is one measure tells that measure's score as well. Scales that ask for a target, a tenure or peers of a
    day have none here, so a condition on such a score holds only where its component is that one measure.
    """
    scaled = scale_measures(spec, raw, Circumstances())
    column = 0
    for position, component in enumerate(spec.components):
        if len(component.measures) == 1:
            told = np.isnan(raw[:, column])
            scaled[told, column] = values[told, position]
        column += len(component.measures)
    return combine(spec, values, holding=[exception.holds(raw, scaled) for exception in spec.exceptions])
