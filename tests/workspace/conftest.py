"""The cast of the page tests: acme as a small believable company."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Tenant

from .world import World, make_world

HISTORY_DAYS = 40


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """What the filters offer is kept for a minute; every test starts without."""
    cache.clear()


@pytest.fixture
def world(acme: Tenant, carl: Membership) -> World:
    """Nine accounts, most of them Carl's."""
    with tenant_scope(acme):
        return make_world(acme, carl, count=9, history=HISTORY_DAYS)


@pytest.fixture
def browser() -> Callable[[Membership], Client]:
    """A signed-in client."""

    def sign_in(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in
