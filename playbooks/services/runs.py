"""The night of the plays: runs of lost accounts end, criteria are looked at, waits that are over go on, empty runs close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from playbooks.criteria import Facts, Verdict
from playbooks.facts import facts_of, wanted_by
from playbooks.models import Run
from playbooks.terms import Exit, look_at_exits, read_exits, read_streaks

from .deeds import PAST_AFTER_DAYS
from .ending import finish, halt, leave, nothing_open
from .escalation import escalate_overdue
from .journal import moment
from .starts import start_many
from .storing import store_looks
from .walking import walk_on


@dataclass(frozen=True)
class AdvanceSummary:
    """What a night did to the runs."""

    tasks_created: int
    runs_done: int
    runs_stopped: int
    messages: int = 0
    runs_left: int = 0  # by an exit criterion
    runs_started: int = 0  # by steps of other plays


def advance_runs(*, tenant: Tenant, day: date) -> AdvanceSummary:
    """Carry every run on to the end of a day. Run again for the same day, or by two at once, it does nothing more.

    Rows that somebody else holds are left to them: two beats share the work, neither does it twice.
    """
    prefer_hash_joins()
    at = moment(tenant, day)
    stopped = _stop_churned(tenant, day, at)
    left = _look(tenant, day, at)
    due = list(
        _claim(tenant)
        .select_related("account", "playbook", "version")
        .filter(Q(wait_until__lte=day) | Q(watching=True), paused_on=None, next_position__isnull=False)
        .order_by("pk")
    )
    walked = walk_on(tenant, due, day=day)
    started = start_many(tenant=tenant, starts=walked.starts, started_on=day, chain=1)
    idle = list(
        _claim(tenant)
        .select_related("playbook")
        .filter(nothing_open(), next_position=None, held_out=False)
        .order_by("pk")
    )
    finish(tenant, idle, day=day, at=at, member=None)
    if (tenant.today() - day).days <= PAST_AFTER_DAYS:  # nobody is told today what was late weeks ago
        escalate_overdue(tenant=tenant, day=day)
    return AdvanceSummary(
        tasks_created=walked.tasks,
        runs_done=len(idle),
        runs_stopped=stopped,
        messages=walked.messages,
        runs_left=left,
        runs_started=len(started.fresh),
    )


def _claim(tenant: Tenant) -> Any:
    return Run.objects.select_for_update(of=("self",), skip_locked=True).filter(
        tenant=tenant, state=Run.State.RUNNING
    )


def _stop_churned(tenant: Tenant, day: date, at: datetime) -> int:
    churned = list(
        _claim(tenant).select_related("playbook").filter(account__churned_on__lte=day).order_by("pk")
    )
    halt(tenant, churned, day=day, at=at, outcome=Run.Outcome.CHURNED, reason="", member=None)
    return len(churned)


@dataclass(frozen=True)
class Look:
    """A run whose criteria are looked at tonight, with what the look found."""

    run: Run
    exits: tuple[Exit, ...]
    fulfilled: int | None
    verdict: Verdict | None


def _look(tenant: Tenant, day: date, at: datetime) -> int:
    """Look at exit criteria: of running runs, to end them; of all whose outcome is not known yet, to measure it.

    Held-out runs are measured by the same criteria, on the same nights, for as long. That is what makes the two comparable.
    """
    runs = list(
        Run.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("account", "playbook", "version")
        .filter(tenant=tenant, measure_until__isnull=False)
        .filter(Q(state=Run.State.RUNNING) | Q(measured=""))
        .filter(Q(looked_on=None) | Q(looked_on__lt=day), started_on__lte=day)
        .order_by("pk")
    )
    if not runs:
        return 0
    exits = {run.version_id: read_exits(run.version.exits) for run in runs}
    asked = [c for criteria in exits.values() for each in criteria for c in each.conditions]
    facts = facts_of(tenant, {run.account_id for run in runs}, day, wanted_by(asked))
    looks = [_look_at(run, exits[run.version_id], facts[run.account_id], day) for run in runs]
    for look in looks:
        _measure(look, day)
    store_looks(tenant, runs)
    leaving = [
        (look.run, look.run.measured if look.fulfilled is None else _outcome(look), _why(look))
        for look in looks
        if look.run.state == Run.State.RUNNING
        and (look.fulfilled is not None or (look.run.held_out and look.run.measured))
    ]
    leave(tenant, leaving, day=day, at=at)
    return len(leaving)


def _look_at(run: Run, exits: tuple[Exit, ...], facts: Facts, day: date) -> Look:
    seen = look_at_exits(exits, read_streaks(run.streaks), facts, day)
    run.streaks, run.looked_on = seen.streaks.to_dict(), day
    return Look(run, exits, seen.fulfilled, seen.verdict)


def _measure(look: Look, day: date) -> None:
    """What became of the account, as far as this night can say; said once and never changed."""
    run = look.run
    if run.measured or run.measure_until is None:
        return
    churned_on = run.account.churned_on
    if churned_on is not None and churned_on <= min(day, run.measure_until):
        run.measured, run.measured_on = Run.Outcome.CHURNED, churned_on
    elif look.fulfilled is not None and day <= run.measure_until:
        run.measured, run.measured_on = _outcome(look), day
    elif day >= run.measure_until:
        run.measured, run.measured_on = Run.Outcome.NO_EFFECT, run.measure_until
    if run.measured and run.state != Run.State.RUNNING and not run.outcome:
        run.outcome = run.measured  # nobody has said what came of it, so the measure does


def _outcome(look: Look) -> str:
    return look.exits[look.fulfilled].outcome if look.fulfilled is not None else ""


def _why(look: Look) -> dict[str, Any]:
    if look.fulfilled is None or look.verdict is None:
        return {"measured": look.run.measured}
    return {"days": look.exits[look.fulfilled].days, "seen": look.verdict.to_list()}
