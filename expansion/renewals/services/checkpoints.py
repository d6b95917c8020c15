"""Six and three months before: a call for the CSM where an account has one, a play for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account, Role, Tenant, TimelineEntry
from expansion.renewals.models import RenewalChange, RenewalCheckpoint
from expansion.renewals.terms import CHECKPOINT_GRACE_DAYS, CHECKPOINTS, add_months, checkpoint_on
from expansion.renewals.timeline import RENEWAL_CHECKPOINT
from playbooks.calendars import calendars_of
from playbooks.models import Playbook, Priority, Run, Task
from playbooks.services import RunStart, install_shipped_plays, start_runs

PLAY = "renewal_checkpoint"
CALL_WORKING_DAYS = 5
BATCH = 5_000
# Open renewals that stand before a checkpoint which nobody has looked at.
DUE_SQL = """
SELECT r.id, r.account_id, r.due_on, m.months, r.computed_category, r.target_cents, r.plan, a.name, a.touch_model,
       CASE WHEN p.is_active THEN a.owner_id END
FROM expansion_renewal r
CROSS JOIN unnest(%(months)s::int[]) AS m(months)
JOIN accounts_account a ON a.tenant_id = r.tenant_id AND a.id = r.account_id
LEFT JOIN accounts_membership p ON p.tenant_id = a.tenant_id AND p.id = a.owner_id
WHERE r.tenant_id = %(tenant)s AND r.state = 'open' AND r.due_on >= %(day)s AND r.due_on <= %(horizon)s
  AND r.term_months > m.months AND r.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR r.account_id < %(last)s)
  AND NOT EXISTS (SELECT 1 FROM expansion_renewalcheckpoint c
                  WHERE c.tenant_id = r.tenant_id AND c.renewal_id = r.id AND c.months = m.months)
ORDER BY r.id, m.months DESC
"""


@dataclass(frozen=True)
class _Due:
    renewal_id: int
    account_id: int
    due_on: date
    months: int
    category: str
    target_cents: int
    plan: str
    name: str
    touch_model: str
    owner_id: int | None

    @property
    def on(self) -> date:
        """The day of the checkpoint."""
        return checkpoint_on(self.due_on, self.months)

    @property
    def wants_call(self) -> bool:
        """Whether a person speaks with them: named accounts, and those with an owner where nothing is said."""
        if self.touch_model:
            return self.touch_model == Account.TouchModel.NAMED
        return self.owner_id is not None


def keep_checkpoints(*, tenant: Tenant, day: date, first: int = 0, last: int | None = None) -> int:
    """Start what is due at the checkpoints of a range of accounts that have been reached; how many. Each is reached once."""
    with connection.cursor() as cursor:
        cursor.execute(
            DUE_SQL,
            {
                "tenant": tenant.pk,
                "day": day,
                "horizon": add_months(day, max(CHECKPOINTS)),
                "months": list(CHECKPOINTS),
                "first": first,
                "last": last,
            },
        )
        reached = [one for one in (_Due(*row) for row in cursor.fetchall()) if one.on <= day]
    if not reached:
        return 0
    missed = [one for one in reached if (day - one.on).days > CHECKPOINT_GRACE_DAYS]
    live = [one for one in reached if (day - one.on).days <= CHECKPOINT_GRACE_DAYS]
    runs = _start_plays(tenant, [one for one in live if not one.wants_call], day)
    calls = [one for one in live if one.renewal_id not in runs]
    tasks = _make_tasks(tenant, calls, day)
    Way = RenewalCheckpoint.Way
    rows = [_row(tenant, one, Way.MISSED) for one in missed]
    rows += [_row(tenant, one, Way.PLAY, run=runs[one.renewal_id]) for one in live if one.renewal_id in runs]
    rows += [_row(tenant, one, Way.CALL, task=tasks[one.renewal_id]) for one in calls]
    RenewalCheckpoint.objects.bulk_create(rows, batch_size=BATCH)
    _journal(tenant, live, runs)
    return len(live)


def _row(
    tenant: Tenant, one: _Due, way: str, *, task: Task | None = None, run: Run | None = None
) -> RenewalCheckpoint:
    return RenewalCheckpoint(
        tenant=tenant,
        renewal_id=one.renewal_id,
        months=one.months,
        on=one.on,
        way=way,
        task=task,
        run=run,
        computed_category=one.category,
    )


def _start_plays(tenant: Tenant, wanted: Sequence[_Due], day: date) -> dict[int, Run]:
    """The runs that have begun, by renewal; where none may (switched off, another runs), a person calls."""
    if not wanted:
        return {}
    if not Playbook.objects.filter(tenant=tenant, key=PLAY).exists():
        install_shipped_plays(tenant=tenant)  # a tenant that is older than this play
    starts = {one.renewal_id: RunStart(PLAY, one.account_id) for one in wanted}
    runs = start_runs(tenant=tenant, starts=list(dict.fromkeys(starts.values())), started_on=day)
    return {renewal_id: runs[start] for renewal_id, start in starts.items() if start in runs}


def _make_tasks(tenant: Tenant, calls: Sequence[_Due], day: date) -> dict[int, Task]:
    if not calls:
        return {}
    owners = {one.owner_id for one in calls if one.owner_id is not None}
    calendars = calendars_of(tenant, owners, day)
    with translation.override(tenant.language):
        tasks = [
            Task(
                tenant=tenant,
                account_id=one.account_id,
                title=(
                    _("Renewal in %(months)d months: call %(account)s")
                    % {"months": one.months, "account": one.name}
                )[:200],
                body=_(
                    "Ask the decision maker: would you renew today, and what would have to be true? Then write your call on "
                    "the page of the renewal. It is kept beside what the numbers say."
                ),
                assignee_id=one.owner_id,
                pool="" if one.owner_id else Role.MANAGER,
                due_on=calendars.of(one.owner_id).add(day, CALL_WORKING_DAYS),
                priority=Priority.HIGH if one.months <= min(CHECKPOINTS) else Priority.NORMAL,
            )
            for one in calls
        ]
    made = Task.objects.bulk_create(tasks, batch_size=BATCH)
    return {one.renewal_id: task for one, task in zip(calls, made, strict=True)}


def _journal(tenant: Tenant, live: Sequence[_Due], runs: dict[int, Run]) -> None:
    now = timezone.now()
    RenewalChange.objects.bulk_create(
        (
            RenewalChange(
                tenant=tenant,
                renewal_id=one.renewal_id,
                kind=RenewalChange.Kind.CHECKPOINT,
                at=now,
                data={"months": one.months, "play": one.renewal_id in runs},
            )
            for one in live
        ),
        batch_size=BATCH,
    )
    TimelineEntry.objects.bulk_create(
        (
            TimelineEntry(
                tenant=tenant,
                account_id=one.account_id,
                kind=RENEWAL_CHECKPOINT,
                at=now,
                title=f"{one.plan} {one.due_on.isoformat()}".strip()[:300],
                data={"renewal": one.renewal_id, "months": one.months},
            )
            for one in live
        ),
        batch_size=BATCH,
    )
