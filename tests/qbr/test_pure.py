"""Months without rest, variants without luck, hashes without doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbr.experiments import Variant, judge, variants_from
from qbr.figures.canonical import canonical, record_hash, row_digest
from qbr.registers.months import by_month, months, months_between, shares, total_between


@dataclass(frozen=True)
class Line:
    amount_cents: int
    currency: str
    first_month: date
    last_month: date


@given(st.integers(1, 10**13), st.integers(1, 120))
def test_shares_add_up_and_differ_by_a_cent(amount: int, parts: int) -> None:
    made = shares(amount, parts)
    assert sum(made) == amount and len(made) == parts and max(made) - min(made) <= 1


def test_value_by_month_keeps_currencies_apart() -> None:
    lines = [
        Line(100, "EUR", date(2026, 1, 1), date(2026, 3, 1)),
        Line(50, "EUR", date(2026, 3, 1), date(2026, 3, 1)),
        Line(999, "USD", date(2026, 2, 1), date(2026, 2, 1)),
    ]
    assert by_month(lines, "EUR") == {date(2026, 1, 1): 34, date(2026, 2, 1): 33, date(2026, 3, 1): 83}
    assert total_between(lines, "EUR", date(2026, 2, 10), date(2026, 3, 9)) == 116
    assert total_between(lines, "USD", date(2026, 3, 1), date(2026, 3, 31)) == 0
    assert [*months(date(2025, 11, 20), date(2026, 2, 1))][::3] == [date(2025, 11, 1), date(2026, 2, 1)]
    assert months_between(date(2025, 11, 1), date(2026, 2, 1)) == 4


@pytest.mark.parametrize(
    ("variants", "verdict", "winner"),
    [
        ([Variant("A", 1000, 100), Variant("B", 1000, 160)], "won", "B"),
        ([Variant("A", 1000, 100), Variant("B", 1000, 105)], "close", None),
        ([Variant("A", 40, 1), Variant("B", 40, 30)], "few", None),
        ([Variant("A", 1000, 100)], "single", None),
        ([], "single", None),
        ([Variant("A", 100, 120), Variant("B", 100, 10)], "no_share", None),
        # One that was hardly tried does not win, nor does it keep the others from it.
        ([Variant("A", 1000, 100), Variant("B", 1000, 160), Variant("C", 10, 9)], "won", "B"),
        ([Variant("A", 1000, 100), Variant("B", 1000, 160), Variant("C", 1000, 158)], "close", None),
    ],
)
def test_the_verdict_on_variants(variants: list[Variant], verdict: str, winner: str | None) -> None:
    outcome = judge(variants)
    assert (outcome.verdict, outcome.winner.key if outcome.winner else None) == (verdict, winner)
    assert outcome.trials == sum(variant.trials for variant in variants)


def test_uplift_and_its_bounds() -> None:
    outcome = judge([Variant("A", 1000, 100), Variant("B", 1000, 160)])
    assert outcome.uplift_pct == pytest.approx(60.0)
    assert outcome.low is not None and outcome.high is not None and 0 < outcome.low < 6 < outcome.high
    lower = judge([Variant("A", 1000, 100), Variant("B", 1000, 160)], higher_is_better=False)
    assert lower.winner is not None and lower.winner.key == "A"
    assert lower.low is not None and lower.low > 0


def test_more_rivals_ask_for_more_certainty() -> None:
    pair = [Variant("A", 1000, 100), Variant("B", 1000, 128)]
    crowd = pair + [Variant(f"C{n}", 1000, 100) for n in range(20)]
    assert judge(pair).verdict == "won" and judge(crowd).verdict == "close"


def test_a_variant_that_never_ran_is_no_variant() -> None:
    assert variants_from({"A": 3.0, "B": 1.0}, {"A": 10.0, "C": 0.0}) == [Variant("A", 10, 3)]


def test_one_moment_and_one_number_have_one_spelling() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=5)))
    assert canonical({"b": noon, "a": 1}) == canonical({"a": 1, "b": elsewhere})
    assert record_hash({"a": 1.0}) != record_hash({"a": 1.5})
    assert row_digest([("x", 1)]) != row_digest([("x",), (1,)])
    with pytest.raises(ValueError, match="Out of range"):
        canonical({"a": float("nan")})
    with pytest.raises(TypeError):
        canonical({"a": object()})
