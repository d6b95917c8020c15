"""Tasks: the list, one of them, and what is done with them, one by one and many at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role
from accounts.models import Role
from accounts.requests import TenantRequest
from playbooks.models import Priority, Task, Undo
from playbooks.rights import may_do_task
from playbooks.services import (
    Bulk,
    cancel_task,
    change_due_date,
    change_priority,
    comment_on_task,
    complete_task,
    complete_tasks,
    move_tasks,
    reassign_task,
    reassign_tasks,
    reopen_task,
    undo_change,
)
from workspace.access import csm_only, member_only
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import people
from workspace.selectors import work as selectors
from workspace.selectors.view_kinds import view_state
from workspace.views.going_back import back

NOTE_LENGTH = 4000


@require_safe
@member_only
def task_list(request: TenantRequest) -> HttpResponse:
    """Tasks by due date: mine or the team's, open or done."""
    state = view_state(request.tenant, request.member, "tasks", request.GET)
    wanted = selectors.read_task_filter(state.said, request.member)
    after = selectors.usable(read_cursor(request.GET.get(CURSOR_PARAMETER, "")))
    today = request.tenant.today()
    found = selectors.task_page(request.tenant, wanted, request.member, today=today, after=after)
    parameters = state.parameters(wanted.parameters(selectors.default_who(request.member)))
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context: dict[str, Any] = {
        "state": state,
        "wanted": wanted,
        "found": found,
        "today": today,
        "members": (members := people.members(request.tenant)),
        "workers": [member for member in members if has_role(member, Role.CSM)],
        "states": Task.State.choices,
        "pools": selectors.POOLS,
        "priorities": Priority.choices,
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/work/tasks.html", context)


@require_safe
@member_only
def task_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One task, beside the list or alone."""
    task = selectors.task(request.tenant, pk)
    if task is None:
        raise Http404
    context = {
        "task": task,
        "today": request.tenant.today(),
        "may_work": may_do_task(request.member, task),
        "workers": [m for m in people.members(request.tenant) if has_role(m, Role.CSM)],
        "comments": selectors.comments(request.tenant, pk),
        "priorities": Priority.choices,
    }
    return render(
        request, "workspace/work/_task.html" if in_panel(request) else "workspace/work/task.html", context
    )


def in_panel(request: TenantRequest) -> bool:
    """Whether the answer goes beside a list that stays on the screen."""
    return bool(request.htmx) and request.htmx.target == "panel" and not request.htmx.history_restore_request


@require_POST
@csm_only
def task_complete(request: TenantRequest, pk: int) -> HttpResponse:
    """Tick a task off; it can be undone for ten seconds, and opened again later."""
    try:
        task = complete_task(
            tenant=request.tenant,
            task_id=pk,
            note=request.POST.get("note", "")[:NOTE_LENGTH],
            member=request.member,
        )
    except Task.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = _("Done: %(task)s") % {"task": task.title}
        messages.success(request, text, extra_tags=f"undo:{reverse('workspace:task_reopen', args=[pk])}")
    return back(request, "workspace:tasks")


@require_POST
@csm_only
def task_reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Open a task again that was done or cancelled."""
    try:
        task = reopen_task(tenant=request.tenant, task_id=pk, member=request.member)
    except Task.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Open again: %(task)s") % {"task": task.title})
    return back(request, "workspace:tasks")


@require_POST
@csm_only
def task_cancel(request: TenantRequest, pk: int) -> HttpResponse:
    """Drop a task that is not worth doing."""
    try:
        note = request.POST.get("note", "")[:NOTE_LENGTH]
        task = cancel_task(tenant=request.tenant, task_id=pk, note=note, member=request.member)
    except Task.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = _("Dropped: %(task)s") % {"task": task.title}
        messages.success(request, text, extra_tags=f"undo:{reverse('workspace:task_reopen', args=[pk])}")
    return back(request, "workspace:tasks")


@require_POST
@csm_only
def task_change(request: TenantRequest, pk: int) -> HttpResponse:
    """Hand a task over with a note, move its date, or say how urgent it is."""
    assignee, due = request.POST.get("assignee", ""), request.POST.get("due_on", "")
    priority = request.POST.get("priority", "")
    task = selectors.task(request.tenant, pk)
    if task is None:
        raise Http404
    given: dict[str, Any] = {"tenant": request.tenant, "task_id": pk, "member": request.member}
    try:
        if due and date.fromisoformat(due) != task.due_on:
            change_due_date(due_on=date.fromisoformat(due), **given)
        if priority.isascii() and priority.isdigit() and int(priority[:3]) != task.priority:
            change_priority(priority=int(priority[:3]), **given)
        if _is_id(assignee) and int(assignee) != task.assignee_id:
            note = request.POST.get("note", "")[:NOTE_LENGTH]
            reassign_task(assignee_id=int(assignee), note=note, **given)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ValueError:
        messages.error(request, _("That is not a date."))
    else:
        messages.success(request, _("Saved: %(task)s") % {"task": task.title})
    return back(request, "workspace:tasks")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


@require_POST
@csm_only
def task_comment(request: TenantRequest, pk: int) -> HttpResponse:
    """Say something about a task."""
    try:
        comment_on_task(
            tenant=request.tenant,
            task_id=pk,
            text=request.POST.get("text", "")[:NOTE_LENGTH],
            member=request.member,
        )
    except Task.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return back(request, reverse("workspace:task", args=[pk]))


@require_POST
@csm_only
def task_bulk(request: TenantRequest) -> HttpResponse:
    """Do many tasks, hand them over or move them; it can be taken back."""
    ids = [int(text) for text in request.POST.getlist("task") if _is_id(text)]
    deed, assignee, days = (request.POST.get(name, "") for name in ("deed", "assignee", "days"))
    if not ids:
        messages.error(request, _("Tick some tasks first."))
        return back(request, "workspace:tasks")
    given: dict[str, Any] = {"tenant": request.tenant, "task_ids": ids, "member": request.member}
    try:
        if deed == "reassign" and _is_id(assignee):
            note = request.POST.get("note", "")[:NOTE_LENGTH]
            done = reassign_tasks(assignee_id=int(assignee), note=note, **given)
        elif deed == "move":
            done = move_tasks(days=_number(days), **given)
        elif deed == "done":
            done = complete_tasks(**given)
        else:
            raise ValidationError(_("Choose what to do with them."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        _say(request, done)
    return back(request, "workspace:tasks")


def _number(text: str) -> int:
    digits = text.strip().removeprefix("-").removeprefix("+")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 5 else 0


def _say(request: TenantRequest, done: Bulk) -> None:
    if done.undo is not None:
        text = ngettext("%(count)d task changed.", "%(count)d tasks changed.", done.changed)
        undo = f"undo:{reverse('workspace:task_undo', args=[done.undo.pk])}"
        messages.success(request, text % {"count": done.changed}, extra_tags=undo)
    if done.skipped:
        text = ngettext(
            "%(count)d task was left as it is: it is not open, or not yours to change.",
            "%(count)d tasks were left as they are: they are not open, or not yours to change.",
            done.skipped,
        )
        messages.warning(request, text % {"count": done.skipped})


@require_POST
@csm_only
def task_undo(request: TenantRequest, pk: int) -> HttpResponse:
    """Take back what was just done to many tasks, or to the dates of a run."""
    try:
        count = undo_change(tenant=request.tenant, undo_id=pk, member=request.member)
    except Undo.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext("%(count)d change taken back.", "%(count)d changes taken back.", count)
        messages.success(request, text % {"count": count})
    return back(request, "workspace:tasks")
