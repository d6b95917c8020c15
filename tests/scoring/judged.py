"""A small tenant with computed scores that people can contradict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from scoring.models import Override
from scoring.overrides.services import set_override
from scoring.services import score_accounts
from tests.scoring.conftest import World, days_back


@pytest.fixture
def scored(world: World, counted: list[str]) -> World:
    """Two accounts with a computed score, one busy and one silent."""
    world.deliver(counted)
    for name in ("busy", "silent"):
        world.account(name, mrr_cents=10_000)
    world.usage("busy", days_back(world.today, *range(1, 60)), users=5, events=40, features=6)
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today - timedelta(days=1))
    return world


def override(world: World, name: str = "busy", **given: Any) -> Override:
    wish: dict[str, Any] = {"reason": "The sponsor is leaving.", "band": "critical"}
    with tenant_scope(world.tenant):
        return set_override(tenant=world.tenant, account_id=world.accounts[name].pk, **(wish | given))
