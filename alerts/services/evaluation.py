"""The night of the rules: open what holds, resolve what no longer does, wake what was snoozed, start plays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import Outbox, Tenant, TimelineEntry
from alerts import timeline
from alerts.mail import alert_mail
from alerts.models import Alert, Channel, Match, Rule
from alerts.params import parse_params
from alerts.probes import PROBES, Key, Night, OpenAlert, Reading
from playbooks.moments import known_until
from playbooks.selectors import plays_by_component
from playbooks.services import RunStart, start_runs

OPEN_STATES = (Alert.State.OPEN, Alert.State.SNOOZED)


@dataclass(frozen=True)
class EvaluationSummary:
    """What a night did."""

    opened: int
    resolved: int
    woken: int
    runs_started: int
    suspended: tuple[str, ...]  # keys of rules whose data was not delivered


@dataclass
class _Changes:
    opened: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)
    woken: list[Alert] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)


def evaluate_rules(*, tenant: Tenant, day: date, suppress_deliveries: bool = False) -> EvaluationSummary:
    """Evaluate every enabled rule for all accounts as of the end of `day`; twice the same day changes nothing.

    For a day in the past nothing is undone that came later: alerts that opened or still held after `day` stay as they are.
    The number of queries depends on the rules, not on the accounts.
    """
    lock_alerts(tenant)
    night = Night(tenant, day, known_until(day, tz=tenant.tz, now=timezone.now()))
    rules = list(Rule.objects.filter(tenant=tenant, enabled=True).order_by("position", "id"))
    open_alerts = _open_alerts(tenant, rules)
    silent = _silent_keys(tenant, rules, day)
    waiting = _waiting(tenant, rules)
    changes = _Changes()
    for rule in rules:
        mine = open_alerts[rule.pk]
        reading = PROBES[rule.kind](
            night,
            parse_params(rule.kind, rule.params),
            {key: OpenAlert(alert.pk, alert.evidence) for key, alert in mine.items()},
        )
        if reading.suspended:
            changes.suspended.append(rule.key)
        _settle(night, mine, reading, changes)
        if not reading.suspended:
            fresh = {key: evidence for key, evidence in reading.fires.items() if key not in mine}
            fresh = _dwelt(tenant, rule, fresh, reading, waiting.get(rule.pk, {}), day)
            changes.opened += [
                Alert(
                    tenant=tenant,
                    rule=rule,
                    account_id=key[0],
                    subject=key[1],
                    severity=rule.severity,
                    opened_on=day,
                    last_seen_on=day,
                    evidence=evidence,
                )
                for key, evidence in fresh.items()
                if key not in silent[rule.pk]
            ]
    return _write(night, changes, suppress_deliveries)


def lock_alerts(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: opening must not race with opening again by hand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"alerts:{tenant.pk}"])


def _open_alerts(tenant: Tenant, rules: Sequence[Rule]) -> Mapping[int, dict[Key, Alert]]:
    found: dict[int, dict[Key, Alert]] = defaultdict(dict)
    by_id = {rule.pk: rule for rule in rules}
    for alert in Alert.objects.filter(tenant=tenant, state__in=OPEN_STATES, rule_id__in=by_id):
        alert.rule = by_id[alert.rule_id]
        found[alert.rule_id][alert.account_id, alert.subject] = alert
    return found


def _silent_keys(tenant: Tenant, rules: Sequence[Rule], day: date) -> Mapping[int, set[Key]]:
    """Keys that must not fire: cooling down after their last alert ended, or snoozed beyond the day."""
    cooldown = {rule.pk: max(rule.cooldown_days, 1) for rule in rules}  # at least the day on which it ended
    found: dict[int, set[Key]] = defaultdict(set)
    longest = max(cooldown.values(), default=1)
    ended = Alert.objects.filter(tenant=tenant, rule_id__in=cooldown).exclude(state__in=OPEN_STATES)
    rows = ended.filter(Q(ended_on__gt=day - timedelta(days=longest)) | Q(snoozed_until__gt=day))
    for rule_id, account_id, subject, ended_on, until in rows.values_list(
        "rule_id", "account_id", "subject", "ended_on", "snoozed_until"
    ):
        cooling = ended_on is not None and ended_on > day - timedelta(days=cooldown[rule_id])
        if cooling or (until is not None and until > day):
            found[rule_id].add((account_id, subject))
    return found


def _waiting(tenant: Tenant, rules: Sequence[Rule]) -> Mapping[int, dict[Key, Match]]:
    dwelling = [rule.pk for rule in rules if rule.dwell_days]
    found: dict[int, dict[Key, Match]] = defaultdict(dict)
    if dwelling:
        for match in Match.objects.filter(tenant=tenant, rule_id__in=dwelling):
            found[match.rule_id][match.account_id, match.subject] = match
    return found


def _dwelt(
    tenant: Tenant,
    rule: Rule,
    fresh: dict[Key, dict[str, Any]],
    reading: Reading,
    waiting: Mapping[Key, Match],
    day: date,
) -> dict[Key, dict[str, Any]]:
    """Of what holds and is not open, what has held for the rule's dwell; the rest is remembered with its first day."""
    if not rule.dwell_days:
        return fresh
    over = [match.pk for key, match in waiting.items() if key not in reading.fires and match.since_on <= day]
    if over:
        Match.objects.filter(tenant=tenant, pk__in=over).delete()
    new = [key for key in fresh if key not in waiting]
    if new:
        Match.objects.bulk_create(
            Match(tenant=tenant, rule=rule, account_id=account_id, subject=subject, since_on=day)
            for account_id, subject in new
        )
    dwell = timedelta(days=rule.dwell_days)
    return {
        key: evidence
        for key, evidence in fresh.items()
        if key in waiting and waiting[key].since_on + dwell <= day
    }


def _settle(night: Night, mine: Mapping[Key, Alert], reading: Reading, changes: _Changes) -> None:
    """Sort the open alerts of a rule into resolved, woken and merely still holding."""
    for key, alert in mine.items():
        if alert.opened_on > night.day or alert.last_seen_on > night.day:
            continue  # a run for a past day undoes nothing
        if key[0] not in night.account_ids or key in reading.cleared:
            changes.resolved.append(alert)
            continue
        if alert.state == Alert.State.SNOOZED and alert.snoozed_until and alert.snoozed_until <= night.day:
            changes.woken.append(alert)
        if key in reading.fires and alert.last_seen_on < night.day:
            changes.seen.append(alert.pk)


def _write(night: Night, changes: _Changes, suppress_deliveries: bool) -> EvaluationSummary:
    tenant, day, alerts = night.tenant, night.day, Alert.objects.filter(tenant=night.tenant)
    if changes.resolved:
        alerts.filter(pk__in=[alert.pk for alert in changes.resolved]).update(
            state=Alert.State.RESOLVED, ended_on=day
        )
    if changes.woken:
        alerts.filter(pk__in=[alert.pk for alert in changes.woken]).update(state=Alert.State.OPEN)
    if changes.seen:
        alerts.filter(pk__in=changes.seen).update(last_seen_on=day)
    started = 0
    if changes.opened:
        Alert.objects.bulk_create(changes.opened)
        started = _start_plays(night, changes.opened)
        if not suppress_deliveries:
            _deliver(tenant, changes.opened)
    TimelineEntry.objects.bulk_create(
        [
            *_entries(night, changes.opened, timeline.ALERT_OPENED),
            *_entries(night, changes.resolved, timeline.ALERT_RESOLVED),
            *_entries(night, changes.woken, timeline.ALERT_WOKE),
        ]
    )
    return EvaluationSummary(
        opened=len(changes.opened),
        resolved=len(changes.resolved),
        woken=len(changes.woken),
        runs_started=started,
        suspended=tuple(changes.suspended),
    )


def _entries(night: Night, alerts: Iterable[Alert], kind: str) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            tenant=night.tenant,
            account_id=alert.account_id,
            kind=kind,
            at=night.known_until,
            title=alert.rule.name[:300],
            data={
                "alert": alert.pk,
                "rule": alert.rule.key,
                "subject": alert.subject,
                "evidence": alert.evidence,
            },
        )
        for alert in alerts
    ]


def _start_plays(night: Night, opened: Sequence[Alert]) -> int:
    """Start the play of each new alert; one that already runs at the account is only linked."""
    by_component = (
        plays_by_component(night.tenant) if any(a.rule.play == Rule.Play.WEAKEST for a in opened) else {}
    )
    starts: dict[RunStart, Alert] = {}
    for alert in opened:
        key = alert.rule.play_key
        if alert.rule.play == Rule.Play.WEAKEST:
            key = by_component.get(alert.evidence.get("weakest", ""), key)
        if alert.rule.play != Rule.Play.NONE and key:
            starts[RunStart(key, alert.account_id, alert.pk)] = alert
    runs = start_runs(tenant=night.tenant, starts=list(starts), started_on=night.day)
    if not runs:
        return 0
    for start, run in runs.items():
        starts[start].run = run
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE alerts_alert a SET run_id = link.run FROM unnest(%s::bigint[], %s::bigint[]) AS link(alert, run) "
            "WHERE a.tenant_id = %s AND a.id = link.alert",
            [[start.alert_id for start in runs], [run.pk for run in runs.values()], night.tenant.pk],
        )
    return sum(run.alert_id == start.alert_id for start, run in runs.items())


def _deliver(tenant: Tenant, opened: Sequence[Alert]) -> None:
    """Write the mails of rules that ask for them; the inbox has every alert anyway."""
    wanted = [alert for alert in opened if Channel.EMAIL in alert.rule.channels]
    if not wanted:
        return
    owners = {
        pk: (name, address)
        for pk, name, address in Alert.objects.filter(tenant=tenant, pk__in=[alert.pk for alert in wanted])
        .filter(account__owner__is_active=True)
        .values_list("pk", "account__name", "account__owner__user__email")
    }
    Outbox.objects.bulk_create(
        (
            Outbox(
                tenant=tenant,
                kind="email",
                key=f"alert-{alert.pk}",
                payload=alert_mail(
                    tenant, alert, account_name=owners[alert.pk][0], address=owners[alert.pk][1]
                ),
            )
            for alert in wanted
            if alert.pk in owners
        ),
        ignore_conflicts=True,
    )
