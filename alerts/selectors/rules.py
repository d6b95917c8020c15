"""How rules have done: what became of their alerts, how precise they are, which threshold would spare noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from accounts.models import Tenant
from alerts.conditions import ConditionError, Group, Leaf, leaves_of, parse_tree, tree_as_data
from alerts.conditions.tree import Number, PastShare, TargetShare
from alerts.models import Alert, Rule
from alerts.precision import Suggestion, suggest, wilson
from alerts.rule_words import figure, measured, sentence, tree_words

MOST_JUDGED = 2_000  # the newest; older verdicts were on another rule


@dataclass(frozen=True)
class RuleRecord:
    """How a rule has done: what became of its alerts, and how often closing them was worth it."""

    rule: Rule
    open: int
    resolved: int
    useful: int
    noise: int
    known: int

    @property
    def judged(self) -> int:
        """How many alerts people closed with a verdict."""
        return self.useful + self.noise + self.known

    @property
    def precision(self) -> float | None:
        """Useful ÷ judged, 0 to 1; None before anybody has judged."""
        return self.useful / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the precision by Wilson."""
        return wilson(self.useful, self.judged)


def precision_ledger(tenant: Tenant, rule_id: int | None = None) -> list[RuleRecord]:
    """Every rule with what became of its alerts, or one; two queries."""
    alerts, rules = Alert.objects.filter(tenant=tenant), Rule.objects.filter(tenant=tenant)
    if rule_id is not None:
        alerts, rules = alerts.filter(rule_id=rule_id), rules.filter(pk=rule_id)
    counts: dict[int, dict[str, Any]] = {
        row["rule_id"]: dict(row)
        for row in alerts.values("rule_id").annotate(
            open=Count("pk", filter=Q(state__in=[Alert.State.OPEN, Alert.State.SNOOZED])),
            resolved=Count("pk", filter=Q(state=Alert.State.RESOLVED)),
            **{verdict: Count("pk", filter=Q(close_verdict=verdict)) for verdict in Alert.Verdict.values},
        )
    }
    none = dict.fromkeys(("open", "resolved", *Alert.Verdict.values), 0)
    return [
        RuleRecord(rule, **{name: counts.get(rule.pk, none)[name] for name in none})
        for rule in rules.order_by("position", "id")
    ]


def sentence_of(rule: Rule, names: Mapping[str, str]) -> str:
    """When a rule fires, in words; a shipped kind says it in its description."""
    if rule.kind != Rule.Kind.CONDITIONS:
        return rule.description
    try:
        return sentence(tree_words(parse_tree(rule.params.get("tree")), names))
    except ConditionError:
        return rule.description


@dataclass(frozen=True)
class Dial:
    """The one threshold of a rule that decides how much it finds."""

    name: str  # of the parameter, or the path of the comparison
    current: float
    fires_below: bool
    strict: bool  # exactly on it does not fire


@dataclass(frozen=True)
class Advice:
    """A threshold that a person may apply."""

    dial: Dial
    threshold: float
    found: Suggestion = field(repr=False)


def dial_of(rule: Rule) -> Dial | None:
    """The threshold that a suggestion would turn; None where there are none or several."""
    params = rule.params
    match rule.kind:
        case "usage_under_target" | "rate_falling" | "feature_adoption":
            return Dial("below", float(params.get("below", 0.5)), True, True)
        case "metric_at_zero":
            return Dial("minimum", float(params.get("minimum", 1)), True, True)
        case "ticket_unresolved":
            return Dial("hours", float(params.get("hours", 72)), False, True)
        case "health_dropped" if not params.get("worse_band", True):
            return Dial("points", float(params.get("points", 15)), False, False)
        case "conditions":
            leaf = _only_leaf(params)
            if leaf is not None:
                bound = leaf.bound
                current = bound.value if isinstance(bound, Number) else _share(leaf)
                return Dial(leaf.path, current, leaf.op in ("under", "at_most"), leaf.op in ("under", "over"))
    return None


def _share(leaf: Leaf) -> float:
    return leaf.bound.share if isinstance(leaf.bound, TargetShare | PastShare) else 0.0


def _only_leaf(params: Mapping[str, Any]) -> Leaf | None:
    """The only comparison with a number, where a condition has exactly one."""
    try:
        leaves = list(leaves_of(parse_tree(params.get("tree"))))
    except ConditionError:
        return None
    numeric = [
        leaf
        for leaf in leaves
        if leaf.op != "between" and isinstance(leaf.bound, Number | TargetShare | PastShare)
    ]
    return numeric[0] if len(numeric) == 1 else None


def _measure(rule: Rule, dial: Dial, evidence: Mapping[str, Any]) -> float | None:
    """By how much an alert fired, in the units of the dial."""
    match rule.kind:
        case "usage_under_target":
            return float(min(max(item["values"]) / item["target"] for item in evidence["metrics"]))
        case "rate_falling":
            return float(evidence["rate"] / evidence["baseline"])
        case "metric_at_zero":
            return float(evidence["value"])
        case "ticket_unresolved":
            return float(evidence["hours"])
        case "health_dropped":
            return float(evidence["from_score"] - evidence["score"])
        case "feature_adoption":
            return float(evidence["share"])
        case _:
            found = next((fact for fact in evidence["facts"] if fact["path"] == dial.name), None)
            if found is None or "value" not in found:
                return None
            leaf = _only_leaf(rule.params)
            if leaf is not None and not isinstance(leaf.bound, Number):
                return float(found["value"] / found["bound"] * dial.current) if found["bound"] else None
            return float(found["value"])


def advice_for(tenant: Tenant, rule: Rule) -> Advice | None:
    """The threshold that judged alerts speak for; one query."""
    dial = dial_of(rule)
    if dial is None:
        return None
    rows = (
        Alert.objects.filter(
            tenant=tenant, rule=rule, close_verdict__in=[Alert.Verdict.USEFUL, Alert.Verdict.NOISE]
        )
        .order_by("-id")
        .values_list("evidence", "close_verdict")[:MOST_JUDGED]
    )
    judged = [
        (value, verdict == Alert.Verdict.USEFUL)
        for evidence, verdict in rows
        if (value := _measure(rule, dial, evidence)) is not None
    ]
    found = suggest(judged, fires_below=dial.fires_below)
    if found is None:
        return None
    threshold = _rounded(found.threshold, dial)
    stricter = threshold < dial.current if dial.fires_below else threshold > dial.current
    return Advice(dial, threshold, found) if stricter else None


def threshold_words(rule: Rule, value: float, names: Mapping[str, str]) -> str:
    """A threshold as people read it: money in its currency, everything else as a number."""
    leaf = _only_leaf(rule.params) if rule.kind == Rule.Kind.CONDITIONS else None
    if leaf is not None and isinstance(leaf.bound, Number):
        return measured(value, leaf.fact, names)
    return figure(value)


def _rounded(value: float, dial: Dial) -> float:
    """The value as a threshold of two decimals that still lets it fire."""
    scaled = value * 100
    if dial.fires_below:
        whole = math.ceil(round(scaled, 6))
        return (whole + (dial.strict and whole <= round(scaled, 6))) / 100
    whole = math.floor(round(scaled, 6))
    return (whole - (dial.strict and whole >= round(scaled, 6))) / 100


def with_threshold(rule: Rule, advice: Advice) -> dict[str, Any]:
    """The rule's parameters with the suggested threshold."""
    if rule.kind != Rule.Kind.CONDITIONS:
        return {**rule.params, advice.dial.name: advice.threshold}
    tree = tree_as_data(parse_tree(rule.params["tree"]))
    _turn(parse_tree(tree), tree, advice)
    return {"tree": tree}


def _turn(group: Group, data: dict[str, Any], advice: Advice) -> None:
    for part, piece in zip(group.parts, data[group.joined], strict=True):
        if isinstance(part, Group):
            _turn(part, piece, advice)
        elif part.path == advice.dial.name:
            name = "value" if isinstance(part.bound, Number) else "target"
            name = "past" if isinstance(part.bound, PastShare) else name
            piece[name] = advice.threshold
