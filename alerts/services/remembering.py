"""What is remembered of rules, read for all of them at once: open alerts, cool-downs, snoozes, dwells, baselines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Q

from accounts.models import Tenant
from alerts.lifecycle import Key, Memory, Standing
from alerts.models import Alert, Match, Rule
from alerts.probes import OpenAlert

OPEN_STATES = (Alert.State.OPEN, Alert.State.SNOOZED)
# Only these say where an account must be back: evidence of the others is not read.
REMEMBERS_EVIDENCE = frozenset({Rule.Kind.HEALTH_DROPPED})


@dataclass
class Remembered:
    """The memory of one rule, and the evidence of what it watches."""

    memory: Memory = field(default_factory=Memory)
    watched: dict[Key, OpenAlert] = field(default_factory=dict)
    match_ids: dict[Key, int] = field(default_factory=dict)


def recall(tenant: Tenant, rules: Sequence[Rule], day: date) -> Mapping[int, Remembered]:
    """The memory of each rule as of a day; four queries however many rules and alerts there are."""
    found: dict[int, Remembered] = {rule.pk: Remembered() for rule in rules}
    if rules:
        _open_alerts(tenant, rules, found)
        _silences(tenant, rules, day, found)
        _matches(tenant, found)
        _openings(tenant, rules, day, found)
    return found


def _key(account_id: int | None, subject: str) -> Key:
    return account_id or 0, subject


def _open_alerts(tenant: Tenant, rules: Sequence[Rule], found: dict[int, Remembered]) -> None:
    telling = [rule.pk for rule in rules if rule.kind in REMEMBERS_EVIDENCE]
    alerts = Alert.objects.filter(tenant=tenant, state__in=OPEN_STATES, rule_id__in=list(found))
    evidence: dict[int, Any] = (
        dict(alerts.filter(rule_id__in=telling).values_list("id", "evidence")) if telling else {}
    )
    nothing: dict[str, Any] = {}
    for pk, rule_id, account_id, subject, state, opened_on, seen_on, until, clear in alerts.values_list(
        "id",
        "rule_id",
        "account_id",
        "subject",
        "state",
        "opened_on",
        "last_seen_on",
        "snoozed_until",
        "clear_since",
    ):
        key, mine = _key(account_id, subject), found[rule_id]
        mine.memory.open[key] = Standing(opened_on, seen_on, until, state == Alert.State.SNOOZED, clear, pk)
        mine.watched[key] = OpenAlert(pk, evidence.get(pk, nothing))


def _silences(tenant: Tenant, rules: Sequence[Rule], day: date, found: dict[int, Remembered]) -> None:
    longest = max(max(rule.cooldown_days, 1) for rule in rules)
    ended = Alert.objects.filter(tenant=tenant, rule_id__in=list(found)).exclude(state__in=OPEN_STATES)
    rows = ended.filter(Q(ended_on__gt=day - timedelta(days=longest)) | Q(snoozed_until__gt=day))
    for rule_id, account_id, subject, ended_on, until in rows.values_list(
        "rule_id", "account_id", "subject", "ended_on", "snoozed_until"
    ):
        key, memory = _key(account_id, subject), found[rule_id].memory
        if ended_on is not None:
            memory.ended[key] = max(ended_on, memory.ended.get(key, ended_on))
        if until is not None:
            memory.snoozed[key] = max(until, memory.snoozed.get(key, until))


def _matches(tenant: Tenant, found: dict[int, Remembered]) -> None:
    rows = Match.objects.filter(tenant=tenant, rule_id__in=list(found))
    for pk, rule_id, account_id, subject, since_on, is_baseline, evidence in rows.values_list(
        "id", "rule_id", "account_id", "subject", "since_on", "is_baseline", "evidence"
    ):
        key, mine = _key(account_id, subject), found[rule_id]
        mine.match_ids[key] = pk
        if is_baseline:
            mine.memory.baseline.add(key)
            mine.watched.setdefault(key, OpenAlert(0, evidence))
        else:
            mine.memory.waiting[key] = since_on


def _openings(tenant: Tenant, rules: Sequence[Rule], day: date, found: dict[int, Remembered]) -> None:
    capped = {rule.pk: rule.reentry_days for rule in rules if rule.reentry_max}
    if not capped:
        return
    oldest = day - timedelta(days=max(capped.values()))
    rows = Alert.objects.filter(tenant=tenant, rule_id__in=list(capped), opened_on__gt=oldest)
    openings: dict[int, dict[int, list[date]]] = defaultdict(lambda: defaultdict(list))
    for rule_id, account_id, opened_on in rows.values_list("rule_id", "account_id", "opened_on"):
        openings[rule_id][account_id or 0].append(opened_on)
    for rule_id, accounts in openings.items():
        found[rule_id].memory.openings = dict(accounts)
