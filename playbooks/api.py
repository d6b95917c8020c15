"""The API of playbooks: tasks and runs."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import plain_text
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    BOOLEAN,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    MOMENT,
    STRING,
    Schema,
    described,
    nullable,
    page_of,
    query,
    record,
)
from accounts.models import Role

from .models import Priority, Run, Task
from .selectors import runs_of, tasks_of

POOLS = [Role.CSM.value, Role.MANAGER.value, Role.ADMIN.value]
PRIORITIES = {priority.value: priority.name.lower() for priority in Priority}


def words(values: list[str], default: str = "all") -> Schema:
    """One of these words, or `all`."""
    return {"type": "string", "enum": [*values, "all"], "default": default}


ACCOUNT_ID = query("account_id", STRING, "what you call the account")
TASK = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "title": STRING,
        "body": STRING,
        "state": {"type": "string", "enum": Task.State.values},
        "due_on": DATE,
        "priority": {"type": "string", "enum": list(PRIORITIES.values())},
        "assignee": nullable(STRING),
        "pool": nullable(STRING),
        "playbook": nullable(STRING),
        "run_id": nullable(INTEGER),
        "completed_at": nullable(MOMENT),
    }
)
RUN = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "playbook": STRING,
        "version": INTEGER,
        "alert_id": nullable(INTEGER),
        "state": {"type": "string", "enum": Run.State.values},
        "outcome": nullable({"type": "string", "enum": Run.Outcome.values}),
        "started_on": DATE,
        "finished_on": nullable(DATE),
        "paused_on": nullable(DATE),
        "waits_until": nullable(DATE),
        "held_out": BOOLEAN,
        "measured": nullable({"type": "string", "enum": Run.Outcome.values}),
        "tasks": INTEGER,
        "tasks_done": INTEGER,
    }
)


def choice(request: Request, name: str, allowed: list[str], default: str = "") -> str:
    """A parameter that must be one of the allowed words; `all` and an empty one mean no filter."""
    value = request.query_params.get(name, default)
    if value in ("", "all"):
        return ""
    if value not in allowed:
        detail = {"path": name, "message": "is none of them"}
        raise ApiError(400, "invalid", f"{name} must be one of {', '.join([*allowed, 'all'])}.", [detail])
    return value


def text(request: Request, name: str) -> str:
    """A parameter that is compared with a stored text."""
    return plain_text(name, request.query_params.get(name, ""))


def day_parameter(request: Request, name: str) -> date | None:
    """A parameter that must be a date, `YYYY-MM-DD`."""
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        detail = {"path": name, "message": "is no date"}
        raise ApiError(400, "invalid", f"{name} must be a date, YYYY-MM-DD.", [detail]) from error


def id_parameter(request: Request, name: str) -> int | None:
    """A parameter that must be the id of a row."""
    value = request.query_params.get(name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        detail = {"path": name, "message": "is no id"}
        raise ApiError(400, "invalid", f"{name} must be a whole number.", [detail])
    return int(value)


def before_id(request: Request) -> int | None:
    """The id after which a page that goes backwards by id starts."""
    cursor = request.query_params.get("cursor")
    if not cursor:
        return None
    (last_id,) = decode_cursor(cursor, 1)
    if not isinstance(last_id, int):
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
    return last_id


class TasksView(TenantAPIView):
    """`GET tasks`: by due date; open ones unless said otherwise, by account, assignee, pool, priority, run, dates."""

    scope = "read"

    @described(
        "tasks_list",
        "List tasks by due date",
        answer=page_of(TASK),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Task.State.values, "open")),
            ACCOUNT_ID,
            query("assignee", STRING, "e-mail address of a member"),
            query("due_by", DATE),
            query("due_from", DATE),
            query("pool", words(POOLS)),
            query("priority", words(list(PRIORITIES.values()))),
            query("run_id", INTEGER),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of tasks."""
        limit = page_limit(request)
        tasks = tasks_of(
            self.tenant,
            state=choice(request, "state", Task.State.values, default=Task.State.OPEN),
            due_by=day_parameter(request, "due_by"),
            due_from=day_parameter(request, "due_from"),
            pool=choice(request, "pool", POOLS),
        )
        if priority := choice(request, "priority", list(PRIORITIES.values())):
            tasks = tasks.filter(priority=next(key for key, word in PRIORITIES.items() if word == priority))
        if (run_id := id_parameter(request, "run_id")) is not None:
            tasks = tasks.filter(run_id=run_id)
        if account := text(request, "account_id"):
            tasks = tasks.filter(account__external_id=account)
        if email := text(request, "assignee"):
            tasks = tasks.filter(assignee__user__email=email.lower())
        if cursor := request.query_params.get("cursor"):
            due_on, last_id = _task_cursor(cursor)
            tasks = tasks.filter(Q(due_on__gt=due_on) | Q(due_on=due_on, id__gt=last_id))
        page = list(tasks[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return Response(
            {
                "results": [task_body(task) for task in page],
                "next": encode_cursor(page[-1].due_on, page[-1].pk) if more else None,
            }
        )


def _task_cursor(cursor: str) -> tuple[date, int]:
    due_on, last_id = decode_cursor(cursor, 2)
    try:
        if not isinstance(last_id, int):
            raise TypeError(last_id)
        return date.fromisoformat(due_on), last_id
    except (TypeError, ValueError) as error:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.") from error


class RunsView(TenantAPIView):
    """`GET playbook-runs`: the newest first; `state`, `account_id`, `playbook`."""

    scope = "read"

    @described(
        "playbook_runs_list",
        "List runs of plays, the newest first",
        answer=page_of(RUN),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Run.State.values)),
            ACCOUNT_ID,
            query("playbook", STRING),
        ],
        errors=[400],
        tag="tasks",
    )
    def get(self, request: Request) -> Response:
        """One page of runs."""
        limit = page_limit(request)
        runs = runs_of(
            self.tenant,
            state=choice(request, "state", Run.State.values),
            playbook_key=text(request, "playbook"),
        )
        if account := text(request, "account_id"):
            runs = runs.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            runs = runs.filter(id__lt=last_id)
        page = list(runs[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return Response(
            {"results": [run_body(run) for run in page], "next": encode_cursor(page[-1].pk) if more else None}
        )


def task_body(task: Task) -> dict[str, Any]:
    """A task as the API shows it."""
    return {
        "id": task.pk,
        "account_id": task.account.external_id,
        "title": task.title,
        "body": task.body,
        "state": task.state,
        "due_on": task.due_on,
        "priority": PRIORITIES[task.priority],
        "assignee": task.assignee.user.email if task.assignee else None,
        "pool": task.pool or None,
        "playbook": task.run.playbook.key if task.run else None,
        "run_id": task.run_id,
        "completed_at": task.completed_at,
    }


def run_body(run: Run) -> dict[str, Any]:
    """A run as the API shows it; `run` comes from `selectors.runs_of`."""
    return {
        "id": run.pk,
        "account_id": run.account.external_id,
        "playbook": run.playbook.key,
        "version": run.version.number,
        "alert_id": run.alert_id,
        "state": run.state,
        "outcome": run.outcome or None,
        "started_on": run.started_on,
        "finished_on": run.finished_on,
        "paused_on": run.paused_on,
        "waits_until": run.wait_until,
        "held_out": run.held_out,
        "measured": run.measured or None,
        "tasks": run.tasks_total,
        "tasks_done": run.tasks_done,
    }
