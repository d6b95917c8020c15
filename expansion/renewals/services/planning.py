"""The action plan of a renewal at risk: steps that are tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from expansion.renewals import timeline
from expansion.renewals.models import Renewal, RenewalChange, RenewalStep
from playbooks.models import Priority
from playbooks.services import create_task

from .saying import NOTE_LENGTH, journal, note_change, refusal, renewal_for

MOST_STEPS = 10


@dataclass(frozen=True)
class PlanStep:
    """One step as it was typed."""

    title: str
    assignee_id: int | None
    due_on: date | None


def make_plan(
    *,
    tenant: Tenant,
    renewal_id: int,
    steps: Sequence[PlanStep],
    summary: str = "",
    member: Membership | None = None,
) -> Renewal:
    """Make the plan, or add steps to the one there is; each step becomes a task of its owner.

    Every step needs a title, an owner and a due date that is not past; a first plan needs a sentence on what is wrong.
    """
    renewal = renewal_for(tenant, renewal_id, member)
    if not renewal.is_open:
        raise refusal("summary", _("This renewal is closed; a plan would come too late."), "closed")
    faults: dict[str, list[str]] = {}
    if not renewal.has_plan and not summary.strip():
        faults["summary"] = [_("Say in a sentence what endangers the renewal.")]
    if not steps:
        faults["steps"] = [_("A plan needs at least one step.")]
    if len(steps) > MOST_STEPS:
        faults["steps"] = [_("At most %(most)d steps; more is a list of wishes.") % {"most": MOST_STEPS}]
    for number, step in enumerate(steps):
        if not step.title.strip():
            faults[f"title-{number}"] = [_("Say what is to be done.")]
        if step.assignee_id is None:
            faults[f"owner-{number}"] = [_("Choose who does it.")]
        if step.due_on is None:
            faults[f"due-{number}"] = [_("Choose a due date.")]
        elif step.due_on < tenant.today():
            faults[f"due-{number}"] = [_("The due date has passed.")]
    if faults:
        raise ValidationError(faults)
    for number, step in enumerate(steps):
        assert step.due_on is not None
        try:
            task = create_task(
                tenant=tenant,
                account_id=renewal.account_id,
                title=step.title,
                due_on=step.due_on,
                assignee_id=step.assignee_id,
                priority=Priority.HIGH,
                member=member,
            )
        except ValidationError as error:
            raise ValidationError({f"owner-{number}": error.messages}) from error
        RenewalStep.objects.create(tenant=tenant, renewal=renewal, task=task)
    first, renewal.has_plan, renewal.changed_at = not renewal.has_plan, True, timezone.now()
    renewal.save(update_fields=["has_plan", "changed_at"])
    note_change(
        tenant,
        renewal,
        RenewalChange.Kind.PLAN,
        member,
        {"steps": len(steps), "first": first},
        summary.strip()[:NOTE_LENGTH],
    )
    journal(tenant, renewal, timeline.RENEWAL_PLAN, member, {"has_plan": not first}, {"steps": len(steps)})
    return renewal
