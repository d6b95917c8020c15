"""Tasks, runs of plays, and the plays themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import has_role
from accounts.models import Account, Role
from accounts.requests import TenantRequest
from playbooks.models import Run, Task
from playbooks.rights import may_do_task
from playbooks.services import (
    change_due_date,
    complete_task,
    reassign_task,
    reopen_task,
    start_run,
    stop_run,
)
from workspace.access import csm_only, manager_only, member_only
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import people
from workspace.selectors import work as selectors
from workspace.services.plays import switch_play
from workspace.views.going_back import back

NOTE_LENGTH = 4000


@require_safe
@member_only
def task_list(request: TenantRequest) -> HttpResponse:
    """Tasks by due date: mine or the team's, open or done."""
    wanted = selectors.read_task_filter(request.GET, request.member)
    after = selectors.usable(read_cursor(request.GET.get(CURSOR_PARAMETER, "")))
    today = request.tenant.today()
    found = selectors.task_page(request.tenant, wanted, request.member, today=today, after=after)
    parameters = wanted.parameters(selectors.default_who(request.member))
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context: dict[str, Any] = {
        "wanted": wanted,
        "found": found,
        "today": today,
        "members": people.members(request.tenant),
        "states": Task.State.choices,
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
def task_change(request: TenantRequest, pk: int) -> HttpResponse:
    """Hand a task over, or move its date."""
    assignee, due = request.POST.get("assignee", ""), request.POST.get("due_on", "")
    task = selectors.task(request.tenant, pk)
    if task is None:
        raise Http404
    try:
        if due and date.fromisoformat(due) != task.due_on:
            change_due_date(
                tenant=request.tenant, task_id=pk, due_on=date.fromisoformat(due), member=request.member
            )
        if (
            assignee.isascii()
            and assignee.isdigit()
            and len(assignee) < 19
            and int(assignee) != task.assignee_id
        ):
            reassign_task(tenant=request.tenant, task_id=pk, assignee_id=int(assignee), member=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ValueError:
        messages.error(request, _("That is not a date."))
    else:
        messages.success(request, _("Saved: %(task)s") % {"task": task.title})
    return back(request, "workspace:tasks")


@require_safe
@member_only
def run_list(request: TenantRequest) -> HttpResponse:
    """Runs of plays."""
    state = request.GET.get("state", Run.State.RUNNING)
    if state not in ("", "all", *Run.State.values):
        state = Run.State.RUNNING
    playbook = request.GET.get("playbook", "").replace("\0", "")[:60]
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.run_page(
        request.tenant, state="" if state == "all" else state, playbook=playbook, after=after
    )
    parameters = {"state": "" if state == Run.State.RUNNING else state, "playbook": playbook}
    if after:
        parameters[CURSOR_PARAMETER] = after.encode()
    context = {
        "found": found,
        "state": state,
        "playbook": playbook,
        "states": Run.State.choices,
        "page": page_of(
            path=request.path,
            parameters=parameters,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/work/runs.html", context)


@require_safe
@member_only
def run_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One run with its steps."""
    detail = selectors.run_detail(request.tenant, pk)
    if detail is None:
        raise Http404
    return render(
        request,
        "workspace/work/run.html",
        {
            "detail": detail,
            "run": detail.run,
            "outcomes": Run.Outcome.choices,
            "today": request.tenant.today(),
        },
    )


@require_POST
@csm_only
def run_stop(request: TenantRequest, pk: int) -> HttpResponse:
    """End a run before its time, saying what came of it."""
    try:
        stop_run(
            tenant=request.tenant,
            run_id=pk,
            outcome=request.POST.get("outcome", ""),
            reason=request.POST.get("reason", "")[:300],
            member=request.member,
        )
    except Run.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The play was stopped; its open tasks are cancelled."))
    return redirect("workspace:run", pk)


@require_POST
@csm_only
def run_start(request: TenantRequest, account_pk: int) -> HttpResponse:
    """Start a play at an account by hand."""
    try:
        run = start_run(
            tenant=request.tenant,
            playbook_key=request.POST.get("playbook", "").replace("\0", "")[:60],
            account_id=account_pk,
            started_on=request.tenant.today(),
            member=request.member,
        )
    except Account.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:account", account_pk)
    messages.success(request, _("Started: %(play)s") % {"play": run.playbook.name})
    return redirect("workspace:run", run.pk)


@require_safe
@member_only
def playbook_list(request: TenantRequest) -> HttpResponse:
    """The plays and how they have been used."""
    return render(request, "workspace/work/playbooks.html", {"plays": selectors.plays(request.tenant)})


@require_safe
@member_only
def playbook_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One play, step by step."""
    found = selectors.play(request.tenant, pk)
    if found is None:
        raise Http404
    return render(request, "workspace/work/playbook.html", {"playbook": found[0], "steps": found[1]})


@require_POST
@manager_only
def playbook_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Switch a play on or off; running ones go on."""
    book = switch_play(
        tenant=request.tenant,
        actor=request.member,
        playbook_id=pk,
        enabled=request.POST.get("enabled") == "yes",
    )
    if book is None:
        raise Http404
    messages.success(
        request,
        _("“%(play)s” is on.") % {"play": book.name}
        if book.enabled
        else _("“%(play)s” is off.") % {"play": book.name},
    )
    return back(request, "workspace:playbooks")
