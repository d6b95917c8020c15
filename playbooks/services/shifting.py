"""Moving the dates of a run, pausing it and letting it go on; a move can be taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks import timeline
from playbooks.calendars import calendars_of
from playbooks.models import Run, Task, Undo

from .ending import locked_run

MAX_SHIFT = 90


def shift_run(
    *, tenant: Tenant, run_id: int, days: int, reason: str = "", member: Membership | None = None
) -> Undo:
    """Move what a run waits for and its open tasks by so many working days, back when negative; it can be undone."""
    if not days or abs(days) > MAX_SHIFT:
        raise ValidationError(
            _("Say by how many working days, from 1 to %(most)s, or back by as many.") % {"most": MAX_SHIFT},
            code="days",
        )
    run = _running(tenant, run_id, member)
    before, after = _move(tenant, run, days)
    undo = Undo.objects.create(kind=Undo.Kind.RUN, member=member, before=before, after=after)
    _note(tenant, run, timeline.RUN_SHIFTED, member, {"days": days, "reason": reason[:300]}, before, after)
    return undo


def _move(tenant: Tenant, run: Run, days: int) -> tuple[dict[str, Any], dict[str, Any]]:
    tasks = list(
        Task.objects.select_for_update().filter(tenant=tenant, run=run, state=Task.State.OPEN).order_by("pk")
    )
    people = [task.assignee_id for task in tasks if task.assignee_id is not None]
    calendars = calendars_of(tenant, people, tenant.today())
    before = _dates(run, tasks)
    if run.wait_until is not None:
        run.wait_until = calendars.company.shift(run.wait_until, days)
        run.save(update_fields=["wait_until"])
        run.log.filter(state="waiting").update(waits_until=run.wait_until)
    for task in tasks:
        task.due_on = calendars.of(task.assignee_id).shift(task.due_on, days)
    Task.objects.bulk_update(tasks, ["due_on"])
    return before, _dates(run, tasks)


def _dates(run: Run, tasks: list[Task]) -> dict[str, Any]:
    return {
        "run": run.pk,
        "wait_until": run.wait_until.isoformat() if run.wait_until else None,
        "tasks": {str(task.pk): task.due_on.isoformat() for task in tasks},
    }


def undo_shift(*, tenant: Tenant, undo: Undo, member: Membership | None = None) -> int:
    """Put the dates back that nobody has changed since; how many were put back."""
    before, after = undo.before, undo.after
    run = locked_run(tenant, before["run"], member)
    back = 0
    if run.state == Run.State.RUNNING and _iso(run.wait_until) == after["wait_until"] != before["wait_until"]:
        run.wait_until = date.fromisoformat(before["wait_until"])
        run.save(update_fields=["wait_until"])
        run.log.filter(state="waiting").update(waits_until=run.wait_until)
        back += 1
    tasks = Task.objects.select_for_update().filter(
        tenant=tenant, pk__in=[int(pk) for pk in after["tasks"]], state=Task.State.OPEN
    )
    for task in tasks.order_by("pk"):
        if task.due_on.isoformat() == after["tasks"][str(task.pk)]:
            task.due_on = date.fromisoformat(before["tasks"][str(task.pk)])
            task.save(update_fields=["due_on"])
            back += 1
    _note(tenant, run, timeline.RUN_SHIFTED, member, {"undone": True}, after, before)
    return back


def pause_run(*, tenant: Tenant, run_id: int, reason: str = "", member: Membership | None = None) -> Run:
    """Let a run stand still: no step is reached until somebody lets it go on. Its tasks stay as they are."""
    run = _running(tenant, run_id, member)
    if run.paused_on is not None:
        return run
    run.paused_on = tenant.today()
    run.save(update_fields=["paused_on"])
    _note(tenant, run, timeline.RUN_PAUSED, member, {"reason": reason[:300]}, None, {"paused": True})
    return run


def resume_run(*, tenant: Tenant, run_id: int, member: Membership | None = None) -> Run:
    """Let a run go on: what it waits for and its open tasks move by the working days that it stood still."""
    run = _running(tenant, run_id, member)
    if run.paused_on is None:
        return run
    calendar = calendars_of(tenant, [], run.paused_on).company
    days = calendar.between(run.paused_on, tenant.today())
    run.paused_on = None
    run.save(update_fields=["paused_on"])
    if days:
        _move(tenant, run, days)
    _note(tenant, run, timeline.RUN_RESUMED, member, {"days": days}, {"paused": True}, {"paused": False})
    return run


def _running(tenant: Tenant, run_id: int, member: Membership | None) -> Run:
    run = locked_run(tenant, run_id, member)
    if run.state != Run.State.RUNNING:
        raise ValidationError(_("This run has already ended."), code="ended")
    return run


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _note(
    tenant: Tenant,
    run: Run,
    kind: str,
    member: Membership | None,
    data: dict[str, Any],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    record_timeline(
        tenant=tenant,
        account_id=run.account_id,
        kind=kind,
        at=timezone.now(),
        title=run.playbook.name,
        actor=member,
        data={"run": run.pk, **data},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"run:{run.pk}",
        before=before,
        after=after,
    )
