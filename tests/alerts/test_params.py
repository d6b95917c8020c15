"""Thresholds and their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.models import Rule
from alerts.params import PARAMS, UsageUnderTarget, parse_params
from alerts.probes import PROBES
from alerts.shipped import shipped_rules
from alerts.wording import _SENTENCES
from playbooks.shipped import shipped_plays


def test_every_kind_has_thresholds_a_probe_and_a_sentence() -> None:
    kinds = set(Rule.Kind.values)
    assert kinds == set(PARAMS) == set(PROBES) == {*_SENTENCES, "conditions"}


def test_defaults_are_the_seeds_numbers() -> None:
    assert parse_params("usage_under_target", {}) == UsageUnderTarget(below=0.5, weeks=2, resolve_at=0.6)
    for rule in shipped_rules():
        if rule.kind != "conditions":
            assert parse_params(rule.kind, rule.params) == parse_params(rule.kind, {})


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("usage_under_target", {"below": 0}, "Expected `float` > 0"),
        ("usage_under_target", {"weeks": 0}, "Expected `int` >= 1"),
        ("usage_under_target", {"bellow": 0.4}, "unknown field `bellow`"),
        ("usage_under_target", {"below": 0.7}, "resolve_at must not be under below"),
        ("rate_falling", {"metric": "Reply Rate"}, "matching regex"),
        ("metric_at_zero", {"grace_days": -1}, "Expected `int` >= 0"),
        ("ticket_unresolved", {"hours": "long"}, "Expected `float`"),
        ("health_dropped", {"points": 101}, "Expected `float` <= 100"),
    ],
)
def test_a_threshold_out_of_bounds_is_refused_with_its_name(
    kind: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parse_params(kind, values)


def test_shipped_rules_start_shipped_plays() -> None:
    plays = {play.key for play in shipped_plays()}
    assert [(rule.key, rule.play, rule.play_key) for rule in shipped_rules()] == [
        ("usage_under_target", "fixed", "express_training"),
        ("reply_rate_falling", "fixed", "hooks_review"),
        ("no_active_dashboard", "fixed", "data_audit"),
        ("ticket_unresolved", "fixed", "data_audit"),
        ("health_dropped", "weakest", "express_training"),
        ("feature_adoption_low", "fixed", "feature_adoption"),
        ("engagement_falling", "fixed", "re_engagement"),
        ("limit_reached", "none", ""),
        ("expansion_signal", "none", ""),
        ("payment_failed", "fixed", "payment_recovery"),
        ("champion_gone", "fixed", "re_engagement"),
        ("low_nps", "fixed", "nps_recovery"),
        ("source_quiet", "none", ""),
    ]
    assert {rule.play_key for rule in shipped_rules()} - {""} <= plays


def test_every_component_of_the_shipped_models_has_a_play() -> None:
    repaired = [component for play in shipped_plays() for component in play.components]
    assert sorted(repaired) == sorted(
        {"usage", "engagement", "adoption", "support", "payment", "response", "value", "risk"}
    )
