"""Whom leads are about: accounts on the plans that the PQL models score."""

from __future__ import annotations

from accounts.models import Account, Tenant
from scoring.models import ScoreModel

DEFAULT_PLANS = (Account.PlanKind.TRIAL, Account.PlanKind.SELF_SERVE)


def lead_plan_kinds(tenant: Tenant) -> list[str]:
    """The kinds of plan that an active PQL model scores; a model without any scores trial and self-serve plans here, too.

    An account on a contract is a customer already: its growth is expansion, not a lead.
    """
    found: set[str] = set()
    models = ScoreModel.objects.filter(tenant=tenant, kind=ScoreModel.Kind.PQL, active=True)
    for kinds in models.values_list("plan_kinds", flat=True):
        found |= set(kinds) or set(DEFAULT_PLANS)
    return sorted(found or DEFAULT_PLANS)
