"""The night of onboarding: a constant number of queries per thousand plans, twice the same day changes nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Tenant, TimelineEntry
from playbooks.onboarding import timeline
from playbooks.onboarding.milestones import DONE, HAND, Facts, judge, metrics_of, state_of, worst_of
from playbooks.onboarding.models import OnboardingPlan, PlanMilestone
from playbooks.onboarding.reading import facts_of

from .plans import begin_plans

How = PlanMilestone.How
MILESTONE_FIELDS = ["state", "progress", "moved_on", "evidence", "done_on", "done_how"]
PLAN_FIELDS = ["state", "status", "value_on", "evaluated_on", "finished_on"]
PLANS_PER_PASS = 1000  # bounds what is in memory and in one statement
LINES_SQL = """
UPDATE playbooks_planmilestone m SET state = u.state, progress = u.progress, moved_on = u.moved_on,
  evidence = u.evidence::jsonb, done_on = u.done_on, done_how = u.done_how
FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::date[], %s::text[], %s::date[], %s::text[])
  AS u(id, state, progress, moved_on, evidence, done_on, done_how)
WHERE m.tenant_id = %s AND m.id = u.id
"""
PLANS_SQL = """
UPDATE playbooks_onboardingplan p SET state = u.state, status = u.status, value_on = u.value_on,
  evaluated_on = u.evaluated_on, finished_on = u.finished_on
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::date[], %s::date[], %s::date[])
  AS u(id, state, status, value_on, evaluated_on, finished_on)
WHERE p.tenant_id = %s AND p.id = u.id
"""


@dataclass(frozen=True)
class OnboardingSummary:
    """What a night did."""

    begun: int
    evaluated: int
    reached: int
    finished: int


def evaluate_onboarding(
    *, tenant: Tenant, day: date, account_ids: Collection[int] | None = None
) -> OnboardingSummary:
    """Make, move and close plans, then say of every milestone of the running ones where it stands.

    Plans only move forward: the caller does not call it for a day before yesterday.
    """
    begun = begin_plans(tenant=tenant, day=day, account_ids=account_ids)
    running = OnboardingPlan.objects.filter(tenant=tenant, state=OnboardingPlan.State.RUNNING)
    if account_ids is not None:
        running = running.filter(account_id__in=list(account_ids))
    ids = list(running.order_by("id").values_list("pk", flat=True))
    reached = finished = 0
    for start in range(0, len(ids), PLANS_PER_PASS):
        plans = list(OnboardingPlan.objects.filter(tenant=tenant, pk__in=ids[start : start + PLANS_PER_PASS]))
        newly, over = _evaluate(tenant, plans, day)
        reached, finished = reached + newly, finished + over
    return OnboardingSummary(begun, len(ids), reached, finished)


def _evaluate(tenant: Tenant, plans: Sequence[OnboardingPlan], day: date) -> tuple[int, int]:
    """Look at some plans; how many milestones were reached and how many plans finished."""
    lines: dict[int, list[PlanMilestone]] = defaultdict(list)
    for line in PlanMilestone.objects.filter(tenant=tenant, plan__in=plans):
        lines[line.plan_id].append(line)
    facts = _facts(tenant, plans, [line for own in lines.values() for line in own], day)
    now = timezone.now()
    entries: list[TimelineEntry] = []
    finished = 0
    changed: list[PlanMilestone] = []
    for plan in plans:
        for line in lines[plan.pk]:
            before = _as_stored(line)
            if look_at(line, plan, facts.get(plan.account_id), day):
                entries.append(reached_entry(tenant, plan, line, now))
            if _as_stored(line) != before:
                changed.append(line)
        if settle(plan, lines[plan.pk], day):
            finished += 1
            entries.append(_entry(tenant, plan, timeline.FINISHED, plan.starts_on.isoformat(), now))
    _store(tenant, changed, plans)
    TimelineEntry.objects.bulk_create(entries)
    return len(entries) - finished, finished


def _facts(
    tenant: Tenant, plans: Sequence[OnboardingPlan], lines: Iterable[PlanMilestone], day: date
) -> dict[int, Facts]:
    keys: set[str] = set()
    plays: set[str] = set()
    for line in lines:
        keys.update(metrics_of(line.kind, line.params))
        plays.update(line.params.get("plays", ()))
    begun = {plan.account_id: plan.starts_on for plan in plans if plan.starts_on <= day}
    return facts_of(tenant=tenant, plans=begun, keys=sorted(keys), play_keys=sorted(plays), day=day)


def _store(tenant: Tenant, lines: Sequence[PlanMilestone], plans: Sequence[OnboardingPlan]) -> None:
    """Write what changed: two statements for any number of plans."""
    with connection.cursor() as cursor:
        if lines:
            columns = [
                [
                    json.dumps(getattr(line, name)) if name == "evidence" else getattr(line, name)
                    for line in lines
                ]
                for name in MILESTONE_FIELDS
            ]
            cursor.execute(LINES_SQL, [[line.pk for line in lines], *columns, tenant.pk])
        if plans:
            columns = [[getattr(plan, name) for plan in plans] for name in PLAN_FIELDS]
            cursor.execute(PLANS_SQL, [[plan.pk for plan in plans], *columns, tenant.pk])


def _as_stored(line: PlanMilestone) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in MILESTONE_FIELDS)


def look_at(line: PlanMilestone, plan: OnboardingPlan, facts: Facts | None, day: date) -> bool:
    """Bring one milestone up to date; whether the numbers have just ticked it."""
    ticked = False
    if line.kind != HAND and facts is not None:
        finding = judge(line.kind, line.params, facts)
        line.evidence = dict(finding.evidence)
        line.progress, line.moved_on = round(finding.progress, 6), finding.moved_on
        if line.done_on is None and finding.reached_on is not None and not line.ignore_numbers:
            line.done_on, line.done_how, ticked = finding.reached_on, How.SYSTEM, True
    if line.done_on is not None:
        line.progress = 1.0
    line.state = state_of(
        phase=line.phase,
        day_number=(day - plan.starts_on).days,
        progress=line.progress,
        done=line.done_on is not None,
        moved_day=None if line.moved_on is None else (line.moved_on - plan.starts_on).days,
    )
    return ticked


def settle(plan: OnboardingPlan, lines: Sequence[PlanMilestone], day: date) -> bool:
    """Say what the milestones make of the plan; whether it has just been finished."""
    plan.status = worst_of([line.state for line in lines])
    first = [line.done_on for line in lines if line.phase == 1]
    reached = [on for on in first if on is not None]
    plan.value_on = max(reached) if reached and len(reached) == len(first) else None
    plan.evaluated_on = day
    was_running = plan.state == OnboardingPlan.State.RUNNING
    if was_running and plan.status == DONE:
        plan.state, plan.finished_on = OnboardingPlan.State.DONE, day
        return True
    return False


def reached_entry(
    tenant: Tenant, plan: OnboardingPlan, line: PlanMilestone, at: datetime, member: Membership | None = None
) -> TimelineEntry:
    """The line on the account's timeline that says that a milestone was reached."""
    data = {
        "milestone": line.key,
        "on": line.done_on.isoformat() if line.done_on else None,
        "how": line.done_how,
    }
    return _entry(tenant, plan, timeline.REACHED, line.title, at, member=member, data=data)


def _entry(
    tenant: Tenant,
    plan: OnboardingPlan,
    kind: str,
    title: str,
    at: datetime,
    *,
    member: Membership | None = None,
    data: Mapping[str, object] | None = None,
) -> TimelineEntry:
    return TimelineEntry(
        tenant=tenant,
        account_id=plan.account_id,
        kind=kind,
        at=at,
        actor=member,
        title=title[:300],
        data={"plan": plan.pk, **(data or {})},
    )
