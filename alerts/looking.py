"""One look at all accounts for some rules: what the night, the dry run and the list of affected accounts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from alerts.audience import audience_needs, audience_of, members_of
from alerts.lifecycle import Key, Patience
from alerts.models import Rule
from alerts.params import Params, parse_params
from alerts.probes import PROBES, Night, OpenAlert, Reading
from alerts.probes.night import LIVE_DAYS
from playbooks.moments import end_of_day, known_until
from usage.asof import AsOfRelations, relations

Watched = Mapping[Key, OpenAlert]


def night_of(tenant: Tenant, day: date, tables: AsOfRelations | None = None) -> Night:
    """The night of a day, or the running day up to now."""
    return Night(tenant, day, known_until(day, tz=tenant.tz, now=timezone.now()), tables)


def patience_of(rule: Rule) -> Patience:
    """How patient a rule is."""
    return Patience(rule.dwell_days, rule.cooldown_days, rule.clear_days, rule.reentry_max, rule.reentry_days)


# What makes a rule fire; everything else may change without making a dry run old.
SETTINGS = (
    *("kind", "params", "dwell_days", "cooldown_days", "clear_days", "reentry_max", "reentry_days"),
    *("segments", "stages", "plan_kinds", "include_churned", "grace_days", "volume_metric", "volume_least"),
)


def settings_of(rule: Rule) -> dict[str, Any]:
    """What a rule fires by, as JSON."""
    return {name: getattr(rule, name) for name in SETTINGS}


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


def tables_for(tenant: Tenant, rules: Sequence[Rule], first: date, last: date) -> AsOfRelations:
    """What was known on each of these days, for a walk over them: one reading of the past serves them all."""
    night = night_of(tenant, first)
    firsts = [first]
    for rule in rules:
        params = parse_params(rule.kind, rule.params)
        for need in (PROBES[rule.kind].needs(night, params), audience_needs(rule, night)):
            firsts += [window.first for window in need.windows]
            firsts += [need.since] if need.since is not None else []
    reach = max((metric.hold_days for metric in night.metrics.values()), default=0)
    late = first < tenant.today() - timedelta(days=LIVE_DAYS)
    return relations(
        tenant=tenant,
        days=(min(firsts) - timedelta(days=reach), last),
        cutoff=end_of_day(last, tenant.tz) if late else None,
    )


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
