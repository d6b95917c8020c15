"""The rules that come with the product, as a readable file in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml

from alerts.params import parse_params
from playbooks.shipped import Text


class ShippedRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shipped rule."""

    key: str
    kind: str
    position: int
    name: Text
    description: Text
    params: dict[str, Any]
    severity: Literal["low", "medium", "high"]
    play: Literal["none", "fixed", "weakest"]
    cooldown_days: int
    play_key: str = ""
    topic: Literal["risk", "expansion", "operations"] = "risk"
    clear_days: int = 1
    grace_days: int = 0
    interrupts: Literal["auto", "always", "never"] = "auto"


@cache
def shipped_rules() -> tuple[ShippedRule, ...]:
    """Every shipped rule in its order; a rule with a wrong threshold raises."""
    text = resources.files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8")
    rules = msgspec.convert(yaml.safe_load(text), list[ShippedRule])
    for rule in rules:
        parse_params(rule.kind, rule.params)
    return tuple(sorted(rules, key=lambda rule: rule.position))
