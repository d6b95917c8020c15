"""The tenant's template of milestones."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from playbooks.onboarding import milestones as kinds
from playbooks.onboarding.models import Milestone, OnboardingPlan, PlanMilestone
from playbooks.onboarding.shipped import SHIPPED
from usage.models import Metric

NUMBERS = {"at_least": 1e12, "factor": 100, "at_least_pct": 100, "aim": 1e12, "aim_pct": 100, "weeks": 12}
METRICS = ("metric", "numerator", "denominator", "else_denominator")
OPTIONAL = {"aim", "aim_pct", "else_denominator"}
FIELDS: dict[str, tuple[str, ...]] = {
    kinds.WEEKS: ("metric", "at_least", "weeks"),
    kinds.GROWTH: ("metric", "factor", "weeks"),
    kinds.TOTAL: ("metric", "at_least", "aim"),
    kinds.RATIO: ("numerator", "denominator", "else_denominator", "at_least_pct", "aim_pct", "weeks"),
    kinds.PER_VALUE: ("metric", "at_least"),
    kinds.KNOWN: ("metric",),
    kinds.PLAY: ("metric", "at_least"),
    kinds.HAND: (),
}
KEPT = ("empty_weeks", "plays")  # not asked for in the form, kept from what was there


def install_milestones(*, tenant: Tenant) -> None:
    """Give a tenant the shipped milestones; those that it has are left alone."""
    known = set(Milestone.objects.filter(tenant=tenant).values_list("key", flat=True))
    Milestone.objects.bulk_create(
        Milestone(
            tenant=tenant,
            key=shipped.key,
            phase=shipped.phase,
            position=10 * place,
            kind=shipped.kind,
            params=shipped.params,
        )
        for place, shipped in enumerate(SHIPPED, start=1)
        if shipped.key not in known
    )


def checked_params(
    tenant: Tenant, kind: str, raw: Mapping[str, Any], kept: Mapping[str, Any]
) -> dict[str, Any]:
    """The thresholds of a milestone as they are stored; what is wrong is raised by field, in words."""
    if kind not in FIELDS:
        raise ValidationError({"kind": _("Choose how the milestone is known.")})
    known = set(Metric.objects.filter(tenant=tenant, active=True).values_list("key", flat=True))
    params: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in FIELDS[kind]:
        value = raw.get(name)
        if value in (None, ""):
            if name not in OPTIONAL:
                wrong[name] = _("This is needed.")
        elif name in METRICS:
            params[name] = str(value)
            if params[name] not in known:
                wrong[name] = _("There is no metric “%(key)s”.") % {"key": value}
        else:
            try:
                params[name] = _number(name, value)
            except ValueError:
                wrong[name] = _("Enter a number above 0 and at most %(most)s.") % {
                    "most": f"{NUMBERS[name]:g}"
                }
    if wrong:
        raise ValidationError(wrong)
    return params | {name: kept[name] for name in KEPT if name in kept}


def _number(name: str, value: Any) -> float | int:
    number = float(value)
    if not math.isfinite(number) or not 0 < number <= NUMBERS[name]:
        raise ValueError(name)
    if name == "weeks" and number != int(number):
        raise ValueError(name)
    return int(number) if number == int(number) else number


def edit_milestone(
    *,
    tenant: Tenant,
    milestone_id: int,
    name: str,
    kind: str,
    params: Mapping[str, Any],
    enabled: bool,
    running_too: bool = False,
    member: Membership | None = None,
) -> Milestone:
    """Change a milestone of the template; plans that run keep theirs unless it is said that they change too."""
    milestone = Milestone.objects.select_for_update().get(tenant=tenant, pk=milestone_id)
    before = _shown(milestone)
    checked = checked_params(tenant, kind, params, milestone.params)
    milestone.name, milestone.kind, milestone.params = name.strip()[:120], kind, checked
    milestone.enabled = enabled
    milestone.save(update_fields=["name", "kind", "params", "enabled"])
    changed = 0
    if running_too:
        mine = PlanMilestone.objects.filter(
            tenant=tenant, plan__state=OnboardingPlan.State.RUNNING, key=milestone.key
        ).exclude(done_how=PlanMilestone.How.HAND)
        ids = list(mine.values_list("pk", flat=True))
        # What the numbers had ticked is looked at again with the new thresholds.
        changed = PlanMilestone.objects.filter(tenant=tenant, pk__in=ids).update(
            name=milestone.name, kind=kind, params=checked, done_on=None, done_how=""
        )
    record_audit(
        tenant=tenant,
        actor=member,
        action="onboarding.milestone_changed",
        target=f"milestone:{milestone.key}",
        before=before,
        after=_shown(milestone) | {"running_plans": changed},
    )
    return milestone


def add_milestone(
    *,
    tenant: Tenant,
    name: str,
    phase: int,
    kind: str,
    params: Mapping[str, Any],
    member: Membership | None = None,
) -> Milestone:
    """Add a milestone of the tenant's own to the template."""
    if not name.strip():
        raise ValidationError({"name": _("Give the milestone a name.")})
    if phase not in kinds.PHASES:
        raise ValidationError({"phase": _("Choose a phase.")})
    checked = checked_params(tenant, kind, params, {})
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "milestone"
    taken = set(Milestone.objects.filter(tenant=tenant).values_list("key", flat=True))
    key = next(key for key in (f"own_{word}{n or ''}" for n in range(len(taken) + 1)) if key not in taken)
    milestone = Milestone.objects.create(
        tenant=tenant,
        key=key,
        name=name.strip()[:120],
        phase=phase,
        kind=kind,
        params=checked,
        position=1000 + len(taken),
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="onboarding.milestone_added",
        target=f"milestone:{key}",
        after=_shown(milestone),
    )
    return milestone


def _shown(milestone: Milestone) -> dict[str, Any]:
    return {
        "name": milestone.name,
        "kind": milestone.kind,
        "params": milestone.params,
        "enabled": milestone.enabled,
    }
