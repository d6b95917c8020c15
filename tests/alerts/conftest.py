"""The cast of the alert tests: acme with its shipped plays and rules, and an account of Carl's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from alerts.services import install_shipped_rules
from playbooks.services import install_shipped_plays

SUNDAY = date(2026, 3, 8)  # the last day of a week


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme, with its scope open, the shipped plays and the shipped rules."""
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        install_shipped_rules(tenant=acme)
        yield acme


@pytest.fixture
def owned(inside: Tenant, carl: Membership) -> Account:
    """An account that Carl looks after, live for a year."""
    return Account.objects.create(
        tenant=inside,
        external_id="owned",
        name="Owned",
        owner=carl,
        mrr_cents=100_000,
        go_live_on=date(2025, 3, 1),
        first_seen_on=date(2025, 3, 1),
    )
