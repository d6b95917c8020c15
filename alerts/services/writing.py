"""Writing what a night changed: a statement per kind of change, however many alerts there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from django.db import connection

from alerts import timeline
from alerts.lifecycle import Key, Moves
from alerts.models import Alert, Match, Rule
from alerts.probes import Night
from usage.copying import copy_rows, escaped, escaped_json

from .persons import person_reasons
from .ranks import ranks_of
from .remembering import Remembered


@dataclass(frozen=True)
class Change:
    """What a night changes at one rule."""

    rule: Rule
    moves: Moves
    evidence: Mapping[Key, dict[str, Any]]
    before: Remembered


@dataclass(frozen=True)
class Opened:
    """An alert that was opened tonight."""

    id: int
    rule: Rule
    account_id: int | None
    subject: str
    evidence: dict[str, Any] = field(hash=False)
    person_reason: str = ""


OPEN_SQL = """
INSERT INTO alerts_alert (tenant_id, rule_id, account_id, subject, state, severity, rank, opened_on, last_seen_on,
  evidence, person_reason, snooze_reason, close_verdict, close_note)
SELECT %(tenant)s, t.rule_id, nullif(t.account_id, 0), t.subject, 'open', t.severity, t.rank, %(day)s, %(day)s, t.evidence,
  t.person_reason, '', '', ''
FROM opening_alerts t ORDER BY t.place
RETURNING id, rule_id, coalesce(account_id, 0), subject
"""
OPENING = (
    "place integer, rule_id bigint, account_id bigint, subject varchar(200), severity varchar(10), rank smallint, "
    "evidence jsonb, person_reason varchar(10)"
)
TIMELINE_SQL = """
INSERT INTO accounts_timelineentry (tenant_id, account_id, kind, at, title, data)
SELECT %(tenant)s, a.account_id, %(kind)s, %(at)s, left(r.name, 300),
  jsonb_build_object('alert', a.id, 'rule', r.key, 'subject', a.subject, 'evidence', a.evidence)
FROM alerts_alert a JOIN alerts_rule r ON r.tenant_id = a.tenant_id AND r.id = a.rule_id
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(%(ids)s) AND a.account_id IS NOT NULL ORDER BY a.id
ON CONFLICT DO NOTHING
"""


def write_changes(night: Night, changes: Sequence[Change]) -> list[Opened]:
    """Write everything down, the timeline included; answers with the alerts that were opened."""
    alerts = Alert.objects.filter(tenant=night.tenant)
    resolved, woken = _ids(changes, "resolved"), _ids(changes, "woken")
    if resolved:
        alerts.filter(pk__in=resolved).update(state=Alert.State.RESOLVED, ended_on=night.day)
    if woken:
        alerts.filter(pk__in=woken).update(state=Alert.State.OPEN)
    if seen := _ids(changes, "seen"):
        alerts.filter(pk__in=seen).update(last_seen_on=night.day)
    if clearing := _ids(changes, "clearing"):
        alerts.filter(pk__in=clearing).update(clear_since=night.day)
    if unclearing := _ids(changes, "unclearing"):
        alerts.filter(pk__in=unclearing).update(clear_since=None)
    _write_matches(night, changes)
    opened = _open(night, changes)
    for kind, ids in (
        (timeline.ALERT_OPENED, [alert.id for alert in opened]),
        (timeline.ALERT_RESOLVED, resolved),
        (timeline.ALERT_WOKE, woken),
    ):
        _note(night, kind, ids)
    return opened


def _ids(changes: Iterable[Change], name: str) -> list[int]:
    return [change.before.memory.open[key].id for change in changes for key in getattr(change.moves, name)]


def _write_matches(night: Night, changes: Sequence[Change]) -> None:
    over = [
        change.before.match_ids[key]
        for change in changes
        for key in (*change.moves.stops_waiting, *change.moves.baseline_over)
    ]
    if over:
        Match.objects.filter(tenant=night.tenant, pk__in=over).delete()
    new = [(change.rule, key) for change in changes for key in change.moves.starts_waiting]
    store_matches(night, new, night.day)


MATCH_SQL = """
INSERT INTO alerts_match (tenant_id, rule_id, account_id, subject, since_on, is_baseline, evidence)
SELECT %(tenant)s, t.rule_id, nullif(t.account_id, 0), t.subject, %(day)s, %(baseline)s, t.evidence
FROM new_matches t ON CONFLICT (tenant_id, rule_id, account_id, subject)
DO UPDATE SET is_baseline = excluded.is_baseline, since_on = excluded.since_on, evidence = excluded.evidence
"""


def store_matches(
    night: Night,
    found: Sequence[tuple[Rule, Key]],
    day: date,
    *,
    baseline: bool = False,
    evidence: Mapping[Key, dict[str, Any]] | None = None,
) -> None:
    """Remember what holds and opens nothing; `baseline` until it has cleared, otherwise until it has held long enough."""
    if not found:
        return
    said = evidence or {}
    with connection.cursor() as cursor:
        copy_rows(
            cursor,
            "new_matches",
            "rule_id bigint, account_id bigint, subject varchar(200), evidence jsonb",
            (f"{rule.pk}\t{key[0]}\t{escaped(key[1])}\t{_json(said.get(key, {}))}" for rule, key in found),
        )
        cursor.execute(MATCH_SQL, {"tenant": night.tenant.pk, "day": day, "baseline": baseline})


def _json(data: dict[str, Any]) -> str:
    return escaped_json(msgspec.json.encode(data))


def _open(night: Night, changes: Sequence[Change]) -> list[Opened]:
    wanted = [(change, key) for change in changes for key in change.moves.opened]
    if not wanted:
        return []
    found = [(change.rule, key) for change, key in wanted]
    reasons, ranks = person_reasons(night, found), ranks_of(night, found)
    lines = [
        "\t".join(
            (
                str(place),
                str(change.rule.pk),
                str(key[0]),
                escaped(key[1]),
                change.rule.severity,
                str(rank),
                _json(change.evidence[key]),
                reason,
            )
        )
        for place, ((change, key), reason, rank) in enumerate(zip(wanted, reasons, ranks, strict=True))
    ]
    with connection.cursor() as cursor:
        copy_rows(cursor, "opening_alerts", OPENING, lines)
        cursor.execute(OPEN_SQL, {"tenant": night.tenant.pk, "day": night.day})
        ids = {(rule_id, (account, subject)): pk for pk, rule_id, account, subject in cursor.fetchall()}
    return [
        Opened(ids[change.rule.pk, key], change.rule, key[0] or None, key[1], change.evidence[key], reason)
        for (change, key), reason in zip(wanted, reasons, strict=True)
    ]


def _note(night: Night, kind: str, ids: Sequence[int]) -> None:
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                TIMELINE_SQL,
                {"tenant": night.tenant.pk, "kind": kind, "at": night.known_until, "ids": list(ids)},
            )
