"""Runs of plays: the list, one of them, and what is done with it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import may_work_on
from accounts.models import Account
from accounts.requests import TenantRequest
from playbooks.models import Playbook, Run
from playbooks.services import pause_run, resume_run, set_outcome, shift_run, start_run, stop_run
from playbooks.services.shifting import MAX_SHIFT
from playbooks.services.starts import ENTRY, REASON_LENGTH, may_override_entry
from workspace.access import csm_only, member_only
from workspace.formatting import short_date
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import runs as selectors

STATES = (*Run.State.values, "paused", "held_out", "all")


@require_safe
@member_only
def run_list(request: TenantRequest) -> HttpResponse:
    """Runs of plays."""
    state = request.GET.get("state", Run.State.RUNNING)
    state = state if state in STATES else Run.State.RUNNING
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
    return render(request, "workspace/plays/runs.html", context)


@require_safe
@member_only
def run_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One run with its steps."""
    detail = selectors.run_detail(request.tenant, pk)
    if detail is None:
        raise Http404
    context = {
        "detail": detail,
        "run": detail.run,
        "outcomes": Run.Outcome.choices,
        "today": request.tenant.today(),
        "may_work": may_work_on(request.member, detail.run.account),
        "most": MAX_SHIFT,
    }
    return render(request, "workspace/plays/run.html", context)


@require_POST
@csm_only
def run_stop(request: TenantRequest, pk: int) -> HttpResponse:
    """End a run before its time, saying what came of it."""
    try:
        stop_run(
            tenant=request.tenant,
            run_id=pk,
            outcome=request.POST.get("outcome", ""),
            reason=request.POST.get("reason", "")[:REASON_LENGTH],
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
def run_outcome(request: TenantRequest, pk: int) -> HttpResponse:
    """Say what a run that is over has led to."""
    try:
        set_outcome(
            tenant=request.tenant,
            run_id=pk,
            outcome=request.POST.get("outcome", ""),
            member=request.member,
        )
    except Run.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Noted."))
    return redirect("workspace:run", pk)


@require_POST
@csm_only
def run_pause(request: TenantRequest, pk: int) -> HttpResponse:
    """Let a run stand still, or go on."""
    going_on = request.POST.get("go") == "on"
    try:
        if going_on:
            resume_run(tenant=request.tenant, run_id=pk, member=request.member)
        else:
            reason = request.POST.get("reason", "")[:REASON_LENGTH]
            pause_run(tenant=request.tenant, run_id=pk, reason=reason, member=request.member)
    except Run.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            _("The play goes on; its dates have moved by the days it stood still.")
            if going_on
            else _("The play stands still. Its tasks stay as they are."),
        )
    return redirect("workspace:run", pk)


@require_POST
@csm_only
def run_shift(request: TenantRequest, pk: int) -> HttpResponse:
    """Move the dates of a run; it can be taken back."""
    typed = request.POST.get("days", "").strip()
    try:
        days = int(typed) if len(typed) < 6 else 0
    except ValueError:
        days = 0
    try:
        undo = shift_run(
            tenant=request.tenant,
            run_id=pk,
            days=days,
            reason=request.POST.get("reason", "")[:REASON_LENGTH],
            member=request.member,
        )
    except Run.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext(
            "The dates moved by %(days)d working day.", "The dates moved by %(days)d working days.", abs(days)
        ) % {"days": days}
        messages.success(request, text, extra_tags=f"undo:{reverse('workspace:task_undo', args=[undo.pk])}")
    return redirect("workspace:run", pk)


@require_POST
@csm_only
def run_start(request: TenantRequest, account_pk: int) -> HttpResponse:
    """Start a play at an account by hand; where its entry criteria are not met a manager is asked why all the same."""
    key = request.POST.get("playbook", "").replace("\0", "")[:60]
    try:
        run = start_run(
            tenant=request.tenant,
            playbook_key=key,
            account_id=account_pk,
            started_on=request.tenant.today(),
            member=request.member,
            override_reason=request.POST.get("override_reason", ""),
        )
    except Account.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        if getattr(error, "code", "") == ENTRY and may_override_entry(request.member):
            return _ask_why(request, account_pk, key, error)
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:account", account_pk)
    if run.started_on < request.tenant.today():  # the one that runs here already: none is started beside it
        words = {"play": run.playbook.name, "day": short_date(run.started_on)}
        messages.info(request, _("%(play)s has been running here since %(day)s.") % words)
    else:
        messages.success(request, _("Started: %(play)s") % {"play": run.playbook.name})
    return redirect("workspace:run", run.pk)


def _ask_why(request: TenantRequest, account_pk: int, key: str, error: ValidationError) -> HttpResponse:
    """Which criteria are not met, and the field for a manager's reason."""
    context = {
        "account": Account.objects.get(tenant=request.tenant, pk=account_pk),
        "playbook": Playbook.objects.get(tenant=request.tenant, key=key),
        "why": " ".join(error.messages),
        "reason_length": REASON_LENGTH,
        "asked_twice": "override_reason" in request.POST,
    }
    return render(request, "workspace/plays/override.html", context, status=422)
