"""A tenant with leads: accounts on trial and self-serve plans whose usage went through the real intake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Role, Tenant
from accounts.services.tenants import create_tenant
from pql.models import Lead, Standing
from pql.services import LeadsSummary, evaluate_leads, measure_signals
from scoring.services import score_accounts
from tests.conftest import make_member
from usage.services import accept_rows, roll_up_pending, snapshot_state


@dataclass
class Leads:
    """The tenant and its nights; every helper opens the scope itself."""

    tenant: Tenant
    today: date
    sent: int = 0

    def ago(self, days: int) -> date:
        """So many days before today."""
        return self.today - timedelta(days=days)

    def account(self, external_id: str, *, old: int = 200, **fields: Any) -> Account:
        """An account on a trial, seen for so many days."""
        values: dict[str, Any] = {"plan_kind": Account.PlanKind.TRIAL, "name": external_id.title()} | fields
        with tenant_scope(self.tenant):
            account = Account.objects.create(external_id=external_id, first_seen_on=self.ago(old), **values)
            Account.objects.filter(pk=account.pk).update(
                created_at=datetime.combine(self.ago(old), time(12), tzinfo=UTC)
            )
        return account

    def events(
        self,
        account: Account,
        event: str,
        *ago: int,
        user: str = "",
        received_ago: int | None = None,
        times: int = 1,
    ) -> None:
        """An event on each of these days, known at once or so many days ago."""
        rows = []
        for days in ago:
            at = datetime.combine(self.ago(days), time(0, 30), tzinfo=UTC)
            received = (
                at if received_ago is None else datetime.combine(self.ago(received_ago), time(1), tzinfo=UTC)
            )
            for _ in range(times):
                self.sent += 1
                rows.append(
                    {
                        "account_id": account.external_id,
                        "event": event,
                        "user_id": user or f"{account.external_id}-u",
                        "occurred_at": at.isoformat(),
                        "received_at": received.isoformat(),
                        "event_id": str(self.sent),
                    }
                )
        self.send(rows)

    def send(self, rows: list[dict[str, Any]]) -> None:
        """Through the inbox and the drain."""
        with tenant_scope(self.tenant):
            accept_rows(tenant=self.tenant, source="product", rows=rows)
            roll_up_pending(tenant=self.tenant)

    def busy(
        self, account: Account, *, days: int = 28, users: int = 12, features: int = 9, events: int = 60
    ) -> None:
        """So much use on each of the last days that every component but the signals is full."""
        rows = []
        for ago in range(days):
            at = datetime.combine(self.ago(ago), time(0, 10), tzinfo=UTC).isoformat()
            for n in range(max(users, features, events)):
                self.sent += 1
                rows.append(
                    {
                        "account_id": account.external_id,
                        "event": "Work",
                        "user_id": f"{account.external_id}-{n % users}",
                        "occurred_at": at,
                        "received_at": at,
                        "event_id": str(self.sent),
                        "feature": f"feature {n % features}",
                    }
                )
        self.send(rows)

    def night(self, ago: int = 0) -> LeadsSummary:
        """State, signals, scores and leads of a day."""
        day = self.ago(ago)
        with tenant_scope(self.tenant):
            snapshot_state(tenant=self.tenant, day=day)
            measure_signals(tenant=self.tenant, day=day)
            score_accounts(tenant=self.tenant, day=day, kinds=("pql",))
            return evaluate_leads(tenant=self.tenant, day=day)

    def leads(self) -> list[tuple[str, str]]:
        """Account and state of every lead, the oldest first."""
        with tenant_scope(self.tenant):
            return list(Lead.objects.order_by("id").values_list("account__external_id", "state"))

    def standing(self, account: Account) -> Standing:
        """Where an account stands."""
        with tenant_scope(self.tenant):
            return Standing.objects.select_related("disqualifier").get(account=account)

    def member(self, name: str, role: str) -> Membership:
        """Somebody of the team."""
        return make_member(self.tenant, name, role)

    def contact(self, account: Account, **fields: Any) -> Contact:
        """A person at an account."""
        with tenant_scope(self.tenant):
            return Contact.objects.create(account=account, **fields)


@pytest.fixture
def leads(db: None) -> Leads:
    """A new tenant with everything that provisioning gives it."""
    tenant = create_tenant(slug="globex", name="Globex")
    return Leads(tenant, tenant.today())


@pytest.fixture
def seller(leads: Leads) -> Membership:
    """A CSM who sells."""
    return leads.member("sally", Role.CSM)


@pytest.fixture
def boss(leads: Leads) -> Membership:
    """A manager."""
    return leads.member("mona", Role.MANAGER)


@pytest.fixture
def browser() -> Callable[[Membership], Client]:
    """A signed-in client."""

    def sign_in(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in
