"""What people do with a milestone: tick it with a reason, open it again, leave it to the numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.onboarding import timeline
from playbooks.onboarding.milestones import HAND
from playbooks.onboarding.models import OnboardingPlan, PlanMilestone
from playbooks.rights import demand_account

from .evaluation import MILESTONE_FIELDS, PLAN_FIELDS, evaluate_onboarding, look_at, reached_entry, settle
from .plans import lock_onboarding

How = PlanMilestone.How


def tick_milestone(
    *,
    tenant: Tenant,
    milestone_id: int,
    note: str,
    on: date | None = None,
    member: Membership | None = None,
) -> PlanMilestone:
    """Say by hand that a milestone is reached, since which day, and how one knows."""
    line, plan = _locked(tenant, milestone_id, member)
    today = tenant.today()
    on = on or today
    if line.done_on is not None:
        return line
    if not note.strip():
        raise ValidationError({"note": _("Say how you know that it is reached.")})
    if not plan.starts_on <= on <= max(today, plan.starts_on):
        raise ValidationError({"on": _("Choose a day between the go-live and today.")})
    line.done_on, line.done_how, line.done_by = on, How.HAND, member
    line.note = note.strip()[:2000]
    _keep(tenant, plan, line, lambda: look_at(line, plan, None, today))
    reached_entry(tenant, plan, line, timezone.now(), member).save()
    _audit(tenant, member, "onboarding.ticked", line, {"on": on.isoformat(), "note": line.note})
    return line


def untick_milestone(
    *, tenant: Tenant, milestone_id: int, note: str = "", member: Membership | None = None
) -> PlanMilestone:
    """Open a milestone again; one that the numbers had ticked is not ticked by them any more."""
    line, plan = _locked(tenant, milestone_id, member)
    if line.done_on is None:
        return line
    was = {"on": line.done_on.isoformat(), "how": line.done_how}
    line.ignore_numbers = line.done_how == How.SYSTEM
    line.done_on, line.done_how, line.done_by, line.note = None, "", None, note.strip()[:2000]
    line.progress = 0.0 if line.kind == HAND else min(line.progress, 0.99)
    _keep(tenant, plan, line, lambda: look_at(line, plan, None, tenant.today()))
    record_timeline(
        tenant=tenant,
        account_id=plan.account_id,
        kind=timeline.UNDONE,
        at=timezone.now(),
        title=line.title,
        actor=member,
        data={"plan": plan.pk, "milestone": line.key, "note": line.note},
    )
    _audit(tenant, member, "onboarding.unticked", line, {"note": line.note}, before=was)
    return line


def ask_the_numbers(*, tenant: Tenant, milestone_id: int, member: Membership | None = None) -> PlanMilestone:
    """Let the numbers tick a milestone again that somebody had taken from them."""
    line, plan = _locked(tenant, milestone_id, member)
    if line.ignore_numbers:
        line.ignore_numbers = False
        line.save(update_fields=["ignore_numbers"])
        _audit(tenant, member, "onboarding.numbers_asked", line, {})
        evaluate_onboarding(tenant=tenant, day=tenant.today(), account_ids=[plan.account_id])
        line.refresh_from_db()
    return line


def _locked(
    tenant: Tenant, milestone_id: int, member: Membership | None
) -> tuple[PlanMilestone, OnboardingPlan]:
    lock_onboarding(tenant)
    line = PlanMilestone.objects.select_related("plan").get(tenant=tenant, pk=milestone_id)
    demand_account(member, Account.objects.get(tenant=tenant, pk=line.plan.account_id))
    if line.plan.state == OnboardingPlan.State.ENDED:
        raise ValidationError(_("This onboarding is over; begin a new one instead."), code="over")
    return line, line.plan


def _keep(tenant: Tenant, plan: OnboardingPlan, line: PlanMilestone, look: Callable[[], bool]) -> None:
    """Store a milestone and what it makes of its plan; a finished plan runs again when one is open."""
    look()
    line.save(update_fields=[*MILESTONE_FIELDS, "done_by", "note", "ignore_numbers"])
    lines = list(PlanMilestone.objects.filter(tenant=tenant, plan=plan))
    if plan.state == OnboardingPlan.State.DONE and line.done_on is None:
        others = OnboardingPlan.objects.filter(
            tenant=tenant, account_id=plan.account_id, state=OnboardingPlan.State.RUNNING
        )
        if others.exclude(pk=plan.pk).exists():
            raise ValidationError(_("Another onboarding of this account is running."), code="running")
        plan.state, plan.finished_on = OnboardingPlan.State.RUNNING, None
    evaluated_on = plan.evaluated_on
    settle(plan, lines, tenant.today())
    plan.evaluated_on = evaluated_on  # the numbers were not asked
    plan.save(update_fields=PLAN_FIELDS)


def _audit(
    tenant: Tenant,
    member: Membership | None,
    action: str,
    line: PlanMilestone,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    record_audit(
        tenant=tenant, actor=member, action=action, target=f"plan_milestone:{line.pk}",
        before=before, after={"milestone": line.key, **after},
    )  # fmt: skip
