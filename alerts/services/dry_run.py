"""A rule walked over past days as the nights would have, writing down what it would have opened and nothing else.

The walk uses the night's own look and steps, and the same knowledge of each day, so that switching the rule on would have
given the same alerts, as long as nobody had closed or snoozed any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from accounts.fence.planning import prefer_hash_joins
from accounts.jobs import Chunk
from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job
from alerts.lifecycle import Key, Memory, Moves, Standing, remember, step
from alerts.looking import look, night_of, patience_of, settings_of, tables_for
from alerts.models import DryRun, DryRunAlert, Rule
from alerts.probes import OpenAlert
from usage.copying import copy_rows, escaped, escaped_json

DAYS = 90
DAYS_PER_CHUNK = 10
JOB_KIND = "dry_run"


def start_dry_run(*, tenant: Tenant, rule: Rule, member: Membership | None = None) -> DryRun:
    """Try a rule on the last 90 days; a job does the work."""
    last = tenant.today() - timedelta(days=1)
    busy = DryRun.objects.filter(
        tenant=tenant, rule=rule, job__state__in=[Job.State.QUEUED, Job.State.RUNNING]
    )
    if busy.exists():
        raise ValidationError(_("This rule is being tried already; wait until it is done."), code="busy")
    found = DryRun.objects.create(
        tenant=tenant,
        rule=rule,
        settings=settings_of(rule),
        first_on=last - timedelta(days=DAYS - 1),
        last_on=last,
    )
    found.job = enqueue_job(
        tenant=tenant,
        kind=JOB_KIND,
        key=str(found.pk),
        params={"dry_run": found.pk},
        requested_by=member,
    )
    found.save(update_fields=["job"])
    DryRun.objects.filter(tenant=tenant, rule=rule, pk__lt=found.pk).delete()
    return found


def plan_dry_run(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """Ten days a chunk, one after the other."""
    found = DryRun.objects.get(tenant=tenant, pk=job.params["dry_run"])
    count = (found.last_on - found.first_on).days + 1
    return [
        Chunk(
            stage,
            "walk",
            {"first": (found.first_on + timedelta(days=offset)).isoformat()},
        )
        for stage, offset in enumerate(range(0, count, DAYS_PER_CHUNK))
    ]


def walk_chunk(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Walk over the days of one chunk."""
    prefer_hash_joins()
    found = DryRun.objects.select_for_update().get(tenant=tenant, pk=job.params["dry_run"])
    first = date.fromisoformat(params["first"])
    walk_days(tenant, found, first, min(first + timedelta(days=DAYS_PER_CHUNK - 1), found.last_on))


def walk_days(tenant: Tenant, found: DryRun, first: date, last: date) -> None:
    """Go on from where the walk stands; what it remembers is kept with it."""
    rule = Rule(tenant=tenant, pk=found.rule_id, **found.settings)
    walk = _Walk(found)
    tables = tables_for(tenant, [rule], first, last)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        night = night_of(tenant, day, tables)
        (seen,) = look(night, [rule], {rule.pk: walk.watched()})
        moves = step(
            walk.memory,
            fires=seen.fires,
            cleared=seen.cleared,
            gone=seen.gone,
            day=day,
            patience=patience_of(rule),
            suspended=seen.reading.suspended,
        )
        found.suspended_days += seen.reading.suspended
        walk.take(moves, seen.evidence_of(moves.opened) if moves.opened else {}, day)
    found.done_until = last
    walk.store()


class _Walk:
    """The memory of a dry run: its alerts are rows, what waits or clears stands in the run's own row."""

    def __init__(self, found: DryRun) -> None:
        self.found, self.memory = found, Memory()
        self.evidence: dict[Key, dict[str, Any]] = {}
        self.opened: dict[tuple[Key, date], dict[str, Any]] = {}
        self.ended: list[tuple[Key, date, date]] = []
        rows = DryRunAlert.objects.filter(tenant=found.tenant, dry_run=found).order_by("opened_on", "id")
        for account_id, subject, opened_on, ended_on, evidence in rows.values_list(
            "account_id", "subject", "opened_on", "ended_on", "evidence"
        ):
            key: Key = (account_id or 0, subject)
            self.memory.openings.setdefault(key[0], []).append(opened_on)
            if ended_on is None:
                self.memory.open[key] = Standing(opened_on, opened_on)
                self.evidence[key] = evidence
            else:
                self.memory.ended[key] = ended_on
        for account, subject, day in found.memory.get("waiting", ()):
            self.memory.waiting[account, subject] = date.fromisoformat(day)
        for account, subject, day in found.memory.get("clearing", ()):
            self.memory.open[account, subject].clear_since = date.fromisoformat(day)

    def watched(self) -> dict[Key, OpenAlert]:
        """The open alerts, as a probe may know them."""
        return {key: OpenAlert(0, self.evidence[key]) for key in self.memory.open}

    def take(self, moves: Moves, evidence: Mapping[Key, dict[str, Any]], day: date) -> None:
        """Carry a day's changes on."""
        for key in moves.resolved:
            self.ended.append((key, self.memory.open[key].opened_on, day))
        remember(self.memory, moves, day)
        for key in moves.opened:
            self.evidence[key] = self.opened[key, day] = evidence[key]

    def store(self) -> None:
        """Write down the alerts and what is remembered."""
        values = {"tenant": self.found.tenant_id, "run": self.found.pk}
        with connection.cursor() as cursor:
            copy_rows(
                cursor,
                "dry_opened",
                "account_id bigint, subject varchar(200), opened_on date, evidence jsonb",
                (
                    f"{key[0]}\t{escaped(key[1])}\t{day.isoformat()}\t{escaped_json(msgspec.json.encode(why))}"
                    for (key, day), why in self.opened.items()
                ),
            )
            cursor.execute(OPENED_SQL, values)
            copy_rows(
                cursor,
                "dry_ended",
                "account_id bigint, subject varchar(200), opened_on date, ended_on date",
                (
                    f"{key[0]}\t{escaped(key[1])}\t{opened.isoformat()}\t{day.isoformat()}"
                    for key, opened, day in self.ended
                ),
            )
            cursor.execute(ENDED_SQL, values)
        self.found.memory = {
            "waiting": [[*key, day.isoformat()] for key, day in self.memory.waiting.items()],
            "clearing": [
                [*key, standing.clear_since.isoformat()]
                for key, standing in self.memory.open.items()
                if standing.clear_since is not None
            ],
        }
        self.found.save(update_fields=["memory", "done_until", "suspended_days"])


OPENED_SQL = """
INSERT INTO alerts_dryrunalert (tenant_id, dry_run_id, account_id, subject, opened_on, evidence)
SELECT %(tenant)s, %(run)s, nullif(t.account_id, 0), t.subject, t.opened_on, t.evidence FROM dry_opened t
ON CONFLICT DO NOTHING
"""
ENDED_SQL = """
UPDATE alerts_dryrunalert a SET ended_on = t.ended_on FROM dry_ended t
WHERE a.tenant_id = %(tenant)s AND a.dry_run_id = %(run)s AND coalesce(a.account_id, 0) = t.account_id
  AND a.subject = t.subject AND a.opened_on = t.opened_on
"""
