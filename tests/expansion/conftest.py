"""A tenant that grows its customers: what happens there went through the real doors, nights are run for a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, Role, Tenant
from expansion.models import Opportunity
from expansion.services import NightSummary, evaluate_expansion, install_expansion
from playbooks.services import install_shipped_plays
from tests.conftest import make_member, make_tenant
from usage.services import install_starter_metrics, roll_up_pending, snapshot_state


@dataclass
class Growth:
    """The tenant, its API key and its nights; every helper opens the scope itself."""

    tenant: Tenant
    today: date
    api: Client
    members: dict[str, Membership] = field(default_factory=dict)

    def ago(self, days: int) -> date:
        """So many days before today."""
        return self.today - timedelta(days=days)

    def account(self, external_id: str, **fields: Any) -> Account:
        """A customer on a contract, seen for a year."""
        values: dict[str, Any] = {
            "name": external_id.title(),
            "plan_kind": Account.PlanKind.CONTRACT,
            "mrr_cents": 200_000,
            "currency": "USD",
            "owner": self.members.get("carl"),
            "first_seen_on": self.ago(365),
        } | fields
        with tenant_scope(self.tenant):
            account = Account.objects.create(external_id=external_id, **values)
            at = datetime.combine(self.ago(365), time(12), tzinfo=UTC)
            Account.objects.filter(pk=account.pk).update(created_at=at)
        return account

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send something to the API, as an integration does."""
        answer = self.api.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        found: dict[str, Any] = answer.json()
        assert not found.get("rejected"), found
        return found

    def events(self, account: Account, event: str, *ago: int) -> None:
        """Post one event for each of these days, and let the drain take it in."""
        rows = [
            {
                "event": event,
                "account_id": account.external_id,
                "user_id": f"{account.external_id}-u",
                "occurred_at": datetime.combine(self.ago(days), time(0, 10), tzinfo=UTC).isoformat(),
                "event_id": f"{account.external_id}-{event}-{days}-{n}",
            }
            for n, days in enumerate(ago)
        ]
        self.post("events", {"events": rows})
        with tenant_scope(self.tenant):
            roll_up_pending(tenant=self.tenant)

    def push(self, account: Account, metric: str, **by_day: float) -> None:
        """Post values of a pushed metric: `d31=…` is the value 31 days ago."""
        items = [
            {
                "account_id": account.external_id,
                "metric": metric,
                "day": self.ago(int(key[1:])).isoformat(),
                "value": value,
            }
            for key, value in by_day.items()
        ]
        self.post("metrics/bulk", {"items": items})

    def night(self, ago: int = 0) -> NightSummary:
        """State and opportunities of a day."""
        with tenant_scope(self.tenant):
            snapshot_state(tenant=self.tenant, day=self.ago(ago))
            return evaluate_expansion(tenant=self.tenant, day=self.ago(ago))

    def found(self) -> list[tuple[str, str, str, str]]:
        """Account, type, what and stage of every opportunity, the oldest first."""
        with tenant_scope(self.tenant):
            rows = Opportunity.objects.order_by("id")
            return list(rows.values_list("account__external_id", "type", "what", "stage"))

    def only(self) -> Opportunity:
        """The only opportunity there is."""
        with tenant_scope(self.tenant):
            return Opportunity.objects.select_related("account", "offering", "tenant", "owner__user").get()


@pytest.fixture
def growth(db: None) -> Growth:
    """A tenant with metrics, plays and what expansion gives, and one member of each role."""
    tenant = make_tenant("grow")
    with tenant_scope(tenant):
        install_starter_metrics(tenant=tenant)
        install_shipped_plays(tenant=tenant)
        install_expansion(tenant=tenant)
    key = make_key(tenant=tenant, name="all", scope="write")[1]
    roles = {"alice": Role.ADMIN, "mona": Role.MANAGER, "carl": Role.CSM, "vera": Role.VIEWER}
    return Growth(
        tenant,
        tenant.today(),
        Client(headers={"Authorization": f"Bearer {key}"}),
        {name: make_member(tenant, name, role) for name, role in roles.items()},
    )


@pytest.fixture
def browser() -> Callable[[Membership], Client]:
    """A signed-in client."""

    def sign_in(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in
