"""Conditions of a tenant's own: reading, refusing, evaluating, saying them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import translation

from alerts.conditions import Column, ConditionError, evaluate, leaves_of, parse_tree, tree_as_data
from alerts.rule_words import FAULTS, fault_words, sentence, tree_words
from alerts.shipped import shipped_rules

NAN = float("nan")
SENDS: dict[str, Any] = {"fact": "metric", "metric": "sends", "days": 7}
UNDER: dict[str, Any] = {**SENDS, "op": "under", "value": 10}


def column(*values: float, base: tuple[float, ...] | None = None, blocked: bool = False) -> Column:
    return Column(np.array(values), None if base is None else np.array(base), blocked)


def truth(data: dict[str, Any], *columns: Column, releasing: bool = False) -> tuple[list[bool], list[bool]]:
    tree = parse_tree(data)
    by_path = {leaf.path: found for leaf, found in zip(leaves_of(tree), columns, strict=True)}
    found = evaluate(tree, by_path, releasing=releasing)
    return found.yes.tolist(), found.no.tolist()


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({}, "fact", "one_of"),
        ([], "", "not_an_object"),
        ({"all": []}, "", "empty"),
        ({"all": [UNDER], "any": [UNDER]}, "", "all_or_any"),
        ({"all": [UNDER, {**UNDER, "metric": "Sends now"}]}, "all.1.metric", "key"),
        ({"all": [{**UNDER, "value": "ten"}]}, "all.0.value", "number"),
        ({"all": [{**UNDER, "value": True}]}, "all.0.value", "number"),
        ({"all": [{**UNDER, "value": float("inf")}]}, "all.0.value", "number"),
        ({"all": [{**UNDER, "days": 0}]}, "all.0.days", "range"),
        ({"all": [{**UNDER, "days": 7.5}]}, "all.0.days", "whole"),
        ({"all": [{**UNDER, "days": 10, "complete_weeks": True}]}, "all.0.days", "whole_weeks"),
        ({"all": [{**UNDER, "target": 0.5}]}, "all.0.value", "one_bound"),
        ({"all": [{**SENDS, "op": "under"}]}, "all.0.value", "one_bound"),
        ({"all": [{**UNDER, "op": "is"}]}, "all.0.op", "one_of"),
        ({"all": [{**UNDER, "release": 9}]}, "all.0.release", "release_under"),
        ({"all": [{**UNDER, "op": "over", "release": 11}]}, "all.0.release", "release_over"),
        ({"all": [{**UNDER, "op": "between", "upper": 5}]}, "all.0.upper", "upper"),
        ({"all": [{**UNDER, "op": "between", "upper": 15, "release": 1}]}, "all.0.release", "no_release"),
        ({"all": [{**UNDER, "colour": "red"}]}, "all.0.colour", "unknown"),
        ({"all": [{"fact": "score", "op": "under", "past": 0.5}]}, "all.0.past", "metrics_only"),
        ({"all": [{"fact": "band", "op": "is", "values": ["red"]}]}, "all.0.values", "one_of"),
        (
            {"all": [{"fact": "field", "field": "segment", "op": "is", "values": [" "]}]},
            "all.0.values",
            "words",
        ),
        ({"all": [{"fact": "date", "date": "birthday", "op": "under", "value": 3}]}, "all.0.date", "one_of"),
        (
            {"all": [{"fact": "date", "date": "days_since_last_event", "op": "over", "value": 91}]},
            "all.0.value",
            "range",
        ),
        ({"all": [{"any": [{"all": [{"any": [UNDER]}]}]}]}, "all.0.any.0.all.0", "too_deep"),
        ({"any": [UNDER] * 21}, "", "too_many"),
    ],
)
def test_a_fault_is_refused_with_its_place_and_in_words(data: Any, path: str, code: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_tree(data)
    assert (refused.value.path, refused.value.code) == (path, code)
    for language in ("en", "es"):
        with translation.override(language):
            assert "%" not in fault_words(refused.value)
    assert code in FAULTS


def test_what_is_stored_and_read_again_is_the_same() -> None:
    trees = [parse_tree(rule.params["tree"]) for rule in shipped_rules() if rule.kind == "conditions"]
    trees.append(
        parse_tree(
            {
                "all": [
                    {**SENDS, "op": "under", "target": 0.5, "release": 0.6},
                    {**SENDS, "op": "over", "versus": "replies", "share": 2},
                    {**SENDS, "op": "between", "value": 1, "upper": 5},
                    {"fact": "tickets", "measure": "count", "severity": "high", "op": "at_least", "value": 2},
                    {"fact": "score_change", "days": 14, "op": "at_most", "value": -15},
                    {"fact": "component", "component": "usage", "op": "under", "value": 40},
                    {"fact": "field", "field": "tags", "op": "is_not", "values": ["vip", "beta"]},
                ]
            }
        )
    )
    assert len(trees) == 6
    for tree in trees:
        assert parse_tree(tree_as_data(tree)) == tree


def test_a_number_is_compared_with_its_bound_and_what_is_not_known_says_nothing() -> None:
    values = column(9.9, 10, 10.1, NAN)
    assert truth({"all": [UNDER]}, values) == ([True, False, False, False], [False, True, True, False])
    for op, holds in (
        ("at_most", [True, True, False]),
        ("over", [False, False, True]),
        ("at_least", [False, True, True]),
    ):
        assert truth({"all": [{**UNDER, "op": op}]}, values)[0] == [*holds, False]
    assert truth({"all": [{**UNDER, "op": "between", "upper": 10}]}, values)[0] == [False, True, False, False]


def test_a_tenth_of_a_share_does_not_tip_it() -> None:
    data = {"all": [{**SENDS, "op": "under", "target": 0.6}]}
    assert truth(data, column(60, 59.9, base=(100, 100)))[0] == [False, True]


def test_without_a_target_or_with_too_little_before_it_surely_does_not_hold() -> None:
    target = {"all": [{**SENDS, "op": "under", "target": 0.5}]}
    assert truth(target, column(1, 1, NAN, base=(NAN, 0, 100))) == ([False] * 3, [True, True, False])
    past = {"all": [{**SENDS, "op": "under", "past": 0.5, "times": 4, "least": 20}]}
    assert truth(past, column(1, 1, 1, base=(19, 20, NAN))) == ([False, True, False], [True, False, False])


def test_releasing_asks_for_more_than_firing() -> None:
    data = {"all": [{**UNDER, "release": 12}]}
    assert truth(data, column(9, 11, 12))[0] == [True, False, False]
    assert truth(data, column(9, 11, 12), releasing=True)[1] == [False, False, True]


def test_and_needs_all_and_or_needs_one() -> None:
    two: list[dict[str, Any]] = [UNDER, {"fact": "score", "op": "under", "value": 50}]
    sends, score = column(1, 1, 99, 99, 1, NAN), column(10, 90, 10, 90, NAN, 90)
    yes, no = truth({"all": two}, sends, score)
    assert yes == [True, False, False, False, False, False]
    assert no == [False, True, True, True, False, True]
    yes, no = truth({"any": two}, sends, score)
    assert yes == [True, True, True, False, True, False]
    # A part that does not apply to an account leaves the others to decide …
    assert no == [False, False, False, True, False, True]
    # … one whose data did not come tonight keeps everything as it is.
    blocked = column(NAN, NAN, NAN, NAN, NAN, NAN, blocked=True)
    assert truth({"any": two}, blocked, score) == ([True, False, True, False, False, False], [False] * 6)


def test_words_hold_where_the_account_has_one_of_them() -> None:
    data = {"all": [{"fact": "field", "field": "segment", "op": "is_not", "values": ["smb"]}]}
    assert truth(data, column(1, 0, NAN)) == ([False, True, False], [True, False, False])


def test_a_condition_is_said_in_both_languages() -> None:
    tree = parse_tree(
        {
            "all": [
                {**SENDS, "complete_weeks": True, "op": "under", "past": 0.6, "times": 4, "least": 20},
                {
                    "any": [
                        {"fact": "band", "score": "health", "op": "is", "values": ["critical", "at_risk"]},
                        {"fact": "date", "date": "days_to_renewal", "op": "between", "value": 0, "upper": 90},
                    ]
                },
            ]
        }
    )
    with translation.override("en"):
        assert sentence(tree_words(tree, {"sends": "Sends"})) == (
            "Sends in the last complete week is under 60% of the mean of the 4 times before (if that was at least 20) "
            "and (band of the health score is critical or at risk or days to the renewal is between 0 and 90)."
        )
    with translation.override("es"):
        said = sentence(tree_words(tree, {"sends": "Envíos"}))
    assert said.startswith(
        "Envíos en la última semana completa está por debajo de 60\N{NO-BREAK SPACE}% de la media"
    )
    assert "crítica o en riesgo" in said
