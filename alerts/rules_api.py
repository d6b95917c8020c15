"""The API of rules: what they are and how they have done; they are changed by people."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import TenantAPIView
from accounts.api_schema import (
    ANY_OBJECT,
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    described,
    nullable,
    record,
)

from .models import Channel, Interrupts, Rule, Severity, Topic
from .selectors import RuleRecord, metric_names, precision_ledger
from .selectors.rules import sentence_of

RULE = record(
    {
        "key": STRING,
        "name": STRING,
        "kind": {"type": "string", "enum": Rule.Kind.values},
        "origin": {"type": "string", "enum": Rule.Origin.values},
        "sentence": {**STRING, "description": "when it fires, in the company's language"},
        "params": ANY_OBJECT,
        "enabled": BOOLEAN,
        "severity": {"type": "string", "enum": Severity.values},
        "topic": {"type": "string", "enum": Topic.values},
        "interrupts": {"type": "string", "enum": Interrupts.values},
        "channels": {"type": "array", "items": {"type": "string", "enum": Channel.values}},
        "play": nullable(STRING),
        "dwell_days": INTEGER,
        "clear_days": INTEGER,
        "cooldown_days": INTEGER,
        "open": INTEGER,
        "resolved": INTEGER,
        "useful": INTEGER,
        "noise": INTEGER,
        "known": INTEGER,
        "precision": nullable({**NUMBER, "description": "useful ÷ judged"}),
        "precision_interval": {
            "type": "array",
            "items": NUMBER,
            "minItems": 2,
            "maxItems": 2,
            "description": "95% by Wilson",
        },
    }
)


class RulesView(TenantAPIView):
    """`GET rules`: every rule in its order, with its record."""

    scope = "read"

    @described(
        "rules_list",
        "List the rules and how they have done",
        answer=record({"results": {"type": "array", "items": RULE}}),
    )
    def get(self, request: Request) -> Response:
        """All of them: a company has at most a hundred of its own."""
        with translation.override(self.tenant.language):
            names = metric_names(self.tenant)
            return Response({"results": [rule_body(found, names) for found in precision_ledger(self.tenant)]})


def rule_body(found: RuleRecord, names: dict[str, str]) -> dict[str, Any]:
    """A rule as the API shows it."""
    rule = found.rule
    return {
        "key": rule.key,
        "name": rule.name,
        "kind": rule.kind,
        "origin": rule.origin,
        "sentence": sentence_of(rule, names),
        "params": rule.params,
        "enabled": rule.enabled,
        "severity": rule.severity,
        "topic": rule.topic,
        "interrupts": rule.interrupts,
        "channels": rule.channels,
        "play": rule.play_key or None,
        "dwell_days": rule.dwell_days,
        "clear_days": rule.clear_days,
        "cooldown_days": rule.cooldown_days,
        "open": found.open,
        "resolved": found.resolved,
        "useful": found.useful,
        "noise": found.noise,
        "known": found.known,
        "precision": found.precision,
        "precision_interval": list(found.interval),
    }
