"""The cast of the playbook tests: an account of Carl's and one that nobody owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from playbooks.services import install_shipped_plays
from tests.conftest import make_tenant

MONDAY = date(2026, 3, 2)


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme, with its scope open and the shipped plays installed."""
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        yield acme


@pytest.fixture
def owned(inside: Tenant, carl: Membership) -> Account:
    """An account that Carl looks after."""
    return Account.objects.create(tenant=inside, external_id="owned", name="Owned", owner=carl)


@pytest.fixture
def orphan(inside: Tenant) -> Account:
    """An account that nobody looks after."""
    return Account.objects.create(tenant=inside, external_id="orphan", name="Orphan")


@pytest.fixture
def make_inside(db: None) -> Callable[[str], tuple[Tenant, Account]]:
    """A tenant in this time zone, with an account."""

    def make(zone: str) -> tuple[Tenant, Account]:
        tenant = make_tenant("zoned", timezone=zone)
        with tenant_scope(tenant):
            return tenant, Account.objects.create(tenant=tenant, external_id="z", name="Zoned")

    return make
