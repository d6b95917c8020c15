"""The API of runs that writes: start, pause, let go on, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.aliases import current_name
from accounts.api import plain_text
from accounts.api_base import ApiError, TenantAPIView
from accounts.api_schema import INTEGER, STRING, described, inpath, record
from accounts.models import Account
from scoring.overrides.api import NO_BODY

from .api import RUN, RunsView, run_body
from .models import Run
from .selectors import runs_of
from .services import pause_run, resume_run, start_run, stop_run

RUN_ID = inpath("run_id", INTEGER)
OUTCOME = {"type": "string", "enum": Run.Outcome.values}
REASON_LENGTH = 300


class StartRunsView(RunsView):
    """`GET playbook-runs`, and `POST` with `{"account_id", "playbook"}` to start a play."""

    scopes = {"POST": "write"}

    @described(
        "playbook_runs_start",
        "Start a play at an account",
        body=record(
            {"account_id": STRING, "playbook": STRING, "override_reason": STRING},
            ["account_id", "playbook"],
            closed=True,
        ),
        answer=RUN,
        status=201,
        also={200: RUN},
        errors=[404],
        description="Answers 200 with the run that is already running. 409 when the play may not start there, with why. "
        "`override_reason` starts it although its entry criteria are not met (code `entry`); it is kept in the audit log.",
        tag="tasks",
    )
    def post(self, request: Request) -> Response:
        """The new run, or the one that runs already."""
        body = fields(request, required=("account_id", "playbook"), optional=("override_reason",))
        account = Account.objects.filter(
            tenant=self.tenant, external_id=current_name(body["account_id"])
        ).first()
        if account is None:
            raise Http404
        known = set(Run.objects.filter(tenant=self.tenant, account=account).values_list("pk", flat=True))
        try:
            run = start_run(
                tenant=self.tenant,
                playbook_key=body["playbook"],
                account_id=account.pk,
                started_on=self.tenant.today(),
                override_reason=body.get("override_reason", ""),
            )
        except ValidationError as error:
            raise ApiError(409, str(getattr(error, "code", "refused")), " ".join(error.messages)) from error
        return Response(shown(self, run.pk), status=200 if run.pk in known else 201)


class PauseRunView(TenantAPIView):
    """`POST playbook-runs/{id}/pause`."""

    scope = "write"

    @described(
        "playbook_runs_pause",
        "Let a run stand still",
        body=record({"reason": STRING}, [], closed=True),
        answer=RUN,
        parameters=[RUN_ID],
        errors=[404],
        tag="tasks",
    )
    def post(self, request: Request, run_id: int) -> Response:
        """No step is reached until it goes on."""
        reason = fields(request, optional=("reason",)).get("reason", "")[:REASON_LENGTH]
        return changed(self, run_id, lambda: pause_run(tenant=self.tenant, run_id=run_id, reason=reason))


class ResumeRunView(TenantAPIView):
    """`POST playbook-runs/{id}/resume`."""

    scope = "write"

    @described(
        "playbook_runs_resume",
        "Let a paused run go on",
        body=NO_BODY,
        answer=RUN,
        parameters=[RUN_ID],
        errors=[404],
        tag="tasks",
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Its dates move by the working days that it stood still."""
        return changed(self, run_id, lambda: resume_run(tenant=self.tenant, run_id=run_id))


class StopRunView(TenantAPIView):
    """`POST playbook-runs/{id}/stop` with `{"outcome", "reason"}`."""

    scope = "write"

    @described(
        "playbook_runs_stop",
        "End a run before its time",
        body=record({"outcome": OUTCOME, "reason": STRING}, ["outcome"], closed=True),
        answer=RUN,
        parameters=[RUN_ID],
        errors=[404],
        tag="tasks",
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Its open tasks are cancelled."""
        body = fields(request, required=("outcome",), optional=("reason",))
        if body["outcome"] not in Run.Outcome.values:
            detail = {"path": "outcome", "message": f"Send one of {', '.join(Run.Outcome.values)}."}
            raise ApiError(400, "invalid", "Some values are not valid.", [detail])
        reason = body.get("reason", "")[:REASON_LENGTH]
        return changed(
            self,
            run_id,
            lambda: stop_run(tenant=self.tenant, run_id=run_id, outcome=body["outcome"], reason=reason),
        )


def changed(view: TenantAPIView, run_id: int, change: Callable[[], Run]) -> Response:
    """Do it, and answer with the run; 409 when it has ended."""
    try:
        change()
    except Run.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        raise ApiError(409, str(getattr(error, "code", "refused")), " ".join(error.messages)) from error
    return Response(shown(view, run_id))


def shown(view: TenantAPIView, run_id: int) -> dict[str, Any]:
    """The run as the API shows it."""
    run = runs_of(view.tenant).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run_body(run)


def fields(
    request: Request, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> Mapping[str, str]:
    """The body's text fields; raises `ApiError` 400 that names every wrong one."""
    raw: Any = request.data
    body = {} if raw is None or raw == "" else raw
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    faults = [{"path": name, "message": "Required."} for name in required if name not in body]
    faults += [
        {"path": str(name), "message": "Unknown field."} for name in body if name not in required + optional
    ]
    faults += [
        {"path": name, "message": "Send text."}
        for name in required + optional
        if name in body and not isinstance(body[name], str)
    ]
    if faults:
        raise ApiError(400, "invalid", "Some values are not valid.", faults)
    return {name: plain_text(name, value) for name, value in body.items()}
