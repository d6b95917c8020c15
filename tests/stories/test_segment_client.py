"""The unmodified Segment library sends to a running server, and everything lands on the right account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from segment.analytics.client import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Tenant
from tests.conftest import make_tenant
from tests.usage.sending import raw_key, rows
from usage.drain import drain_tenant

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[[Tenant], Client]


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def connect(live_server: Any) -> Iterator[Connect]:
    """A client of a tenant, as the library's own documentation makes it; whatever it reports fails the test."""
    clients: list[Client] = []
    problems: list[Exception] = []

    def make(tenant: Tenant) -> Client:
        client = Client(
            raw_key(tenant), host=live_server.url, on_error=lambda error, _batch: problems.append(error)
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.shutdown()
    assert problems == []


def places(tenant: Tenant) -> list[tuple[Any, ...]]:
    """Name, user and account of every stored event."""
    return rows(
        tenant,
        "SELECT e.name, e.user_key, a.external_id FROM usage_event e LEFT JOIN accounts_account a "
        "ON a.tenant_id = e.tenant_id AND a.id = e.account_id WHERE e.tenant_id = %(tenant)s "
        "ORDER BY e.occurred_at, e.name",
    )


def active_days(tenant: Tenant) -> list[tuple[Any, ...]]:
    """Account, user and number of events of the rollup."""
    return rows(
        tenant,
        "SELECT a.external_id, c.user_id, sum(d.events)::int FROM usage_user_day d "
        "JOIN accounts_account a ON a.tenant_id = d.tenant_id AND a.id = d.account_id "
        "JOIN accounts_contact c ON c.tenant_id = d.tenant_id AND c.id = d.contact_id "
        "WHERE d.tenant_id = %(tenant)s GROUP BY 1, 2 ORDER BY 1, 2",
    )


def test_identify_group_and_track_land_on_the_account(acme: Tenant, connect: Connect) -> None:
    client = connect(acme)
    client.identify("una", {"email": "una@alpha.example", "name": "Una", "role": "admin"})
    client.group("una", "alpha", {"name": "Alpha Inc", "plan": "enterprise", "mrr": 1250.5})
    client.track("una", "Report Exported", {"rows": 100})
    client.page("una", "Docs", "Pricing")
    client.flush()
    result = drain_tenant(acme)
    assert (result.stored, result.quarantined, result.unassigned) == (4, 0, 0)
    assert sorted(places(acme)) == [("Page Viewed", "una", "alpha"), ("Report Exported", "una", "alpha")]
    assert active_days(acme) == [("alpha", "una", 2)]
    with tenant_scope(acme):
        alpha = Account.objects.get()
        assert (alpha.external_id, alpha.name, alpha.plan, alpha.mrr_cents) == (
            "alpha",
            "Alpha Inc",
            "enterprise",
            125_050,
        )
        una = Contact.objects.get()
        assert (una.user_id, una.email, una.name, una.roles, una.account) == (
            "una", "una@alpha.example", "Una", ["admin"], alpha,
        )  # fmt: skip


def test_a_group_call_after_the_track_brings_the_event_home(acme: Tenant, connect: Connect) -> None:
    client = connect(acme)
    client.track("una", "Report Exported")
    client.flush()
    assert drain_tenant(acme).unassigned == 1
    assert places(acme) == [("Report Exported", "una", None)]
    client.group("una", "alpha", {"name": "Alpha Inc"})
    client.track("una", "Report Shared")
    client.flush()
    assert drain_tenant(acme).unassigned == 0
    assert places(acme) == [("Report Exported", "una", "alpha"), ("Report Shared", "una", "alpha")]
    assert active_days(acme) == [("alpha", "una", 2)]


def test_the_same_message_ids_again_add_nothing(acme: Tenant, connect: Connect) -> None:
    client = connect(acme)
    counted = []
    for _ in range(2):
        client.group("una", "alpha", message_id="g1")
        client.track("una", "Report Exported", message_id="t1")
        client.track("una", "Report Shared", message_id="t2")
        client.flush()
        result = drain_tenant(acme)
        counted.append((result.stored, result.duplicates))
    assert counted == [(3, 0), (0, 3)]
    assert active_days(acme) == [("alpha", "una", 2)]


def test_a_bad_event_does_not_cost_its_neighbours(acme: Tenant, connect: Connect) -> None:
    client = connect(acme)
    client.track("una", "Before")
    client.track("una", "From the future", timestamp=datetime.now(UTC) + timedelta(days=400))
    client.track("una", "Broken", {"text": "a\x00b"})
    client.track("una", "After")
    client.flush()
    result = drain_tenant(acme)
    assert (result.stored, result.quarantined) == (2, 2)
    assert sorted(name for name, _, _ in places(acme)) == ["After", "Before"]
    assert rows(acme, "SELECT code FROM usage_quarantine WHERE tenant_id = %(tenant)s ORDER BY code") == [
        ("future_timestamp",), ("invalid_text",),
    ]  # fmt: skip


def test_two_tenants_with_the_same_message_ids_keep_their_own(acme: Tenant, connect: Connect) -> None:
    rival = make_tenant("rival")
    for tenant in (acme, rival):
        client = connect(tenant)
        client.group("una", f"{tenant.slug} customer", message_id="g1")
        client.track("una", "Report Exported", message_id="t1")
        client.flush()
    assert [drain_tenant(tenant).stored for tenant in (acme, rival)] == [2, 2]
    assert places(acme) == [("Report Exported", "una", "acme customer")]
    assert places(rival) == [("Report Exported", "una", "rival customer")]


def test_late_events_land_on_the_day_they_happened(acme: Tenant, connect: Connect) -> None:
    client = connect(acme)
    client.group("una", "alpha")
    client.track("una", "Report Exported", timestamp=datetime(2026, 1, 5, 10, tzinfo=UTC))
    client.flush()
    drain_tenant(acme)
    days = rows(acme, "SELECT day::text, events FROM usage_user_day WHERE tenant_id = %(tenant)s")
    assert days == [("2026-01-05", 1)]
