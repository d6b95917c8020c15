"""Conditions of lists, pure: what an address may say, and how it is written again."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation

from workspace.lists.account_columns import STATIC
from workspace.lists.builder import builder_of, read_builder, stepped
from workspace.lists.conditions import (
    BadCondition,
    Condition,
    Group,
    Tree,
    both,
    check,
    read_tree,
    without,
    write_tree,
)
from workspace.lists.sql import Reader, row_sql, tree_sql
from workspace.lists.words import chips, tree_words

TODAY = date(2026, 3, 10)
READER = Reader(TODAY, ZoneInfo("Europe/Madrid"), 7)
TREE = Tree(
    (
        Group((Condition("mrr", "over", "5000"), Condition("band", "is", "critical, at_risk")), "any"),
        Group((Condition("renewal", "in_next", "90"),)),
    ),
    "all",
)


def test_a_tree_survives_the_address() -> None:
    text = write_tree(TREE)
    assert read_tree(text, STATIC) == (TREE, 0)
    assert write_tree(Tree()) == ""
    assert read_tree("", STATIC) == (Tree(), 0)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"g": 5}',
        "[" * 5000,
        json.dumps({"g": [{"r": [["mrr", "over", "x"]]}]}),
        json.dumps({"g": [{"r": [["secret", "is", "x"]]}]}),
        json.dumps({"g": [{"r": [["mrr", "is", "5"]]}]}),
        json.dumps({"g": [{"r": [["name", "is", "\0"]]}]}),
        json.dumps({"g": [{"r": [[1, 2]]}]}),
        json.dumps({"g": ["x"]}),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_counted(text: str) -> None:
    assert read_tree(text, STATIC) == (Tree(), 1)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Condition("nothing", "is", "x"), "column"),
        (Condition("mrr", "contains", "x"), "operator"),
        (Condition("mrr", "over", ""), "value"),
        (Condition("mrr", "over", "ten"), "number"),
        (Condition("mrr", "between", "5"), "between"),
        (Condition("renewal", "in_next", "-1"), "days"),
        (Condition("renewal", "before", "31/12/2026"), "day"),
        (Condition("owner", "is", "x"), "value"),
        (Condition("band", "is", "purple"), "value"),
        (Condition("name", "is", "x" * 501), "long"),
    ],
)
def test_a_comparison_says_what_is_wrong_with_it(row: Condition, code: str) -> None:
    with pytest.raises(BadCondition) as wrong:
        check(row, STATIC)
    assert wrong.value.code == code


def test_values_travel_beside_the_statement() -> None:
    text, values = tree_sql(TREE, STATIC, READER)
    assert text == (
        "(((a.mrr_cents > %s) IS TRUE) OR coalesce(s.band, 0) = ANY(%s)) AND "
        "(((a.renewal_on >= %s AND a.renewal_on < %s) IS TRUE))"
    )
    assert values == [500_000, [1, 2], TODAY, date(2026, 6, 9)]
    evil = "'; DROP TABLE accounts_account; --"
    text, values = row_sql(Condition("segment", "is", evil), STATIC, READER)
    assert "drop" not in text and values == [[evil.lower()]]
    assert row_sql(Condition("owner", "is", "me"), STATIC, READER)[1] == [7]
    assert tree_sql(Tree(), STATIC, READER) == ("TRUE", [])


def test_conditions_are_said_in_words_in_both_languages() -> None:
    with translation.override("en"):
        assert tree_words(TREE, STATIC, {}) == (
            "(MRR is over 5,000 or Health band is Critical or At risk) and Renewal in the next 90 days"
        )
        assert [chip.place for chip in chips(TREE, STATIC, {})] == [(0, 0), (0, 1), (1, 0)]
    with translation.override("es"):
        assert "Renovación en los próximos 90 días" in tree_words(TREE, STATIC, {})


def test_comparisons_are_taken_away_and_added() -> None:
    assert without(TREE, 1, 0) == Tree(TREE.groups[:1])
    assert without(without(TREE, 0, 1), 0, 0) == Tree(TREE.groups[1:])
    row = Condition("stage", "is", "active")
    assert both(TREE, row).groups[-1] == Group((row,))
    with pytest.raises(BadCondition):
        both(Tree(TREE.groups, "any"), row)


def test_the_form_keeps_what_was_typed_through_every_step() -> None:
    def sent(text: str) -> dict[str, list[str]]:
        data = QueryDict(text)
        return {name: data.getlist(name) for name in data}

    typed = "g0-join=any&g0c0-column=mrr&g0c0-operator=over&g0c0-value=5000&join=all"
    builder = read_builder(sent(typed), STATIC, [], judge=True)
    assert not builder.wrong
    assert builder.tree() == Tree((Group((Condition("mrr", "over", "5000"),), "any"),))
    builder = stepped(builder, "add:0", STATIC, [])
    assert [row.prefix for row in builder.groups[0].rows] == ["g0c0", "g0c1"]
    builder = stepped(builder, "group", STATIC, [])
    assert (len(builder.groups), builder.groups[1].join) == (2, "any")
    builder = stepped(builder, "remove:0:0", STATIC, [])
    assert [row.key for row in builder.groups[0].rows] == [""]
    wrong = read_builder(sent(typed.replace("5000", "lots")), STATIC, [], judge=True)
    assert wrong.wrong and wrong.groups[0].rows[0].value == "lots"
    bands = "g0c0-column=band&g0c0-operator=is&g0c0-value=critical&g0c0-value=unknown"
    assert read_builder(sent(bands), STATIC, [], judge=True).groups[0].rows[0].chosen == [
        "critical",
        "unknown",
    ]
    # Another column does not take the operator and value of the one before.
    other = read_builder(
        sent("g0c0-column=renewal&g0c0-operator=over&g0c0-value=5000"), STATIC, [], judge=False
    )
    assert (other.groups[0].rows[0].operator, other.groups[0].rows[0].value) == ("in_next", "")
    assert builder_of(TREE, STATIC, []).tree() == TREE
