"""Golden tables of every scale, its edges, and what it says about parameters that make no sense."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import scales
from scoring.scales import ScaleError, base, scale_from_dict

NAN = math.nan

GOLDEN: list[tuple[dict[str, Any], list[tuple[float, float]]]] = [
    ({"kind": "identity"}, [(0, 0), (42.5, 42.5), (100, 100), (-1, 0), (101, 100), (NAN, NAN)]),
    (
        {"kind": "percent_of_target", "target": 50},
        [(0, 0), (25, 50), (50, 100), (80, 100), (-5, 0), (NAN, NAN)],
    ),
    ({"kind": "percent_of_target"}, [(25, NAN), (0, NAN)]),
    (
        {"kind": "linear", "worst": 0, "best": 20},
        [(0, 0), (5, 25), (20, 100), (21, 100), (-1, 0), (NAN, NAN)],
    ),
    ({"kind": "linear", "worst": 48, "best": 0}, [(48, 0), (12, 75), (0, 100), (-1, 100), (60, 0)]),
    (
        {"kind": "piecewise", "points": [[0, 0], [5, 60], [25, 80], [50, 100]]},
        [
            (0, 0),
            (2.5, 30),
            (5, 60),
            (15, 70),
            (25, 80),
            (37.5, 90),
            (50, 100),
            (1e9, 100),
            (-3, 0),
            (NAN, NAN),
        ],
    ),
    (
        {"kind": "piecewise", "points": [[24, 100], [72, 40], [168, 0]]},
        [(0, 100), (24, 100), (48, 70), (72, 40), (120, 20), (168, 0), (500, 0)],
    ),
    (
        {"kind": "steps", "steps": [[1, 50], [3, 80], [10, 100]], "below": 10},
        [(0, 10), (0.999, 10), (1, 50), (2.999, 50), (3, 80), (9, 80), (10, 100), (99, 100), (NAN, NAN)],
    ),
    (
        {"kind": "steps", "steps": [[0, 100], [1, 40], [2, 0]], "below": 100},
        [(-1, 100), (0, 100), (1, 40), (2, 0)],
    ),
    (
        {"kind": "inverse", "full_until": 4, "zero_at": 24},
        [(0, 100), (4, 100), (14, 50), (24, 0), (100, 0), (NAN, NAN)],
    ),
    (
        {"kind": "percentile", "reference": [1, 2, 2, 3]},
        [(0, 0), (1, 12.5), (1.5, 25), (2, 50), (2.5, 75), (3, 87.5), (4, 100), (NAN, NAN)],
    ),
    (
        {"kind": "percentile", "reference": [1, 2, 2, 3], "higher_is_better": False},
        [(0, 100), (1, 87.5), (2, 50), (3, 12.5), (4, 0)],
    ),
    (
        {"kind": "change", "worst": 0.5, "best": 2, "same": 70},
        [(0.2, 0), (0.5, 0), (0.75, 35), (1, 70), (1.5, 85), (2, 100), (9, 100), (NAN, NAN)],
    ),
    ({"kind": "change"}, [(0.5, 0), (0.75, 35), (1, 70), (1.5, 100)]),
    ({"kind": "percentile"}, [(0, NAN), (50, NAN), (NAN, NAN)]),  # no peers: nothing can be said
    ({"kind": "percentile", "peers": "segment", "reference_of": "day"}, [(50, NAN)]),
    ({"kind": "percentile", "reference": [5, 5, 5]}, [(4.99, 0), (5, 50), (5.01, 100)]),
    (
        {"kind": "percentile", "reference": [1], "segment_references": {"smb": [1, 2]}, "peers": "segment"},
        [(0, 0), (1, 50), (2, 100)],
    ),
    (
        {"kind": "percent_of_target", "target": 50, "segment_targets": {"smb": 10}},
        [(25, 50), (50, 100), (NAN, NAN)],
    ),
    ({"kind": "piecewise", "points": [[-5, 100], [5, 0]]}, [(-9, 100), (-5, 100), (0, 50), (5, 0), (9, 0)]),
    ({"kind": "steps", "steps": [[0, 0]], "below": 100}, [(-0.001, 100), (0, 0), (NAN, NAN)]),
]


@pytest.mark.parametrize(
    ("data", "table"), GOLDEN, ids=lambda value: value.get("kind") if isinstance(value, dict) else ""
)
def test_a_scale_gives_exactly_the_scores_of_its_table(
    data: dict[str, Any], table: list[tuple[float, float]]
) -> None:
    values = np.array([raw for raw, _ in table], dtype=float)
    np.testing.assert_array_equal(scale_from_dict(data).apply(values), [score for _, score in table])


def test_an_accounts_own_target_wins_and_a_target_of_nothing_is_none() -> None:
    values = np.array([30.0, 30, 30, 30, NAN])
    targets = np.array([60.0, NAN, 0, -5, 60])
    np.testing.assert_array_equal(
        scales.PercentOfTarget().apply(values, scales.Beside(targets)), [50, NAN, NAN, NAN, NAN]
    )
    np.testing.assert_array_equal(
        scales.PercentOfTarget(target=40).apply(values, scales.Beside(targets)), [50, 75, NAN, NAN, NAN]
    )


@pytest.mark.parametrize("data", [data for data, _ in GOLDEN], ids=lambda data: data["kind"])
@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_an_infinite_value_is_refused(data: dict[str, Any], infinite: float) -> None:
    with pytest.raises(ValueError, match="infinite"):
        scale_from_dict(data).apply(np.array([1.0, infinite]))


@pytest.mark.parametrize("data", [data for data, _ in GOLDEN], ids=lambda data: data["kind"])
def test_a_scale_survives_being_written_and_read(data: dict[str, Any]) -> None:
    scale = scale_from_dict(data)
    assert scale_from_dict(scale.to_dict()) == scale


FAULTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, [("kind", base.UNKNOWN_KIND)]),
    ({"kind": "magic"}, [("kind", base.UNKNOWN_KIND)]),
    (
        {"kind": "linear", "worst": "low", "best": None, "colour": 3},
        [("colour", base.UNKNOWN_KEY), ("best", base.REQUIRED), ("worst", base.EXPECTED_NUMBER)],
    ),
    ({"kind": "linear", "worst": 3, "best": 3}, [("best", base.MUST_DIFFER)]),
    (
        {"kind": "linear", "worst": True, "best": math.nan},
        [("worst", base.EXPECTED_NUMBER), ("best", base.EXPECTED_NUMBER)],
    ),
    ({"kind": "percent_of_target", "target": 0}, [("target", base.MUST_BE_POSITIVE)]),
    ({"kind": "piecewise"}, [("points", base.REQUIRED)]),
    ({"kind": "piecewise", "points": [[0, 0]]}, [("points", base.TOO_FEW_POINTS)]),
    (
        {"kind": "piecewise", "points": [[0, -1], ["x", 50], [3]]},
        [
            ("points[0][1]", base.MUST_BE_SCORE),
            ("points[1][0]", base.EXPECTED_NUMBER),
            ("points[2]", base.EXPECTED_PAIRS),
        ],
    ),
    ({"kind": "piecewise", "points": [[0, 0], [5, 10], [5, 20]]}, [("points[2][0]", base.MUST_RISE)]),
    ({"kind": "piecewise", "points": [[n, 0] for n in range(51)]}, [("points", base.TOO_MANY_POINTS)]),
    (
        {"kind": "steps", "steps": [], "below": 120},
        [("steps", base.TOO_FEW_STEPS), ("below", base.MUST_BE_SCORE)],
    ),
    ({"kind": "inverse", "full_until": 10, "zero_at": 10}, [("zero_at", base.ZERO_AFTER_FULL)]),
    (
        {"kind": "percentile", "reference": "all", "higher_is_better": "yes", "peers": "friends"},
        [
            ("higher_is_better", base.EXPECTED_CHOICE),
            ("peers", base.NO_SUCH_PEERS),
            ("reference", base.EXPECTED_LIST),
        ],
    ),
    ({"kind": "percentile", "reference": [3, 1]}, [("reference", base.MUST_BE_SORTED)]),
    ({"kind": "percentile", "reference_of": "week"}, [("reference_of", base.NO_SUCH_SOURCE)]),
    (
        {"kind": "percentile", "reference_of": "day", "reference": [1]},
        [("reference", base.DAILY_IS_NOT_KEPT)],
    ),
    (
        {"kind": "percentile", "peers": "segment", "segment_references": {"smb": []}},
        [("segment_references.smb", base.TOO_FEW_PEERS)],
    ),
    (
        {"kind": "percent_of_target", "segment_targets": 3, "target": -1},
        [("target", base.MUST_BE_POSITIVE), ("segment_targets", base.EXPECTED_NAMES)],
    ),
    (
        {"kind": "percent_of_target", "segment_targets": {"smb": "many"}},
        [("segment_targets.smb", base.EXPECTED_NUMBER)],
    ),
    ({"kind": "linear", "worst": 10**400, "best": 1}, [("worst", base.EXPECTED_NUMBER)]),
    ({"kind": "linear", "by_tenure": []}, [("by_tenure", base.EXPECTED_STAGES)]),
    (
        {"kind": "linear", "by_tenure": [{"worst": 0, "best": 1}, 3]},
        [("by_tenure[0]", base.EXPECTED_STAGES), ("by_tenure[1]", base.EXPECTED_STAGES)],
    ),
    (
        {
            "kind": "linear",
            "worst": 0,
            "by_tenure": [{"from_days": 0}, {"from_days": 9, "best": 0, "colour": 1}],
        },
        [
            ("by_tenure[0].best", base.REQUIRED),
            ("by_tenure[1].colour", base.UNKNOWN_KEY),
            ("by_tenure[1].best", base.MUST_DIFFER),
        ],
    ),
    (
        {"kind": "linear", "worst": 0, "best": 1, "by_tenure": [{"from_days": 5}, {"from_days": 5}]},
        [("by_tenure[0].from_days", base.STARTS_AT_ZERO), ("by_tenure[1].from_days", base.STAGES_MUST_RISE)],
    ),
    (
        {"kind": "linear", "worst": 0, "best": 1, "by_tenure": [{"from_days": "0"}, {"from_days": -1}]},
        [("by_tenure[0].from_days", base.EXPECTED_DAYS), ("by_tenure[1].from_days", base.EXPECTED_DAYS)],
    ),
    ({"kind": "identity", "by_tenure": [{"from_days": 0}]}, [("by_tenure", base.NO_TENURE)]),
    ({"kind": "percentile", "by_tenure": [{"from_days": 0}]}, [("by_tenure", base.NO_TENURE)]),
    (
        {"kind": "linear", "by_tenure": [{"from_days": n, "worst": 0, "best": 1} for n in range(11)]},
        [("by_tenure", base.TOO_MANY_STAGES)],
    ),
    (
        {"kind": "change", "worst": 1.2, "best": 2, "same": 101},
        [("worst", base.AROUND_ONE), ("same", base.MUST_BE_SCORE)],
    ),
]


@pytest.mark.parametrize(("data", "problems"), FAULTS)
def test_every_fault_of_a_scale_is_reported_at_once(
    data: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(ScaleError) as caught:
        scale_from_dict(data)
    assert caught.value.problems == problems


RISING = [
    scales.Identity(),
    scales.PercentOfTarget(target=40),
    scales.Linear(worst=-10, best=90),
    scales.Piecewise(points=((0, 0), (10, 55), (11, 55), (60, 100))),
    scales.Steps(steps=((0, 10), (5, 60), (50, 90)), below=0),
    scales.Percentile(reference=(1.0, 4.0, 4.0, 9.0, 30.0)),
    scales.Change(),
]


@pytest.mark.parametrize("scale", RISING, ids=lambda scale: scale.kind)
@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=30))
def test_more_of_a_good_thing_never_scores_less(scale: scales.Scale, values: list[float]) -> None:
    scores = scale.apply(np.sort(np.array(values)))
    assert (np.diff(scores) >= 0).all()
    assert ((scores >= 0) & (scores <= 100)).all()
