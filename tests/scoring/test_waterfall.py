"""The waterfall: parts that add up exactly, with the right cause."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.bands import Bands
from scoring.engine import ComponentSpec, MeasureSpec, ModelSpec, score
from scoring.scales import Linear
from scoring.waterfall import Cause, Component, Snapshot, Verdict, Waterfall, mixed_raw, split

PERCENT = Linear(0, 100)


def spec(*components: ComponentSpec) -> ModelSpec:
    return ModelSpec(components, Bands())


def component(
    key: str, weight: float, *measures: str, missing: str = "exclude", combine: str = "mean"
) -> ComponentSpec:
    return ComponentSpec(
        key,
        key,
        weight,
        tuple(MeasureSpec(name, PERCENT, 1 + place) for place, name in enumerate(measures)),
        missing,
        3 if missing == "hold" else 0,
        combine,
    )


def stored(
    version: object, model: ModelSpec, raw: list[float | None], held: list[float | None] | None = None
) -> Snapshot:
    """What a night would have stored."""

    def row(values: list[float | None]) -> np.ndarray:
        return np.array([[math.nan if value is None else value for value in values]], dtype=float)

    found = score(model, row(raw), held=None if held is None else row(held))
    assert found.scaled is not None
    parts, start = [], 0
    for place, part in enumerate(model.components):
        width = len(part.measures)
        scaled = [None if math.isnan(v) else float(v) for v in found.scaled[0, start : start + width]]
        counted = not math.isnan(found.points[0, place])
        parts.append(
            Component(
                part.key,
                part.weight,
                float(found.values[0, place]) if counted else None,
                tuple(scaled),
                tuple(measure.weight for measure in part.measures),
                part.missing,
                part.combine,
            )
        )
        start += width
    total = float(found.score[0])
    return Snapshot(version, None if math.isnan(total) else total, tuple(parts))


def amounts(water: Waterfall) -> dict[tuple[str, str], float]:
    return {(part.key, part.cause.value): round(part.amount, 6) for part in water.parts}


PLG = spec(component("usage", 60, "events"), component("support", 40, "ticket"))


def test_data_that_moved_is_its_weight_times_its_change() -> None:
    water = split(stored(1, PLG, [50, 80]), stored(1, PLG, [70, 80]))
    assert amounts(water) == {("usage", "moved"): 12.0}
    assert (water.before, water.after) == (62.0, 74.0)


def test_a_component_that_went_stale_owns_what_its_leaving_did_to_the_shares() -> None:
    water = split(stored(1, PLG, [50, 80]), stored(1, PLG, [50, None]))
    assert amounts(water) == {("support", "stale"): -12.0}  # 62 → 50
    back = split(stored(1, PLG, [50, None]), stored(1, PLG, [50, 80]))
    assert amounts(back) == {("support", "back"): 12.0}


def test_stale_and_moved_are_told_apart_in_one_night() -> None:
    water = split(stored(1, PLG, [50, 80]), stored(1, PLG, [60, None]))
    assert amounts(water) == {("support", "stale"): -12.0, ("usage", "moved"): 10.0}


def test_a_measure_that_went_stale_inside_a_component_is_stale_and_not_moved() -> None:
    model = spec(component("usage", 100, "events", "people"))  # weights 1 and 2
    water = split(stored(1, model, [30, 60]), stored(1, model, [40, None]))
    assert amounts(water) == {("usage", "stale"): -20.0, ("usage", "moved"): 10.0}  # 50 → 30 → 40


@pytest.mark.parametrize(("policy", "expected"), [("zero", -32.0), ("neutral", -12.0)])
def test_a_policy_that_fills_in_is_stale_data_too(policy: str, expected: float) -> None:
    model = spec(component("usage", 60, "events"), component("support", 40, "ticket", missing=policy))
    water = split(stored(1, model, [50, 80]), stored(1, model, [50, None]))
    assert amounts(water) == {("support", "stale"): expected}


def test_a_held_component_loses_nothing_until_it_is_let_go() -> None:
    model = spec(component("usage", 60, "events"), component("support", 40, "ticket", missing="hold"))
    held = stored(1, model, [50, None], held=[None, 80])
    assert split(stored(1, model, [50, 80]), held).parts == ()
    assert amounts(split(held, stored(1, model, [50, None]))) == {("support", "stale"): -12.0}


def test_a_new_version_alone_is_model_changed() -> None:
    heavier = spec(component("usage", 40, "events"), component("support", 60, "ticket"))
    water = split(stored(1, PLG, [50, 80]), stored(2, heavier, [50, 80]), stored(2, heavier, [50, 80]))
    assert {part.cause for part in water.parts} == {Cause.MODEL}
    assert amounts(water) == {("usage", "model"): -10.0, ("support", "model"): 16.0}
    assert water.model_changed


def test_model_and_data_are_told_apart_when_both_changed() -> None:
    heavier = spec(component("usage", 40, "events"), component("support", 60, "ticket"))
    before, after = stored(1, PLG, [50, 80]), stored(2, heavier, [70, 80])
    water = split(before, after, stored(2, heavier, [50, 80]))
    assert water.by_cause() == {Cause.MODEL: pytest.approx(6.0), Cause.MOVED: pytest.approx(8.0)}


def test_two_versions_need_the_earlier_day_under_the_later_one() -> None:
    before, after = stored(1, PLG, [50, 80]), stored(2, PLG, [70, 80])
    with pytest.raises(ValueError, match="two versions"):
        split(before, after)
    with pytest.raises(ValueError, match="two versions"):
        split(before, after, before)


def test_what_the_points_do_not_explain_is_an_exception() -> None:
    capped = replace(stored(1, PLG, [70, 80]), score=40.0)
    water = split(stored(1, PLG, [50, 80]), capped)
    assert amounts(water) == {("usage", "moved"): 12.0, ("", "exception"): -34.0}


def test_an_override_is_a_bar_of_its_own_behind_the_computed_score() -> None:
    before, after = stored(1, PLG, [50, 80]), replace(stored(1, PLG, [70, 80]), override=90.0)
    water = split(before, after)
    assert amounts(water) == {("usage", "moved"): 12.0, ("", "override"): 16.0}
    assert math.fsum(part.amount for part in water.computed) == pytest.approx(12.0)
    assert amounts(split(after, before)) == {("usage", "moved"): -12.0, ("", "override"): -16.0}


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([None, None], [50, 80], Verdict.APPEARED),
        ([50, 80], [None, None], Verdict.VANISHED),
        ([None, None], [None, None], Verdict.NEVER),
    ],
)
def test_where_there_is_no_score_there_are_no_parts(
    before: list[float | None], after: list[float | None], verdict: Verdict
) -> None:
    water = split(stored(1, PLG, before), stored(1, PLG, after))
    assert (water.verdict, water.parts) == (verdict, ())


def test_everything_stale_and_everything_new_gives_points_back_and_brings_them() -> None:
    water = split(stored(1, PLG, [50, None]), stored(1, PLG, [None, 80]))
    assert amounts(water) == {("usage", "stale"): -50.0, ("support", "back"): 80.0}


def test_raw_values_follow_their_measure_into_another_order() -> None:
    assert mixed_raw(["a", "b"], [1.0, None], ["c", "b", "a"], [7.0, 8.0, 9.0]) == [7.0, None, 1.0]


KNOWN = st.none() | st.floats(-20, 130, allow_nan=False).map(lambda value: round(value, 3))
NAMES = ("a", "b", "c", "d", "e", "f")


@st.composite
def models(draw: st.DrawFn) -> ModelSpec:
    names = draw(st.permutations(NAMES))
    parts, at = [], 0
    for place in range(draw(st.integers(1, 4))):
        width = draw(st.integers(1, 3 if at + 3 <= len(names) - (3 - place) else 1))
        parts.append(
            component(
                f"part{names[at]}",
                draw(st.sampled_from((0.0, 7.5, 20.0, 33.3, 55.0))) if place else 25.0,
                *names[at : at + width],
                missing=draw(st.sampled_from(("exclude", "zero", "neutral", "hold"))),
                combine=draw(st.sampled_from(("mean", "min", "max"))),
            )
        )
        at += width
    return spec(*parts)


@st.composite
def days(draw: st.DrawFn) -> tuple[Snapshot, Snapshot, Snapshot | None]:
    """Two stored scores of one version or of two, and the earlier day recomputed where there are two."""
    first = draw(models())
    second = draw(st.just(first) | models())

    def row(model: ModelSpec) -> list[float | None]:
        return draw(st.lists(KNOWN, min_size=len(model.measures), max_size=len(model.measures)))

    old, new = row(first), row(second)
    before = stored(1, first, old, held=row(first))
    after = stored(2 if second is not first else 1, second, new, held=row(second))
    if draw(st.booleans()):
        after = replace(after, override=draw(st.floats(0, 100).map(lambda value: round(value, 2))))
    if after.score is not None and draw(st.integers(0, 4)) == 0:
        after = replace(after, score=min(after.score, 40.0))  # a cap
    middle = None
    if second is not first:
        raw = mixed_raw([m.key for m in first.measures], old, [m.key for m in second.measures], new)
        middle = stored(2, second, raw)
    return before, after, middle


@settings(max_examples=600, deadline=None)
@given(days())
def test_parts_add_up_for_any_two_days(pair: tuple[Snapshot, Snapshot, Snapshot | None]) -> None:
    before, after, middle = pair
    water = split(before, after, middle)
    if before.score is None or after.score is None:
        assert water.parts == ()
        return
    assert math.fsum(part.amount for part in water.computed) == pytest.approx(
        after.score - before.score, abs=1e-6
    )
    shown = [one.score if one.override is None else one.override for one in (before, after)]
    assert math.fsum(part.amount for part in water.parts) == pytest.approx(shown[1] - shown[0], abs=1e-6)
    assert all(math.isfinite(part.amount) and part.amount for part in water.parts)
    if before.version == after.version:
        assert Cause.MODEL not in water.by_cause()


@settings(max_examples=300, deadline=None)
@given(models(), st.data())
def test_a_day_laid_beside_itself_has_no_parts(model: ModelSpec, data: st.DataObject) -> None:
    raw = data.draw(st.lists(KNOWN, min_size=len(model.measures), max_size=len(model.measures)))
    day = stored(1, model, raw)
    assert split(day, day).parts == ()
