"""Walking runs on: facts and calendars for all of them, the pure walk for each, and the deeds of all together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Count

from accounts.models import Tenant
from playbooks import engine
from playbooks.calendars import Later
from playbooks.criteria import TASKS, Condition, Facts
from playbooks.engine import Beat, Place, Reached
from playbooks.facts import facts_of, wanted_by
from playbooks.models import Run, RunStep, Step, Task
from playbooks.stepconfig import beat_of, conditions_of

from .deeds import Deeds, Reach
from .storing import store_places

if TYPE_CHECKING:
    from .starts import RunStart

BATCH = 5000


@dataclass
class Walked:
    """What walking on did: tasks made, messages handed over, and plays that steps want to start."""

    tasks: int = 0
    messages: int = 0
    starts: list[RunStart] = field(default_factory=list)


@dataclass(frozen=True)
class Score:
    """The steps of one version: as rows, as beats, and what their conditions ask about."""

    steps: dict[int, Step]
    beats: tuple[Beat, ...]
    conditions: tuple[Condition, ...]


def walk_on(tenant: Tenant, runs: Sequence[Run], *, day: date) -> Walked:
    """Move each run on as far as the day and its facts allow, do what it reaches, and keep where it stands."""
    if not runs:
        return Walked()
    scores = scores_of(tenant, {run.version_id for run in runs})
    facts = facts_for(tenant, runs, scores, day)
    people = {run.account.owner_id for run in runs if run.account.owner_id is not None}
    people |= {
        s.owner_member_id for score in scores.values() for s in score.steps.values() if s.owner_member_id
    }
    calendars = Later(tenant, people, day)
    reaches, moved = [], []
    for run in runs:
        score, before = scores[run.version_id], place_of(run)
        walk = engine.advance(score.beats, before, facts[run.pk], day=day, calendar=calendars)
        if walk.place != before or not run.visits:
            put(run, walk.place, score.beats)
            moved.append(run)
        reaches += [Reach(run, score.steps[reached.step_id], reached) for reached in walk.reached]
    deeds = Deeds(tenant, day, calendars)
    outcomes = deeds.carry_out(reaches)
    _log(tenant, reaches, outcomes)
    if moved:
        store_places(tenant, moved)
    return Walked(deeds.tasks_made, deeds.messages, deeds.starts)


def scores_of(tenant: Tenant, version_ids: set[int]) -> dict[int, Score]:
    """The steps of these versions; one query."""
    rows: dict[int, dict[int, Step]] = {pk: {} for pk in version_ids}
    for step in Step.objects.filter(tenant=tenant, version_id__in=version_ids).order_by("position"):
        rows[step.version_id][step.pk] = step
    return {
        pk: Score(
            steps,
            tuple(beat_of(step) for step in steps.values()),
            tuple(c for step in steps.values() for c in conditions_of(step)),
        )
        for pk, steps in rows.items()
    }


def facts_for(
    tenant: Tenant,
    runs: Sequence[Run],
    scores: dict[int, Score],
    day: date,
    more: Sequence[Condition] = (),
) -> dict[int, Facts]:
    """What is known for each run, by its id: the account's facts, and its own open tasks where a condition asks."""
    asked = [*more, *(c for score in scores.values() for c in score.conditions)]
    by_account = facts_of(tenant, {run.account_id for run in runs}, day, wanted_by(asked))
    if not any(condition.subject == TASKS for condition in asked):
        return {run.pk: by_account[run.account_id] for run in runs}
    rows = (
        Task.objects.filter(tenant=tenant, run_id__in=[run.pk for run in runs], state=Task.State.OPEN)
        .values_list("run_id")
        .order_by()
        .annotate(open=Count("pk"))
    )
    open_tasks = defaultdict(int, rows)
    return {
        run.pk: replace(by_account[run.account_id], tasks={"open": float(open_tasks[run.pk])}) for run in runs
    }


def place_of(run: Run) -> Place:
    """Where a run stands, as the engine knows it."""
    return Place(
        position=run.next_position,
        since=run.stood_on or run.started_on,
        deadline=run.wait_until,
        visits={int(step_id): count for step_id, count in run.visits.items()},
    )


def put(run: Run, place: Place, beats: Sequence[Beat]) -> None:
    """Note in the run where it stands now."""
    run.next_position, run.stood_on, run.wait_until = place.position, place.since, place.deadline
    run.visits = {str(step_id): count for step_id, count in place.visits.items()}
    standing = next((beat for beat in beats if beat.position == place.position), None)
    run.watching = standing is not None and standing.kind == engine.WAIT and bool(standing.conditions)


def _log(
    tenant: Tenant, reaches: Sequence[Reach], outcomes: dict[int, tuple[str, dict[str, object]]]
) -> None:
    """One row per step reached; a wait that was noted before is brought up to date."""
    rows = [_row(tenant, reach, outcomes.get(n)) for n, reach in enumerate(reaches)]
    waits = [row for row, reach in zip(rows, reaches, strict=True) if reach.reached.kind == engine.WAIT]
    RunStep.objects.bulk_create(
        [row for row, reach in zip(rows, reaches, strict=True) if reach.reached.kind != engine.WAIT],
        batch_size=BATCH,
    )
    RunStep.objects.bulk_create(
        waits,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["tenant", "run", "step", "visit"],
        update_fields=["state", "left_on", "waits_until", "why", "result"],
    )


def _row(tenant: Tenant, reach: Reach, outcome: tuple[str, dict[str, object]] | None) -> RunStep:
    reached: Reached = reach.reached
    waiting = reached.left_on is None
    state = RunStep.State.WAITING if waiting else RunStep.State.DONE
    result: dict[str, object] = {"note": reached.note} if reached.note else {}
    if outcome is not None:
        state, result = RunStep.State(outcome[0]), {**result, **outcome[1]}
    return RunStep(
        tenant=tenant,
        run=reach.run,
        step=reach.step,
        visit=reached.visit,
        state=state,
        reached_on=reached.on,
        left_on=reached.left_on,
        waits_until=reached.waits_until,
        why=reached.verdict.to_list() if reached.verdict else [],
        result=result,
    )
