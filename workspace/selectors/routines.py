"""What is done at an account beside alerts and plays: its onboarding, its checklists, its hand-offs."""

from __future__ import annotations

from datetime import date
from typing import Any

from accounts.models import Tenant
from playbooks.checklists.selectors import lists_of_account
from playbooks.intervention.selectors import handoffs_of
from playbooks.onboarding.selectors import plan_of_account, views_of

HANDOFFS = 5


def routines(tenant: Tenant, account_id: int, today: date) -> dict[str, Any]:
    """The parts of the Work tab; six queries."""
    plan = plan_of_account(tenant, account_id)
    views = views_of(tenant, [plan] if plan else [], today)
    lists = lists_of_account(tenant, account_id, today)
    return {
        "onboarding": views[0] if views else None,
        "checklists": [item for items in lists.values() for item in items],
        "handoffs": list(handoffs_of(tenant, account_id)[:HANDOFFS]),
    }
