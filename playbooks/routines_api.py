"""The API of what is done at every account: onboarding plans and checklists."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import TenantAPIView, encode_cursor, page_limit
from accounts.api_schema import (
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    NUMBER,
    STRING,
    described,
    listing,
    nullable,
    page_of,
    query,
    record,
)

from .api import ACCOUNT_ID, before_id, choice, day_parameter, text, words
from .checklists.items import CADENCES, period_start
from .models import ChecklistItem, OnboardingPlan, PlanMilestone
from .onboarding.selectors import PlanView, views_of
from .onboarding.words import rule_of

MILESTONE = record(
    {
        "key": STRING,
        "title": STRING,
        "rule": STRING,
        "phase": INTEGER,
        "due_on": DATE,
        "state": {"type": "string", "enum": PlanMilestone.State.values},
        "progress": NUMBER,
        "reached_on": nullable(DATE),
        "reached_by": nullable({"type": "string", "enum": PlanMilestone.How.values}),
        "evidence": {"type": "object"},
    }
)
PLAN = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "go_live_on": DATE,
        "state": {"type": "string", "enum": OnboardingPlan.State.values},
        "status": {"type": "string", "enum": OnboardingPlan.Status.values},
        "day": INTEGER,
        "phase": INTEGER,
        "first_value_on": nullable(DATE),
        "days_to_value": nullable(INTEGER),
        "evaluated_on": nullable(DATE),
        "milestones": listing(MILESTONE),
    }
)
ITEM = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "cadence": {"type": "string", "enum": list(CADENCES)},
        "period_on": DATE,
        "item": STRING,
        "title": STRING,
        "done": {"type": "boolean"},
        "done_on": nullable(DATE),
        "done_by": nullable({"type": "string", "enum": ChecklistItem.How.values}),
        "note": STRING,
        "evidence": {"type": "object"},
    }
)


class OnboardingView(TenantAPIView):
    """`GET onboarding`: plans, the newest first; `state` (running unless said otherwise), `status`, `account_id`."""

    scope = "read"

    @described(
        "onboarding_list",
        "List onboarding plans with their milestones, the newest first",
        answer=page_of(PLAN),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(OnboardingPlan.State.values, "running")),
            query("status", words(OnboardingPlan.Status.values)),
            ACCOUNT_ID,
        ],
        errors=[400],
        tag="tasks",
    )
    def get(self, request: Request) -> Response:
        """One page of plans."""
        limit = page_limit(request)
        found = OnboardingPlan.objects.filter(tenant=self.tenant).select_related("account").order_by("-id")
        if state := choice(
            request, "state", OnboardingPlan.State.values, default=OnboardingPlan.State.RUNNING
        ):
            found = found.filter(state=state)
        if status := choice(request, "status", OnboardingPlan.Status.values):
            found = found.filter(status=status)
        if account := text(request, "account_id"):
            found = found.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        views = views_of(self.tenant, page, self.tenant.today())
        return Response(
            {
                "results": [plan_body(view) for view in views],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


class ChecklistsView(TenantAPIView):
    """`GET checklists`: items, the newest first; `cadence`, `period_on` (any day of it), `account_id`, `done`."""

    scope = "read"

    @described(
        "checklists_list",
        "List items of checklists, the newest first",
        answer=page_of(ITEM),
        parameters=[
            LIMIT,
            CURSOR,
            query("cadence", words(list(CADENCES))),
            query("period_on", DATE, "a day of the period"),
            query("done", words(["yes", "no"])),
            ACCOUNT_ID,
        ],
        errors=[400],
        tag="tasks",
    )
    def get(self, request: Request) -> Response:
        """One page of items."""
        limit = page_limit(request)
        found = ChecklistItem.objects.filter(tenant=self.tenant).select_related("account").order_by("-id")
        cadence = choice(request, "cadence", list(CADENCES))
        day = day_parameter(request, "period_on")
        if cadence:
            found = found.filter(cadence=cadence)
        if day is not None:
            starts = {period_start(one, day) for one in ([cadence] if cadence else CADENCES)}
            found = found.filter(period_on__in=starts)
        if done := choice(request, "done", ["yes", "no"]):
            found = found.filter(done_on__isnull=done == "no")
        if account := text(request, "account_id"):
            found = found.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [item_body(item) for item in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


def plan_body(view: PlanView) -> dict[str, Any]:
    """A plan as the API shows it."""
    plan = view.plan
    return {
        "id": plan.pk,
        "account_id": plan.account.external_id,
        "go_live_on": plan.starts_on,
        "state": plan.state,
        "status": plan.status,
        "day": view.day_number,
        "phase": view.phase,
        "first_value_on": plan.value_on,
        "days_to_value": view.value_days,
        "evaluated_on": plan.evaluated_on,
        "milestones": [
            {
                "key": line.milestone.key,
                "title": line.milestone.title,
                "rule": rule_of(line.milestone.kind, line.milestone.params, view.names),
                "phase": line.milestone.phase,
                "due_on": line.due_on,
                "state": line.milestone.state,
                "progress": line.milestone.progress,
                "reached_on": line.milestone.done_on,
                "reached_by": line.milestone.done_how or None,
                "evidence": line.milestone.evidence,
            }
            for line in view.lines
        ],
    }


def item_body(item: ChecklistItem) -> dict[str, Any]:
    """An item as the API shows it."""
    return {
        "id": item.pk,
        "account_id": item.account.external_id,
        "cadence": item.cadence,
        "period_on": item.period_on,
        "item": item.key,
        "title": str(item.item.title),
        "done": item.done_on is not None,
        "done_on": item.done_on,
        "done_by": item.done_how or None,
        "note": item.note,
        "evidence": item.evidence,
    }
