"""Declared fields, pure: what each kind takes, how a typed text is read."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.field_kinds import BadValue, FieldSpec, guess_kind, plain_number, read_text, read_value, written

MEMBERS = frozenset({"ana@acme.example"})
TIER = ("Gold", "Silver")


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "  x ", "x"),
        ("text", 5, "5"),
        ("number", 1.5, 1.5),
        ("money", 1050, 1050),
        ("date", "2026-02-28", "2026-02-28"),
        ("bool", False, False),
        ("choice", "gold", "Gold"),
        ("choices", ["silver", "Gold", "gold"], ["Silver", "Gold"]),
        ("link", "https://a.example/x", "https://a.example/x"),
        ("member", "Ana@acme.example", "ana@acme.example"),
    ],
)
def test_a_fitting_value_is_stored(kind: str, value: Any, stored: Any) -> None:
    assert read_value(FieldSpec("k", kind, TIER), value, MEMBERS) == stored


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("text", "x" * 1001, "text"),
        ("text", ["x"], "text"),
        ("number", True, "number"),
        ("number", float("inf"), "number"),
        ("money", 1.5, "money"),
        ("date", "2026-02-29", "date"),
        ("date", "20260228", "date"),
        ("bool", "yes", "bool"),
        ("choice", "Bronze", "choice"),
        ("choices", "Gold", "choices"),
        ("link", "javascript:alert(1)", "link"),
        ("member", "bob@acme.example", "member"),
    ],
)
def test_another_value_is_refused(kind: str, value: Any, code: str) -> None:
    with pytest.raises(BadValue) as refused:
        read_value(FieldSpec("k", kind, TIER), value, MEMBERS)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("number", "1,234.5", 1234.5),
        ("number", "1.234,5", 1234.5),
        ("number", "1,5", 1.5),
        ("number", "12", 12),
        ("money", "€1.234,50", 123450),
        ("money", "99", 9900),
        ("bool", "Sí", True),
        ("bool", "No", False),
        ("choices", "gold; silver", ["Gold", "Silver"]),
    ],
)
def test_what_people_type_is_understood(kind: str, text: str, stored: Any) -> None:
    spec = FieldSpec("k", kind, TIER)
    assert read_text(spec, text, MEMBERS) == stored
    back = written(kind, stored)
    assert read_text(spec, str(back).lower() if isinstance(back, bool) else str(back), MEMBERS) == stored


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1.234", "1.234"),
        ("1,234", "1234"),
        ("1.234.567", "1234567"),
        ("1 234,5", "1234.5"),
        ("-5,25", "-5.25"),
        ("x", "x"),
        ("1'000", "1000"),
    ],
)
def test_numbers_are_written_in_many_ways(text: str, plain: str) -> None:
    assert plain_number(text) == plain


def test_the_kind_of_undeclared_values_is_guessed() -> None:
    assert [
        guess_kind(values)
        for values in ([True, False], [1, 2.5], ["2026-01-01"], ["https://a.example/"], ["a", 1], [], [None])
    ] == ["bool", "number", "date", "link", "text", "text", "text"]
