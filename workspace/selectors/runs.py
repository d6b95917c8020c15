"""Runs of plays: the list, and one of them with every step, when, why and what comes next."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Tenant
from alerts.models import Alert
from outreach.fields import values_of
from outreach.merge import FIELD
from playbooks import engine
from playbooks.models import Run, RunStep, Step, Task
from playbooks.terms import read_exits, read_streaks
from playbooks.words import seen_sentence, stored_seen
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.play_words import result_words
from workspace.selectors.plays import ICONS, Names, criterion_words, summary_of, ways_of


@dataclass(frozen=True)
class RunPage:
    """A page of runs."""

    rows: list[Run]
    total: int
    next_cursor: Cursor | None


def run_page(
    tenant: Tenant, *, state: str, playbook: str = "", after: Cursor | None = None, limit: int = PAGE_SIZE
) -> RunPage:
    """Runs of plays, newest first, with how far they are; two queries."""
    found = Run.objects.filter(tenant=tenant)
    if state == "paused":
        found = found.filter(state=Run.State.RUNNING, paused_on__isnull=False)
    elif state == "held_out":
        found = found.filter(held_out=True)
    elif state:
        found = found.filter(state=state, held_out=False)
    if playbook:
        found = found.filter(playbook__key=playbook)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows: list[Run] = list(
        found.select_related("playbook", "account__owner__user")
        .annotate(  # type: ignore[no-redef]  # the model declares tasks_done for its readers
            tasks_all=Count("tasks", filter=~Q(tasks__state=Task.State.CANCELLED)),
            tasks_done=Count("tasks", filter=Q(tasks__state=Task.State.DONE)),
        )
        .order_by("-pk")[: limit + 1]
    )
    more, rows = len(rows) > limit, rows[:limit]
    return RunPage(rows, total, Cursor(None, rows[-1].pk) if more else None)


@dataclass(frozen=True)
class RunLine:
    """A step of a run: what it was, when it was reached, why it went on as it did, what came of it."""

    step: Step
    icon: str
    summary: str
    ways: tuple[str, ...]
    state: str  # done, waiting, skipped, suppressed, ahead
    row: RunStep | None
    task: Task | None
    why: list[tuple[str, bool]]
    result: str


@dataclass(frozen=True)
class RunDetail:
    """A run with its steps in the order in which they were reached, then those ahead."""

    run: Run
    lines: list[RunLine]
    ahead: list[RunLine]
    alert: Alert | None
    parent: Run | None
    now: str
    criteria: list[str]


def run_detail(tenant: Tenant, pk: int) -> RunDetail | None:
    """One run; a constant number of queries."""
    run = (
        Run.objects.filter(tenant=tenant, pk=pk)
        .select_related("playbook", "version", "account__owner__user", "started_by__user")
        .first()
    )
    if run is None:
        return None
    tasks: dict[tuple[int | None, int], Task] = {
        (task.step_id, task.visit): task
        for task in Task.objects.filter(tenant=tenant, run_id=pk).select_related("assignee__user")
    }
    steps = list(
        Step.objects.filter(tenant=tenant, version_id=run.version_id)
        .select_related("owner_member__user")
        .order_by("position")
    )
    rows: dict[int, list[RunStep]] = defaultdict(list)
    log = list(RunStep.objects.filter(tenant=tenant, run_id=pk).order_by("reached_on", "id"))
    for row in log:
        rows[row.step_id].append(row)
    names = Names(tenant, steps)
    values = _known_values(tenant, run)
    by_id = {step.pk: step for step in steps}
    lines = [_line(by_id[row.step_id], row, tasks, names, values) for row in log]
    # Runs of before the log have tasks only.
    lines += [
        _line(by_id[step_id], None, tasks, names, values, task=task)
        for (step_id, _visit), task in tasks.items()
        if step_id is not None and not rows[step_id]
    ]
    done = {line.step.pk for line in lines}
    ahead = [_line(step, None, {}, names, values) for step in steps if step.pk not in done]
    alert = Alert.objects.filter(tenant=tenant, pk=run.alert_id or 0).select_related("rule").first()
    parent = Run.objects.filter(tenant=tenant, pk=run.parent_id or 0).select_related("playbook").first()
    return RunDetail(
        run, lines, ahead if _goes_on(run) else [], alert, parent, _now(run, steps), _criteria(run, names)
    )


def _known_values(tenant: Tenant, run: Run) -> dict[str, str]:
    """What a text says of this account already; who reads it is known when it is sent."""
    values = values_of(
        tenant=tenant, account=run.account, contact=None, language=get_language() or tenant.language
    )
    return {name: value for name, value in values.items() if not name.startswith(("contact.", "sender."))}


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with the fields that are known; what stands for nothing or three points where the reader comes."""

    def said(match: re.Match[str]) -> str:
        return values.get(match["name"]) or (match["instead"] or "").strip() or "…"

    return FIELD.sub(said, text)


def _goes_on(run: Run) -> bool:
    return run.state == Run.State.RUNNING and run.next_position is not None


def _line(
    step: Step,
    row: RunStep | None,
    tasks: dict[tuple[int | None, int], Task],
    names: Names,
    values: Mapping[str, str],
    task: Task | None = None,
) -> RunLine:
    seen = stored_seen(row.why) if row is not None else []
    return RunLine(
        step=step,
        icon=ICONS[step.kind],
        summary=filled(summary_of(step, names), values),
        ways=ways_of(step, names),
        state=str(row.state) if row is not None else ("done" if task is not None else "ahead"),
        row=row,
        task=task if row is None else tasks.get((step.pk, row.visit)),
        why=[(seen_sentence(each, names.metrics), each.holds) for each in seen],
        result=result_words(str(step.kind), str(row.state), row.result) if row is not None else "",
    )


def _now(run: Run, steps: list[Step]) -> str:
    """Where it stands, in a sentence."""
    if run.state != Run.State.RUNNING:
        return ""
    if run.held_out:
        return _("This account is in the hold-out group: nothing is done here, only the outcome is measured.")
    if run.paused_on is not None:
        return _("It stands still until somebody lets it go on.")
    if run.next_position is None:
        return _("Every step is reached; it ends when its open tasks are done.")
    step = next((each for each in steps if each.position >= (run.next_position or 0)), None)
    if step is None:
        return ""
    if run.watching:
        return _("It waits at “%(step)s”, and looks every night.") % {"step": step.title}
    if step.kind == engine.WAIT:
        return _("It waits at “%(step)s”.") % {"step": step.title}
    return _("Next: “%(step)s”.") % {"step": step.title}


def _criteria(run: Run, names: Names) -> list[str]:
    """The exit criteria, each with since when it holds."""
    since: dict[int, date] = dict(read_streaks(run.streaks).since)
    lines = []
    for index, each in enumerate(read_exits(run.version.exits)):
        said = criterion_words(each, names.metrics)
        outcome = Run.Outcome(each.outcome).label
        if run.state != Run.State.RUNNING:
            lines.append(f"{said} → {outcome}")
        elif index in since:
            lines.append(
                _("%(criterion)s → %(outcome)s (holds since %(day)s)")
                % {"criterion": said, "outcome": outcome, "day": since[index].isoformat()}
            )
        else:
            lines.append(
                _("%(criterion)s → %(outcome)s (does not hold now)") % {"criterion": said, "outcome": outcome}
            )
    return lines
