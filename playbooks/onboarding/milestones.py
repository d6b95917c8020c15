"""When a milestone is reached, how far it is, and whether it is on track. Pure: weeks of values in, findings out.

A week runs from Monday to Sunday. It counts as complete for a plan when all its seven days lie after the plan began and it
has ended. What is said of a week whose metric nobody delivered is nothing: it fulfils nothing, and it is shown as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

# The three phases by days since go-live: when their milestones open and when they are due.
PHASES: dict[int, tuple[int, int]] = {1: (0, 30), 2: (31, 60), 3: (61, 90)}
LATE_START_DAYS = 90  # an account that went live longer ago gets a plan only when a person asks for one
LAST_DAY = 180  # a plan that is not done by then is closed as it stands
BEHIND_PACE = 0.5  # more than half a window behind an even pace
BEHIND_OVER = 1.25  # or a quarter of the window beyond its end
STUCK_DAYS = 14  # behind, and nothing has moved for so long
SHOWN_WEEKS = 12

WEEKS, GROWTH, TOTAL, RATIO, PER_VALUE, KNOWN, PLAY, HAND = (
    "weeks", "growth", "total", "ratio", "per_value", "known", "play", "hand"
)  # fmt: skip
KINDS = (WEEKS, GROWTH, TOTAL, RATIO, PER_VALUE, KNOWN, PLAY, HAND)

UPCOMING, ON_TRACK, BEHIND, STUCK, DONE = "upcoming", "on_track", "behind", "stuck", "done"
WORST_FIRST = (STUCK, BEHIND, ON_TRACK)


@dataclass(frozen=True)
class Week:
    """One week of an account: the values of metrics, and per metric with a dimension what each of its values had."""

    monday: date
    ends: date  # its Sunday, or the day that is looked at
    complete: bool
    values: Mapping[str, float | None] = field(default_factory=dict)
    by_value: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is known of an account since its plan began."""

    weeks: Sequence[Week]
    delivered: frozenset[str] = frozenset()  # metrics that somebody delivers
    plays: Mapping[str, date] = field(default_factory=dict)  # when each play first ran here


@dataclass(frozen=True)
class Finding:
    """What the facts say of a milestone."""

    progress: float = 0.0  # 0–1
    reached_on: date | None = None
    moved_on: date | None = None  # the end of the last week that brought it forward
    evidence: Mapping[str, Any] = field(default_factory=dict)


def weeks_between(starts_on: date, day: date) -> list[tuple[date, date, bool]]:
    """The weeks from the plan's first day on: Monday, last day, and whether it is complete."""
    monday = starts_on - timedelta(days=starts_on.weekday())
    found = []
    while monday <= day:
        sunday = monday + timedelta(days=6)
        found.append((monday, min(sunday, day), monday >= starts_on and sunday <= day))
        monday += timedelta(days=7)
    return found


def judge(kind: str, params: Mapping[str, Any], facts: Facts) -> Finding:
    """How far a milestone of this kind is by these facts; one that only a person can know has no finding."""
    if kind == HAND:
        return Finding()
    return _JUDGES[kind](params, facts)


def _line(week: Week, value: float | None, fulfils: bool, **more: Any) -> dict[str, Any]:
    return {
        "week": week.monday.isoformat(), "value": value, "complete": week.complete, "fulfils": fulfils, **more
    }  # fmt: skip


def _in_a_row(
    facts: Facts, need: int, lines: list[dict[str, Any]], skips: frozenset[int] = frozenset()
) -> tuple[float, date | None, date | None, int]:
    """Progress, when reached, when last moved and the run that stands, of weeks in a row that fulfil something."""
    run, reached, moved = 0, None, None
    for place, (week, line) in enumerate(zip(facts.weeks, lines, strict=True)):
        if not week.complete or place in skips:
            continue
        if line["fulfils"]:
            run, moved = run + 1, week.ends
            if run >= need and reached is None:
                reached = week.ends
        else:
            run = 0
    return (1.0 if reached else min(1.0, run / need)), reached, moved, run


def _weeks(params: Mapping[str, Any], facts: Facts) -> Finding:
    metric, at_least, need = params["metric"], float(params["at_least"]), int(params["weeks"])
    lines = []
    for week in facts.weeks:
        value = week.values.get(metric)
        lines.append(_line(week, value, value is not None and value >= at_least))
    progress, reached, moved, run = _in_a_row(facts, need, lines)
    return Finding(progress, reached, moved, _evidence(facts, [metric], lines, run=run))


def _growth(params: Mapping[str, Any], facts: Facts) -> Finding:
    """A multiple of the first complete week in which anything was done."""
    metric, factor, need = params["metric"], float(params["factor"]), int(params["weeks"])
    first = next((w for w in facts.weeks if w.complete and (w.values.get(metric) or 0) > 0), None)
    base = first.values[metric] if first is not None else None
    lines = []
    for week in facts.weeks:
        value = week.values.get(metric)
        fulfils = (
            base is not None and first is not None and value is not None
            and week.monday > first.monday and value >= factor * base
        )  # fmt: skip
        lines.append(_line(week, value, fulfils))
    progress, reached, moved, run = _in_a_row(facts, need, lines)
    evidence = _evidence(facts, [metric], lines, run=run, base=base)
    if reached is None and base and factor > 1:
        later = [
            line["value"] or 0.0
            for week, line in zip(facts.weeks, lines, strict=True)
            if week.complete and first is not None and week.monday > first.monday
        ]
        # How far the best week got on the way from the first week's volume to its multiple.
        way = (max(later, default=base) - base) / ((factor - 1) * base)
        progress = max(progress, min(1.0, max(0.0, way)) / need)
    return Finding(progress, reached, moved, evidence)


def _total(params: Mapping[str, Any], facts: Facts) -> Finding:
    metric, need = params["metric"], float(params["at_least"])
    lines, total, reached, moved = [], 0.0, None, None
    for week in facts.weeks:
        value = week.values.get(metric)
        if value:
            total, moved = total + value, week.ends
            if total >= need and reached is None:
                reached = week.ends
        lines.append(_line(week, value, bool(value)))
    return Finding(
        min(1.0, total / need), reached, moved, _evidence(facts, [metric], lines, total=round(total, 6))
    )


def _ratio(params: Mapping[str, Any], facts: Facts) -> Finding:
    """A share of pooled parts in each of some complete weeks in a row."""
    top, bottom, need = params["numerator"], params["denominator"], int(params["weeks"])
    other = params.get("else_denominator")
    if other and not any(week.values.get(bottom) for week in facts.weeks):
        bottom = other
    at_least = float(params["at_least_pct"])
    lines, empty = [], set()
    for place, week in enumerate(facts.weeks):
        part, whole = week.values.get(top), week.values.get(bottom)
        share = None if part is None or not whole else 100 * part / whole
        # Compared as products: 3 of 15 are 20 % however 0.2 is rounded.
        fulfils = part is not None and bool(whole) and 100 * part >= at_least * (whole or 0)
        lines.append(_line(week, share, fulfils, part=part, whole=whole))
        if not whole and params.get("empty_weeks") == "skip":
            empty.add(place)
    progress, reached, moved, run = _in_a_row(facts, need, lines, frozenset(empty))
    return Finding(
        progress, reached, moved, _evidence(facts, [top, bottom], lines, run=run, denominator=bottom)
    )


def _per_value(params: Mapping[str, Any], facts: Facts) -> Finding:
    """So many for each value of a dimension that has appeared; without any value, so many in all."""
    metric, need = params["metric"], float(params["at_least"])
    totals: dict[str, float] = {}
    plain, lines, reached, moved = 0.0, [], None, None
    for week in facts.weeks:
        value = week.values.get(metric)
        plain += value or 0.0
        if value:
            moved = week.ends
        for key, number in week.by_value.get(metric, {}).items():
            totals[key] = totals.get(key, 0.0) + number
        counts = list(totals.values()) or [plain]
        if reached is None and min(counts) >= need:
            reached = week.ends
        lines.append(_line(week, value, bool(value)))
    counts = list(totals.values()) or [plain]
    progress = 1.0 if reached else sum(min(1.0, count / need) for count in counts) / len(counts)
    evidence = _evidence(facts, [metric], lines, total=plain, by_value=dict(sorted(totals.items())))
    return Finding(progress, reached, moved, evidence)


def _known(params: Mapping[str, Any], facts: Facts) -> Finding:
    """A value was reported at all, or one of at least so much."""
    metric, at_least = params["metric"], params.get("at_least")
    lines, reached, moved, latest = [], None, None, None
    for week in facts.weeks:
        value = week.values.get(metric)
        fulfils = value is not None and (at_least is None or value >= float(at_least))
        if value is not None:
            latest = value
        if fulfils:
            moved = week.ends
            reached = reached or week.ends
        lines.append(_line(week, value, fulfils))
    return Finding(1.0 if reached else 0.0, reached, moved, _evidence(facts, [metric], lines, latest=latest))


def _play(params: Mapping[str, Any], facts: Facts) -> Finding:
    """One of these plays ran here, or the metric says that there is something."""
    by_metric = _known(params, facts)
    ran = {key: facts.plays[key] for key in params.get("plays", ()) if key in facts.plays}
    if not ran:
        return by_metric
    key = min(ran, key=lambda one: (ran[one], one))
    reached = min(ran[key], by_metric.reached_on or ran[key])
    evidence = dict(by_metric.evidence) | {"play": key, "play_on": ran[key].isoformat(), "no_data": False}
    return Finding(1.0, reached, max(reached, by_metric.moved_on or reached), evidence)


_JUDGES = {
    WEEKS: _weeks, GROWTH: _growth, TOTAL: _total, RATIO: _ratio, PER_VALUE: _per_value, KNOWN: _known, PLAY: _play
}  # fmt: skip


def _evidence(
    facts: Facts, metrics: Sequence[str], lines: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    seen = any(line["value"] is not None for line in lines)
    return {
        "metrics": list(metrics),
        "weeks": lines[-SHOWN_WEEKS:],
        "no_data": not seen and not facts.delivered.issuperset(metrics),
        **more,
    }


def metrics_of(kind: str, params: Mapping[str, Any]) -> list[str]:
    """The metrics that a milestone reads."""
    if kind == HAND:
        return []
    named = [params.get(name) for name in ("metric", "numerator", "denominator", "else_denominator")]
    return [key for key in named if key]


def phase_on(day_number: int) -> int:
    """The phase that a plan is in, by days since it began."""
    return next((phase for phase, (_opens, due) in PHASES.items() if day_number <= due), max(PHASES))


def state_of(
    *, phase: int, day_number: int, progress: float, done: bool = False, moved_day: int | None = None
) -> str:
    """Whether a milestone is on track; days are counted from the plan's first one.

    Behind: more than half of its window behind an even pace, or open when a quarter of the window beyond its end has
    passed. Stuck: behind for 14 days in which nothing moved.
    """
    opens, due = PHASES[phase]
    if done:
        return DONE
    if day_number < opens:
        return UPCOMING
    window = due - opens
    pace = progress + BEHIND_PACE
    behind_from = opens + window * (pace if pace < 1 else BEHIND_OVER)
    if day_number <= behind_from:
        return ON_TRACK
    still_since = behind_from if moved_day is None else max(behind_from, moved_day)
    return STUCK if day_number - still_since >= STUCK_DAYS else BEHIND


def worst_of(states: Sequence[str]) -> str:
    """The status of a plan: the worst of its open milestones whose window has opened; done when all are."""
    if states and all(state == DONE for state in states):
        return DONE
    return next((state for state in WORST_FIRST if state in states), ON_TRACK)
