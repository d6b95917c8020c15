"""The cast of the tests of reviews: a shop with metrics whose account Acorn is Carl's."""

from __future__ import annotations

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from usage.services import install_starter_metrics


@pytest.fixture
def shop(acme: Tenant) -> Tenant:
    """Acme with the starter metrics, in New York."""
    acme.timezone = "America/New_York"
    acme.save()
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
    return acme


@pytest.fixture
def acorn(shop: Tenant, carl: Membership) -> Account:
    """An account that Carl looks after; events name it `a1`."""
    with tenant_scope(shop):
        return Account.objects.create(tenant=shop, external_id="a1", name="Acorn", owner=carl, currency="USD")
