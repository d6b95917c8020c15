"""What the account page says of an account as a reference: two queries."""

from __future__ import annotations

from typing import Any

from accounts.models import Tenant
from nps.references.selectors import reference_of
from nps.stories.selectors import stories

SHOWN = 5


def voice_panel(tenant: Tenant, account_id: int) -> dict[str, Any]:
    """The reference and the newest case studies."""
    return {
        "reference": reference_of(tenant, account_id),
        "stories": list(stories(tenant, account_id=account_id)[:SHOWN]),
    }
