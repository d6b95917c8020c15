"""Whom a rule is about, as masks over a night's accounts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from alerts.conditions import Mask
from alerts.lifecycle import Key
from alerts.models import Rule
from alerts.probes.accounts import AccountColumn
from alerts.probes.night import Needs, Night
from alerts.probes.tree import WORD_SQL
from alerts.probes.windows import Window

VOLUME_DAYS = 28


@dataclass(frozen=True)
class Audience:
    """`within`: the rule is about these accounts; `ready`: of them, those that it may open an alert at."""

    within: Mask
    ready: Mask


def _filters(rule: Rule) -> list[AccountColumn]:
    chosen = (("segment", rule.segments), ("stage", rule.stages), ("plan_kind", rule.plan_kinds))
    return [
        AccountColumn(WORD_SQL[field], (tuple(word.lower() for word in words),))
        for field, words in chosen
        if words
    ]


def _volume(rule: Rule, night: Night) -> list[Window]:
    if not rule.volume_metric or not rule.volume_least:
        return []
    return [Window(rule.volume_metric, night.day - timedelta(days=VOLUME_DAYS - 1), night.day)]


def audience_needs(rule: Rule, night: Night) -> Needs:
    """What must be read to know whom the rule is about."""
    return Needs(_volume(rule, night), _filters(rule))


def audience_of(rule: Rule, night: Night) -> Audience:
    """Segment, stage and kind of plan, not churned unless asked for; past the grace of go-live, with enough volume."""
    within = np.ones(len(night.accounts), dtype=bool) if rule.include_churned else night.alive
    for column in _filters(rule):
        within = within & (night.account(column) == 1)
    ready = within
    if rule.grace_days:
        ready = ready & (night.day.toordinal() >= night.accounts.started + rule.grace_days)
    for window in _volume(rule, night):
        value = night.values([window.metric], until=window.last, days=VOLUME_DAYS)[window.metric]
        ready = ready & (value >= rule.volume_least)
    return Audience(within, ready)


def members_of(night: Night, mask: Mask, keys: Collection[Key]) -> set[Key]:
    """The keys whose account is in the mask; a key without an account is always in."""
    allowed = set(night.accounts.ids[mask].tolist())
    return {key for key in keys if not key[0] or key[0] in allowed}
