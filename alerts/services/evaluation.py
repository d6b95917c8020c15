"""The night of the rules: open what holds, resolve what no longer does, wake what was snoozed, start plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Tenant
from alerts.lifecycle import step
from alerts.looking import Look, look, night_of, patience_of
from alerts.models import Rule
from alerts.probes import Night, sync_champions
from usage.asof import AsOfRelations

from .delivery import deliver
from .plays import start_plays
from .ranks import rank_alerts
from .remembering import OPEN_STATES, Remembered, recall
from .writing import Change, write_changes

__all__ = ["OPEN_STATES", "EvaluationSummary", "evaluate_rules", "lock_alerts"]


@dataclass(frozen=True)
class EvaluationSummary:
    """What a night did."""

    opened: int
    resolved: int
    woken: int
    runs_started: int
    suspended: tuple[str, ...]  # keys of rules whose data was not delivered


def evaluate_rules(
    *,
    tenant: Tenant,
    day: date,
    suppress_deliveries: bool = False,
    tables: AsOfRelations | None = None,
) -> EvaluationSummary:
    """Evaluate every enabled rule for all accounts as of the end of `day`; twice the same day changes nothing.

    For a day in the past nothing is undone that came later: alerts that opened or still held after `day` stay as they are.
    What all rules need is read in one pass; the number of queries depends on the rules, not on the accounts. A caller that
    walks over many days gives the `tables` to read, which must reach back far enough.
    """
    lock_alerts(tenant)
    night = night_of(tenant, day, tables)
    if (tenant.today() - day).days <= 1:
        sync_champions(night)
    rules = list(Rule.objects.filter(tenant=tenant, enabled=True).order_by("position", "id"))
    remembered = recall(tenant, rules, day)
    looks = list(look(night, rules, {pk: mine.watched for pk, mine in remembered.items()}))
    suspended = [seen.rule.key for seen in looks if seen.reading.suspended]
    changes = [_change(seen, remembered[seen.rule.pk], night, suspended) for seen in looks]
    opened = write_changes(night, changes)
    if (tenant.today() - day).days <= 1:
        rank_alerts(tenant, tenant.today())
    started = start_plays(night, opened)
    if not suppress_deliveries:
        deliver(night, opened, changes)
    return EvaluationSummary(
        opened=len(opened),
        resolved=sum(len(change.moves.resolved) for change in changes),
        woken=sum(len(change.moves.woken) for change in changes),
        runs_started=started,
        suspended=tuple(suspended),
    )


def _change(seen: Look, mine: Remembered, night: Night, suspended: Sequence[str]) -> Change:
    moves = step(
        mine.memory,
        fires=seen.fires,
        cleared=seen.cleared,
        gone=seen.gone,
        day=night.day,
        patience=patience_of(seen.rule),
        suspended=seen.reading.suspended,
    )
    evidence: dict[Any, dict[str, Any]] = seen.evidence_of(moves.opened) if moves.opened else {}
    if (
        seen.rule.kind == Rule.Kind.SOURCE_QUIET
    ):  # what waits for the source is only known beside the other rules
        evidence = {key: {**found, "rules": list(suspended)} for key, found in evidence.items()}
    return Change(seen.rule, moves, evidence, mine)


def lock_alerts(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: opening must not race with opening again by hand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"alerts:{tenant.pk}"])
