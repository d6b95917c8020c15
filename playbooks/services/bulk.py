"""Many tasks at once: done, handed over, moved; and taking that back. How many there are does not change the queries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import AuditEntry, Membership, Role, Tenant, TimelineEntry
from playbooks import timeline
from playbooks.agenda.services import bring_back, check_put_off
from playbooks.calendars import calendars_of
from playbooks.models import Run, Task, Undo
from playbooks.rights import may_do_task

from .ending import finish, nothing_open
from .shifting import MAX_SHIFT, undo_shift
from .tasks import assignable, tell_new_assignee

MOST = 500
UNDO_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Bulk:
    """What was done: how many tasks, how many could not be changed, and how to take it back."""

    changed: int
    skipped: int
    undo: Undo | None


def complete_tasks(*, tenant: Tenant, task_ids: Collection[int], member: Membership) -> Bulk:
    """Tick many tasks off; runs in which nothing is left to do end."""
    now = timezone.now()

    def done(task: Task) -> None:
        task.state, task.completed_by, task.completed_at = Task.State.DONE, member, now

    found, bulk = _change(tenant, task_ids, member, timeline.TASK_DONE, done)
    _close_runs(tenant, found, member)
    return bulk


def cancel_tasks(*, tenant: Tenant, task_ids: Collection[int], member: Membership) -> Bulk:
    """Drop many tasks that are not worth doing; runs in which nothing is left to do end."""
    now = timezone.now()

    def drop(task: Task) -> None:
        task.state, task.completed_by, task.completed_at = Task.State.CANCELLED, member, now

    found, bulk = _change(tenant, task_ids, member, timeline.TASK_CANCELLED, drop)
    _close_runs(tenant, found, member)
    return bulk


def put_off_tasks(
    *, tenant: Tenant, task_ids: Collection[int], until: date, reason: str, member: Membership
) -> Bulk:
    """Make many tasks due on a day ahead, with a reason; those that are due later anyway keep their date."""
    day = check_put_off(tenant, until, reason)

    def later(task: Task) -> None:
        task.due_on, task.escalated_on = max(task.due_on, day), None

    return _change(tenant, task_ids, member, timeline.TASK_MOVED, later, {"reason": reason.strip()[:300]})[1]


def reassign_tasks(
    *, tenant: Tenant, task_ids: Collection[int], assignee_id: int, note: str = "", member: Membership
) -> Bulk:
    """Hand many tasks to a member."""
    assignable(tenant, assignee_id)

    def hand_over(task: Task) -> None:
        task.assignee_id, task.pool, task.escalated_on = assignee_id, "", None

    found, bulk = _change(tenant, task_ids, member, timeline.TASK_REASSIGNED, hand_over)
    if found:
        tell_new_assignee(tenant, found, assignee_id, note, member)
    return bulk


def move_tasks(*, tenant: Tenant, task_ids: Collection[int], days: int, member: Membership) -> Bulk:
    """Move many tasks by so many working days of whoever has each, back when negative."""
    if not days or abs(days) > MAX_SHIFT:
        raise ValidationError(
            _("Say by how many working days, from 1 to %(most)s, or back by as many.") % {"most": MAX_SHIFT},
            code="days",
        )
    people = Task.objects.filter(tenant=tenant, pk__in=task_ids, assignee__isnull=False)
    calendars = calendars_of(tenant, list(people.values_list("assignee_id", flat=True)), tenant.today())

    def move(task: Task) -> None:
        task.due_on = calendars.of(task.assignee_id).shift(task.due_on, days)
        task.escalated_on = None

    return _change(tenant, task_ids, member, timeline.TASK_MOVED, move)[1]


def undo_change(*, tenant: Tenant, undo_id: int, member: Membership) -> int:
    """Take back what was done a moment ago, by oneself or as a manager; what was changed since stays. How many came back."""
    undo = Undo.objects.select_for_update().get(tenant=tenant, pk=undo_id)
    if undo.member_id != member.pk and not has_role(member, Role.MANAGER):
        raise PermissionDenied
    if undo.undone_at is not None:
        raise ValidationError(_("This was taken back already."), code="undone")
    if timezone.now() - undo.made_at > UNDO_FOR:
        raise ValidationError(_("It is too late to take this back; change it by hand."), code="late")
    undo.undone_at = timezone.now()
    undo.save(update_fields=["undone_at"])
    if undo.kind == Undo.Kind.RUN:
        return undo_shift(tenant=tenant, undo=undo, member=member)
    if undo.kind == Undo.Kind.ASIDE:
        return bring_back(tenant=tenant, undo=undo, member=member)
    return _put_back(tenant, undo, member)


def _put_back(tenant: Tenant, undo: Undo, member: Membership) -> int:
    found = _locked(tenant, [int(pk) for pk in undo.after])
    back = [task for task in found if _state(task) == undo.after[str(task.pk)]]
    ended = {
        task.run_id: task.run
        for task in back
        if task.run is not None
        and task.run.state == Run.State.DONE
        and undo.before[str(task.pk)]["state"] == "open"
    }
    blocked = _running_again(tenant, list(ended.values()))
    back = [task for task in back if task.run_id not in blocked]
    for task in back:
        before = undo.before[str(task.pk)]
        task.state, task.assignee_id, task.pool = before["state"], before["assignee"], before["pool"]
        task.due_on = date.fromisoformat(before["due_on"])
        if task.state == Task.State.OPEN:
            task.completed_by, task.completed_at = None, None
    _save(back)
    Run.objects.filter(tenant=tenant, pk__in=[pk for pk in ended if pk not in blocked]).update(
        state=Run.State.RUNNING, finished_on=None, outcome=""
    )
    _journal(tenant, back, timeline.TASK_REOPENED, member, undo.after)
    return len(back)


def _running_again(tenant: Tenant, runs: Sequence[Run]) -> set[int]:
    """Runs that cannot go on, because the play was started again at the account."""
    taken = set(
        Run.objects.filter(
            tenant=tenant,
            state=Run.State.RUNNING,
            playbook_id__in=[run.playbook_id for run in runs],
            account_id__in=[run.account_id for run in runs],
        ).values_list("playbook_id", "account_id")
    )
    return {run.pk for run in runs if (run.playbook_id, run.account_id) in taken}


def _change(
    tenant: Tenant,
    task_ids: Collection[int],
    member: Membership,
    kind: str,
    change: Callable[[Task], None],
    said: dict[str, Any] | None = None,
) -> tuple[list[Task], Bulk]:
    if len(task_ids) > MOST:
        raise ValidationError(_("At most %(most)s tasks at once.") % {"most": MOST}, code="many")
    tasks = [
        task
        for task in _locked(tenant, task_ids)
        if task.state == Task.State.OPEN and may_do_task(member, task)
    ]
    before = {str(task.pk): _state(task) for task in tasks}
    for task in tasks:
        change(task)
    _save(tasks)
    _journal(tenant, tasks, kind, member, before, said)
    after = {str(task.pk): _state(task) for task in tasks}
    undo = (
        Undo.objects.create(kind=Undo.Kind.TASKS, member=member, before=before, after=after)
        if tasks
        else None
    )
    return tasks, Bulk(len(tasks), len(set(task_ids)) - len(tasks), undo)


def _locked(tenant: Tenant, task_ids: Collection[int]) -> list[Task]:
    """The tasks, their runs locked first, as everybody else does."""
    runs = Task.objects.filter(tenant=tenant, pk__in=task_ids, run__isnull=False).values("run_id")
    list(Run.objects.select_for_update().filter(tenant=tenant, pk__in=runs).order_by("pk").values_list("pk"))
    return list(
        Task.objects.select_for_update(of=("self",))
        .select_related("account", "run__playbook")
        .filter(tenant=tenant, pk__in=task_ids)
        .order_by("pk")
    )


def _state(task: Task) -> dict[str, Any]:
    return {
        "state": str(task.state),
        "assignee": task.assignee_id,
        "pool": str(task.pool),
        "due_on": task.due_on.isoformat(),
    }


def _save(tasks: Sequence[Task]) -> None:
    fields = ["state", "assignee", "pool", "due_on", "completed_by", "completed_at", "escalated_on"]
    Task.objects.bulk_update(tasks, fields)


def _close_runs(tenant: Tenant, tasks: Sequence[Task], member: Membership) -> None:
    idle = list(
        Run.objects.select_related("playbook").filter(
            nothing_open(),
            tenant=tenant,
            pk__in={task.run_id for task in tasks if task.run_id is not None},
            state=Run.State.RUNNING,
            next_position=None,
        )
    )
    finish(tenant, idle, day=tenant.today(), at=timezone.now(), member=member)


def _journal(
    tenant: Tenant,
    tasks: Sequence[Task],
    kind: str,
    member: Membership,
    before: dict[str, Any],
    said: dict[str, Any] | None = None,
) -> None:
    now = timezone.now()
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=task.account_id,
            kind=kind,
            at=now,
            actor=member,
            title=task.title[:300],
            data={"task": task.pk, "run": task.run_id, **_state(task), **(said or {})},
        )
        for task in tasks
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(
            tenant=tenant,
            actor=member,
            actor_label=str(member.user)[:200],
            action=kind.replace("_", ".", 1),
            target=f"task:{task.pk}",
            before=before[str(task.pk)],
            after=_state(task) | (said or {}),
        )
        for task in tasks
    )
