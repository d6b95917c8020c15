"""Tasks: made, done, opened again, handed over, moved, cancelled; each deed on the timeline and in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import has_role
from accounts.models import Account, Membership, Role, Tenant
from accounts.services import record_audit, record_timeline
from outreach.services import notify_members
from playbooks import timeline
from playbooks.links import task_path
from playbooks.models import Priority, Run, Task, TaskComment
from playbooks.rights import demand_account, demand_task

from .ending import finish, has_open_tasks


def create_task(
    *,
    tenant: Tenant,
    account_id: int,
    title: str,
    due_on: date,
    body: str = "",
    assignee_id: int | None = None,
    priority: int = Priority.NORMAL,
    member: Membership | None = None,
) -> Task:
    """Add a task to an account; without an assignee it goes to the account's owner, else to the managers' pool."""
    account = Account.objects.select_related("owner").get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    if not title.strip():
        raise ValidationError(_("A task needs a title."), code="title")
    if assignee_id is None and account.owner is not None and account.owner.is_active:
        assignee_id = account.owner_id
    if assignee_id is not None:
        assignable(tenant, assignee_id)
    task = Task.objects.create(
        tenant=tenant,
        account=account,
        title=title.strip()[:200],
        body=body,
        assignee_id=assignee_id,
        pool="" if assignee_id else Role.MANAGER,
        due_on=due_on,
        priority=priority,
        created_by=member,
    )
    _journal(
        tenant,
        task,
        timeline.TASK_CREATED,
        member,
        after={"assignee": assignee_id, "due_on": due_on.isoformat()},
    )
    return task


def complete_task(*, tenant: Tenant, task_id: int, note: str = "", member: Membership | None = None) -> Task:
    """Tick a task off; the last one of a run ends the run. Done twice changes nothing."""
    task = _locked(tenant, task_id, member)
    if task.state == Task.State.DONE:
        return task
    if task.state == Task.State.CANCELLED:
        raise ValidationError(_("A cancelled task cannot be done; open it again first."), code="cancelled")
    task.state, task.completed_by, task.completed_at, task.note = (
        Task.State.DONE,
        member,
        timezone.now(),
        note,
    )
    task.save(update_fields=["state", "completed_by", "completed_at", "note"])
    _journal(
        tenant, task, timeline.TASK_DONE, member, before={"state": Task.State.OPEN}, after={"note": note}
    )
    _end_of_run(tenant, task, member)
    return task


def cancel_task(*, tenant: Tenant, task_id: int, note: str = "", member: Membership | None = None) -> Task:
    """Drop a task that is not worth doing; the last one of a run ends the run."""
    task = _locked(tenant, task_id, member)
    if task.state != Task.State.OPEN:
        raise ValidationError(_("Only an open task can be cancelled."), code="not_open")
    task.state, task.completed_by, task.completed_at, task.note = (
        Task.State.CANCELLED,
        member,
        timezone.now(),
        note,
    )
    task.save(update_fields=["state", "completed_by", "completed_at", "note"])
    _journal(
        tenant, task, timeline.TASK_CANCELLED, member, before={"state": Task.State.OPEN}, after={"note": note}
    )
    _end_of_run(tenant, task, member)
    return task


def reopen_task(*, tenant: Tenant, task_id: int, member: Membership | None = None) -> Task:
    """Undo done or cancelled; a run that had ended by it runs again."""
    task = _locked(tenant, task_id, member)
    if task.state == Task.State.OPEN:
        return task
    run = task.run
    if run is not None and run.state == Run.State.STOPPED:
        raise ValidationError(
            _("The run of this task was stopped; start the play again instead."), code="stopped"
        )
    if run is not None and run.state == Run.State.DONE:
        others = Run.objects.filter(tenant=tenant, playbook_id=run.playbook_id, account_id=run.account_id)
        if others.filter(state=Run.State.RUNNING).exists():
            raise ValidationError(_("This play already runs again at the account."), code="running")
        run.state, run.finished_on, run.outcome = Run.State.RUNNING, None, ""
        run.save(update_fields=["state", "finished_on", "outcome"])
    before, task.state = task.state, Task.State.OPEN
    task.completed_by, task.completed_at = None, None
    task.save(update_fields=["state", "completed_by", "completed_at"])
    _journal(
        tenant, task, timeline.TASK_REOPENED, member, before={"state": before}, after={"state": task.state}
    )
    return task


def reassign_task(
    *,
    tenant: Tenant,
    task_id: int,
    assignee_id: int | None,
    pool: str = Role.MANAGER,
    note: str = "",
    member: Membership | None = None,
) -> Task:
    """Hand a task to a member, or with no assignee to everyone of a role; the note says what they should know."""
    task = _open(tenant, task_id, member)
    if assignee_id is not None:
        assignable(tenant, assignee_id)
    elif pool not in (Role.CSM, Role.MANAGER, Role.ADMIN):
        raise ValidationError(_("Choose whose pool the task goes to."), code="pool")
    before = {"assignee": task.assignee_id, "pool": task.pool}
    task.assignee_id, task.pool = assignee_id, "" if assignee_id else pool
    task.escalated_on = None  # who gets it now has the full time
    task.save(update_fields=["assignee", "pool", "escalated_on"])
    after = {"assignee": assignee_id, "pool": task.pool, "note": note[:500]}
    _journal(tenant, task, timeline.TASK_REASSIGNED, member, before=before, after=after)
    if note.strip():
        TaskComment.objects.create(tenant=tenant, task=task, author=member, text=note.strip()[:4000])
    if assignee_id is not None and assignee_id != before["assignee"]:
        tell_new_assignee(tenant, [task], assignee_id, note, member)
    return task


def tell_new_assignee(
    tenant: Tenant, tasks: Sequence[Task], assignee_id: int, note: str, member: Membership | None
) -> None:
    """Tell a member what was handed over: one line for many tasks; nobody is told what they did themselves."""
    if member is not None and member.pk == assignee_id:
        return
    assignee = Membership.objects.select_related("user").get(tenant=tenant, pk=assignee_id)
    with translation.override(assignee.user.language or tenant.language):
        if len(tasks) == 1:
            title = _("Handed over to you: %(task)s") % {"task": tasks[0].title}
        else:
            title = ngettext(
                "%(count)d task was handed over to you", "%(count)d tasks were handed over to you", len(tasks)
            ) % {"count": len(tasks)}
    stamp = timezone.now().isoformat()
    notify_members(
        tenant=tenant,
        members=[assignee],
        kind=timeline.TASK_REASSIGNED,
        title=title,
        body=note[:500],
        url=task_path(tasks[0]) if len(tasks) == 1 else "/tasks/",
        account=tasks[0].account if len(tasks) == 1 else None,
        dedupe_key=f"task-handed:{assignee_id}:{tasks[0].pk}:{stamp}",
    )


def change_priority(*, tenant: Tenant, task_id: int, priority: int, member: Membership | None = None) -> Task:
    """Say how soon an open task wants attention."""
    if priority not in Priority.values:
        raise ValidationError(_("Choose a priority."), code="priority")
    task = _open(tenant, task_id, member)
    before, task.priority = task.priority, priority
    task.save(update_fields=["priority"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="task.priority",
        target=f"task:{task.pk}",
        before={"priority": before},
        after={"priority": priority},
    )
    return task


def change_due_date(*, tenant: Tenant, task_id: int, due_on: date, member: Membership | None = None) -> Task:
    """Move an open task to another date."""
    task = _open(tenant, task_id, member)
    before, after = {"due_on": task.due_on.isoformat()}, {"due_on": due_on.isoformat()}
    task.due_on, task.escalated_on = due_on, None
    task.save(update_fields=["due_on", "escalated_on"])
    _journal(tenant, task, timeline.TASK_MOVED, member, before=before, after=after)
    return task


def _locked(tenant: Tenant, task_id: int, member: Membership | None) -> Task:
    """The task, its run locked first: the last two tasks of a run done at once must not both find the other open."""
    task = Task.objects.select_related("account").get(tenant=tenant, pk=task_id)
    demand_task(member, task)
    if task.run_id is not None:
        task.run = (
            Run.objects.select_for_update(of=("self",))
            .select_related("playbook")
            .get(tenant=tenant, pk=task.run_id)
        )
    locked = Task.objects.select_for_update().get(tenant=tenant, pk=task_id)
    locked.account, locked.run = task.account, task.run
    return locked


def _open(tenant: Tenant, task_id: int, member: Membership | None) -> Task:
    task = _locked(tenant, task_id, member)
    if task.state != Task.State.OPEN:
        raise ValidationError(_("Only an open task can be changed."), code="not_open")
    return task


def assignable(tenant: Tenant, assignee_id: int) -> None:
    """Raise a ValidationError unless this member may be given tasks."""
    assignee = Membership.objects.filter(tenant=tenant, pk=assignee_id, is_active=True).first()
    if assignee is None or not has_role(assignee, Role.CSM):
        raise ValidationError(_("Choose an active member who may work on accounts."), code="assignee")


def _end_of_run(tenant: Tenant, task: Task, member: Membership | None) -> None:
    run = task.run
    if run is not None and run.state == Run.State.RUNNING and not has_open_tasks(run):
        finish(tenant, [run], day=tenant.today(), at=timezone.now(), member=member)


def _journal(
    tenant: Tenant,
    task: Task,
    kind: str,
    member: Membership | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record_timeline(
        tenant=tenant,
        account_id=task.account_id,
        kind=kind,
        at=timezone.now(),
        title=task.title,
        actor=member,
        data={"task": task.pk, "run": task.run_id, **(after or {})},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"task:{task.pk}",
        before=before,
        after=after,
    )
