"""Runs: one play at one account, started by an alert or a person, walked on every night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Membership, Role, Tenant, TimelineEntry
from accounts.services import record_audit
from playbooks import timeline
from playbooks.models import PlaybookVersion, Run, Step, Task
from playbooks.moments import known_until
from playbooks.rights import demand_account
from playbooks.storyline import Beat, walk


@dataclass(frozen=True)
class RunStart:
    """A wish to run a play at an account."""

    playbook_key: str
    account_id: int
    alert_id: int | None = None


@dataclass(frozen=True)
class AdvanceSummary:
    """What a night did to the runs."""

    tasks_created: int
    runs_done: int
    runs_stopped: int


def start_run(
    *,
    tenant: Tenant,
    playbook_key: str,
    account_id: int,
    alert_id: int | None = None,
    started_on: date,
    member: Membership | None = None,
) -> Run:
    """Start a play at an account and make its first tasks; the run that is already running, when there is one."""
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    start = RunStart(playbook_key, account_id, alert_id)
    found = start_runs(tenant=tenant, starts=[start], started_on=started_on, member=member)
    if start not in found:
        if account.churned_on is not None and account.churned_on <= started_on:
            raise ValidationError(_("This account has churned; no play can start."), code="churned")
        raise ValidationError(
            _("There is no published play “%(key)s”.") % {"key": playbook_key}, code="no_play"
        )
    return found[start]


def start_runs(
    *, tenant: Tenant, starts: Sequence[RunStart], started_on: date, member: Membership | None = None
) -> dict[RunStart, Run]:
    """Start many plays at once, in a number of queries that does not depend on how many.

    A start whose play already runs at the account is answered with that run. A start is missing from the answer when its
    play is unknown, switched off or unpublished, or its account has churned.
    """
    if not starts:
        return {}
    versions = {
        version.playbook.key: version
        for version in PlaybookVersion.objects.select_related("playbook").filter(
            tenant=tenant,
            state=PlaybookVersion.State.PUBLISHED,
            playbook__enabled=True,
            playbook__key__in={start.playbook_key for start in starts},
        )
    }
    # The lock makes two simultaneous starts at one account take turns.
    accounts = {
        account.pk: account
        for account in Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in={start.account_id for start in starts})
        .filter(Q(churned_on=None) | Q(churned_on__gt=started_on))
        .order_by("pk")
    }
    running = {
        (run.playbook_id, run.account_id): run
        for run in Run.objects.filter(
            tenant=tenant,
            state=Run.State.RUNNING,
            account_id__in=accounts,
            playbook_id__in=[version.playbook_id for version in versions.values()],
        )
    }
    found: dict[RunStart, Run] = {}
    fresh: dict[tuple[int, int], Run] = {}
    for start in starts:
        version, account = versions.get(start.playbook_key), accounts.get(start.account_id)
        if version is None or account is None:
            continue
        slot = (version.playbook_id, account.pk)
        if slot not in running:
            running[slot] = fresh[slot] = Run(
                tenant=tenant,
                playbook=version.playbook,
                version=version,
                account=account,
                alert_id=start.alert_id,
                started_on=started_on,
                started_by=member,
                next_position=1,
                wait_until=started_on,
            )
        found[start] = running[slot]
    if fresh:
        reached = _walk_on(tenant, list(fresh.values()), day=started_on)
        runs = Run.objects.bulk_create(fresh.values())
        _make_tasks(tenant, reached)
        _write_journal(tenant, runs, timeline.RUN_STARTED, _moment(tenant, started_on), member)
    return found


def advance_runs(*, tenant: Tenant, day: date) -> AdvanceSummary:
    """Walk every run on whose wait is over, stop those of churned accounts, close those with nothing left to do."""
    at = _moment(tenant, day)
    running = Run.objects.filter(tenant=tenant, state=Run.State.RUNNING)
    churned = list(
        running.select_for_update(of=("self",))
        .select_related("playbook")
        .filter(account__churned_on__lte=day)
    )
    _stop(tenant, churned, day=day, at=at, outcome=Run.Outcome.CHURNED, reason="", member=None)
    due = list(
        running.select_for_update(of=("self",))
        .select_related("account")
        .filter(wait_until__lte=day)
        .order_by("pk")
    )
    created = 0
    if due:
        created = _make_tasks(tenant, _walk_on(tenant, due, day=day))
        Run.objects.bulk_update(due, ["next_position", "wait_until"], batch_size=5000)
    idle = list(
        running.select_for_update(of=("self",))
        .select_related("playbook")
        .filter(_nothing_open(), next_position=None)
    )
    finish(tenant, idle, day=day, at=at, member=None)
    return AdvanceSummary(tasks_created=created, runs_done=len(idle), runs_stopped=len(churned))


def stop_run(
    *, tenant: Tenant, run_id: int, outcome: str, reason: str = "", member: Membership | None = None
) -> Run:
    """End a run before its time: its open tasks are cancelled, the outcome is kept."""
    if outcome not in Run.Outcome.values:
        raise ValidationError(_("Choose an outcome."), code="outcome")
    run = (
        Run.objects.select_for_update(of=("self",))
        .select_related("account", "playbook")
        .get(tenant=tenant, pk=run_id)
    )
    demand_account(member, run.account)
    if run.state != Run.State.RUNNING:
        raise ValidationError(_("This run has already ended."), code="ended")
    _stop(tenant, [run], day=tenant.today(), at=timezone.now(), outcome=outcome, reason=reason, member=member)
    return run


def set_outcome(*, tenant: Tenant, run_id: int, outcome: str, member: Membership | None = None) -> Run:
    """Say what a run that is over has led to."""
    if outcome not in Run.Outcome.values:
        raise ValidationError(_("Choose an outcome."), code="outcome")
    run = Run.objects.select_for_update(of=("self",)).select_related("account").get(tenant=tenant, pk=run_id)
    demand_account(member, run.account)
    if run.state == Run.State.RUNNING:
        raise ValidationError(_("A run has an outcome when it is over."), code="running")
    before, run.outcome = run.outcome, outcome
    run.save(update_fields=["outcome"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="run.outcome",
        target=f"run:{run.pk}",
        before={"outcome": before},
        after={"outcome": outcome},
    )
    return run


def finish(
    tenant: Tenant, runs: Sequence[Run], *, day: date, at: datetime, member: Membership | None
) -> None:
    """Close runs whose tasks are all done."""
    if not runs:
        return
    for run in runs:
        run.state, run.finished_on = Run.State.DONE, day
    Run.objects.filter(tenant=tenant, pk__in=[run.pk for run in runs]).update(
        state=Run.State.DONE, finished_on=day
    )
    _write_journal(tenant, runs, timeline.RUN_DONE, at, member)


def has_open_tasks(run: Run) -> bool:
    """Whether something is left to do in this run."""
    return run.next_position is not None or run.tasks.filter(state=Task.State.OPEN).exists()


def _stop(
    tenant: Tenant,
    runs: Sequence[Run],
    *,
    day: date,
    at: datetime,
    outcome: str,
    reason: str,
    member: Membership | None,
) -> None:
    if not runs:
        return
    ids = [run.pk for run in runs]
    for run in runs:
        run.state, run.finished_on, run.outcome, run.stop_reason = (
            Run.State.STOPPED,
            day,
            outcome,
            reason[:300],
        )
        run.wait_until = run.next_position = None
    Run.objects.filter(tenant=tenant, pk__in=ids).update(
        state=Run.State.STOPPED,
        finished_on=day,
        outcome=outcome,
        stop_reason=reason[:300],
        wait_until=None,
        next_position=None,
    )
    Task.objects.filter(tenant=tenant, run_id__in=ids, state=Task.State.OPEN).update(
        state=Task.State.CANCELLED, completed_at=at, completed_by=member
    )
    _write_journal(tenant, runs, timeline.RUN_STOPPED, at, member)


def _nothing_open() -> Q:
    return Q(~Exists(Task.objects.filter(run_id=OuterRef("pk"), state=Task.State.OPEN)))


def _walk_on(tenant: Tenant, runs: Sequence[Run], *, day: date) -> list[tuple[Run, Step, date]]:
    """Move each run on as far as `day` allows, in memory; the tasks it reaches, with their due dates."""
    steps: dict[int, dict[int, Step]] = defaultdict(dict)
    for step in Step.objects.filter(tenant=tenant, version_id__in={run.version_id for run in runs}):
        steps[step.version_id][step.pk] = step
    reached = []
    for run in runs:
        mine = steps[run.version_id]
        beats = [Beat(step.pk, step.position, step.kind, step.due_in_days) for step in mine.values()]
        stretch = walk(
            beats, position=run.next_position or 1, start=run.wait_until or run.started_on, day=day
        )
        run.next_position, run.wait_until = stretch.next_position, stretch.wait_until
        reached += [(run, mine[step_id], due_on) for step_id, due_on in stretch.tasks]
    return reached


def _make_tasks(tenant: Tenant, reached: Sequence[tuple[Run, Step, date]]) -> int:
    owners = {run.account.owner_id for run, _step, _due in reached if run.account.owner_id is not None}
    active = set(
        Membership.objects.filter(tenant=tenant, pk__in=owners, is_active=True).values_list("pk", flat=True)
    )
    return len(
        Task.objects.bulk_create(_task_of(tenant, run, step, due_on, active) for run, step, due_on in reached)
    )


def _task_of(tenant: Tenant, run: Run, step: Step, due_on: date, active: set[int]) -> Task:
    owner_id = run.account.owner_id
    assignee_id, pool = None, ""
    if step.owner_rule == Step.OwnerRule.ROLE:
        pool = step.owner_role
    elif step.owner_rule == Step.OwnerRule.OWNER and owner_id in active:
        assignee_id = owner_id
    else:
        pool = Role.MANAGER
    return Task(
        tenant=tenant,
        account_id=run.account_id,
        run=run,
        step=step,
        title=step.title,
        body=step.body,
        assignee_id=assignee_id,
        pool=pool,
        due_on=due_on,
        priority=step.priority,
    )


def _write_journal(
    tenant: Tenant, runs: Iterable[Run], kind: str, at: datetime, member: Membership | None
) -> None:
    entries, audits = [], []
    for run in runs:
        data = {"run": run.pk, "playbook": run.playbook.key, "alert": run.alert_id, "outcome": run.outcome}
        entries.append(
            TimelineEntry(
                tenant=tenant,
                account_id=run.account_id,
                kind=kind,
                at=at,
                actor=member,
                title=run.playbook.name[:300],
                data=data,
            )
        )
        audits.append(
            AuditEntry(
                tenant=tenant,
                actor=member,
                actor_label=str(member.user) if member else "system",
                action=kind.replace("_", ".", 1),
                target=f"run:{run.pk}",
                after=data,
            )
        )
    TimelineEntry.objects.bulk_create(entries)
    AuditEntry.objects.bulk_create(audits)


def _moment(tenant: Tenant, day: date) -> datetime:
    return known_until(day, tz=tenant.tz, now=timezone.now())
