"""How runs end: by their last task, by an exit criterion, by a person, by churn; and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from playbooks import timeline
from playbooks.models import Run, RunStep, Task
from playbooks.rights import demand_account

from .journal import write_journal

_STANDS_STILL = {"wait_until": None, "next_position": None, "watching": False, "paused_on": None}


def stop_run(
    *, tenant: Tenant, run_id: int, outcome: str, reason: str = "", member: Membership | None = None
) -> Run:
    """End a run before its time: its open tasks are cancelled, the outcome is kept."""
    if outcome not in Run.Outcome.values:
        raise ValidationError(_("Choose an outcome."), code="outcome")
    run = locked_run(tenant, run_id, member)
    if run.state != Run.State.RUNNING:
        raise ValidationError(_("This run has already ended."), code="ended")
    halt(tenant, [run], day=tenant.today(), at=timezone.now(), outcome=outcome, reason=reason, member=member)
    return run


def set_outcome(*, tenant: Tenant, run_id: int, outcome: str, member: Membership | None = None) -> Run:
    """Say what a run that is over has led to."""
    if outcome not in Run.Outcome.values:
        raise ValidationError(_("Choose an outcome."), code="outcome")
    run = locked_run(tenant, run_id, member)
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


def locked_run(tenant: Tenant, run_id: int, member: Membership | None) -> Run:
    """The run, locked, for a member who may work on its account."""
    run = (
        Run.objects.select_for_update(of=("self",))
        .select_related("account", "playbook", "version")
        .get(tenant=tenant, pk=run_id)
    )
    demand_account(member, run.account)
    return run


def finish(
    tenant: Tenant, runs: Sequence[Run], *, day: date, at: datetime, member: Membership | None
) -> None:
    """Close runs in which nothing is left to do."""
    if not runs:
        return
    for run in runs:
        run.state, run.finished_on = Run.State.DONE, day
    Run.objects.filter(tenant=tenant, pk__in=[run.pk for run in runs]).update(
        state=Run.State.DONE, finished_on=day
    )
    write_journal(tenant, runs, timeline.RUN_DONE, at, member)


def leave(
    tenant: Tenant, exits: Sequence[tuple[Run, str, dict[str, Any]]], *, day: date, at: datetime
) -> None:
    """End runs whose exit criterion is fulfilled: with its outcome; what was still open is cancelled."""
    if not exits:
        return
    runs = [run for run, _outcome, _why in exits]
    for run, outcome, why in exits:
        run.state, run.finished_on, run.outcome, run.exit_reason = Run.State.DONE, day, outcome, why
        run.wait_until = run.next_position = run.paused_on = None
        run.watching = False
    Run.objects.bulk_update(
        runs,
        ["state", "finished_on", "outcome", "exit_reason", *_STANDS_STILL],
        batch_size=5000,
    )
    _drop_open_work(tenant, [run.pk for run in runs], day, at, None)
    write_journal(tenant, runs, timeline.RUN_DONE, at, None, {"by": "exit"})


def halt(
    tenant: Tenant,
    runs: Sequence[Run],
    *,
    day: date,
    at: datetime,
    outcome: str,
    reason: str,
    member: Membership | None,
) -> None:
    """Stop runs where they stand; their open tasks are cancelled."""
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
        run.wait_until = run.next_position = run.paused_on = None
    Run.objects.filter(tenant=tenant, pk__in=ids).update(
        state=Run.State.STOPPED,
        finished_on=day,
        outcome=outcome,
        stop_reason=reason[:300],
        **_STANDS_STILL,
    )
    _drop_open_work(tenant, ids, day, at, member)
    write_journal(tenant, runs, timeline.RUN_STOPPED, at, member)


def _drop_open_work(
    tenant: Tenant, run_ids: Sequence[int], day: date, at: datetime, member: Membership | None
) -> None:
    Task.objects.filter(tenant=tenant, run_id__in=run_ids, state=Task.State.OPEN).update(
        state=Task.State.CANCELLED, completed_at=at, completed_by=member
    )
    RunStep.objects.filter(tenant=tenant, run_id__in=run_ids, state=RunStep.State.WAITING).update(
        state=RunStep.State.SKIPPED, left_on=day, result={"reason": "ended"}
    )


def has_open_tasks(run: Run) -> bool:
    """Whether something is left to do in this run."""
    return run.next_position is not None or run.tasks.filter(state=Task.State.OPEN).exists()


def nothing_open() -> Q:
    """Runs without an open task."""
    return Q(~Exists(Task.objects.filter(run_id=OuterRef("pk"), state=Task.State.OPEN)))
