"""One look at all accounts for some rules: what the night, the dry run and the list of affected accounts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from alerts.audience import audience_needs, audience_of, members_of
from alerts.lifecycle import Key, Patience
from alerts.models import Rule
from alerts.params import Params, parse_params
from alerts.probes import PROBES, Night, OpenAlert, Reading
from playbooks.moments import known_until
from usage.asof import AsOfRelations

Watched = Mapping[Key, OpenAlert]


def night_of(tenant: Tenant, day: date, tables: AsOfRelations | None = None) -> Night:
    """The night of a day, or the running day up to now."""
    return Night(tenant, day, known_until(day, tz=tenant.tz, now=timezone.now()), tables)


def patience_of(rule: Rule) -> Patience:
    """How patient a rule is."""
    return Patience(rule.dwell_days, rule.cooldown_days, rule.clear_days, rule.reentry_max, rule.reentry_days)


class Look:
    """A rule's look at the night: what fires where it may, what cleared, and whom it is no longer about."""

    def __init__(self, rule: Rule, night: Night, reading: Reading, watched: Watched) -> None:
        self.rule, self.night, self.reading, self.watched = rule, night, reading, watched
        audience = audience_of(rule, night)
        everybody = bool(audience.ready.all())
        self.fires = reading.fires if everybody else members_of(night, audience.ready, reading.fires)
        self.gone = set(watched) - members_of(night, audience.within, watched)
        self.cleared = reading.cleared
        # Whoever is in the grace or short of volume is neither found nor cleared.

    def evidence_of(self, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
        """Why these keys fire."""
        return self.reading.evidence_of(keys)


def look(night: Night, rules: Sequence[Rule], watched: Mapping[int, Watched]) -> Iterator[Look]:
    """Look for every rule: everything that all of them need is read first, in one pass."""
    parsed: list[tuple[Rule, Params]] = [(rule, parse_params(rule.kind, rule.params)) for rule in rules]
    night.prepare(
        need
        for rule, params in parsed
        for need in (PROBES[rule.kind].needs(night, params), audience_needs(rule, night))
    )
    for rule, params in parsed:
        mine = watched.get(rule.pk, {})
        yield Look(rule, night, PROBES[rule.kind].look(night, params, mine), mine)
