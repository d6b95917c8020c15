"""A small tenant made by the real service, with usage that went through the real intake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Role, Tenant
from accounts.services.tenants import create_tenant
from scoring.models import ScoreModel, Version
from scoring.services import create_draft
from tests.conftest import PASSWORD, make_member
from usage.models import Metric, Source, SourceMetric
from usage.services import accept_rows, roll_up_pending, write_state_values

EVENT_OF = {
    "sends": "Message Sent",
    "variations": "Variation Created",
    "replies": "Reply Received",
    "dms": "DM Sent",
    "demos_booked": "Demo Booked",
    "no_shows": "Demo No-Show",
    "buying_signals": "Limit Reached",
}


@dataclass
class World:
    """A tenant to score; every helper opens the tenant's scope itself."""

    tenant: Tenant
    today: date
    metrics: dict[str, Metric] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def account(self, external_id: str, *, days_old: int = 400, **fields: object) -> Account:
        """An account that has been seen for so many days."""
        with tenant_scope(self.tenant):
            return self.account_in_scope(external_id, days_old=days_old, **fields)

    def account_in_scope(self, external_id: str, *, days_old: int = 400, **fields: object) -> Account:
        """The same inside a scope that is open already."""
        account = Account.objects.create(
            external_id=external_id,
            name=external_id.title(),
            first_seen_on=self.today - timedelta(days=days_old),
            **fields,
        )
        self.accounts[external_id] = account
        return account

    def usage(
        self,
        external_id: str,
        days: Sequence[date],
        *,
        users: int = 1,
        features: int = 1,
        events: int = 1,
        **named: int,
    ) -> None:
        """So many events on each day by so many users in so many features, and named ones besides, received at once."""
        rows = []
        for day in days:
            at = datetime.combine(day, time(0, 30), tzinfo=UTC).isoformat()
            doings = ["Work"] * max(events, users, features)
            doings += [EVENT_OF[key] for key, count in named.items() for _ in range(count)]
            rows += [
                {
                    "account_id": external_id,
                    "event": event,
                    "user_id": f"{external_id}-{n % users}",
                    "occurred_at": at,
                    "received_at": at,
                    "event_id": f"{external_id}-{day}-{n}",
                    "feature": f"feature {n % features}",
                }
                for n, event in enumerate(doings)
            ]
        with tenant_scope(self.tenant):
            accept_rows(tenant=self.tenant, source="product", rows=rows)
            roll_up_pending(tenant=self.tenant)

    def state(self, external_id: str, day: date, **values: float) -> None:
        """What the snapshot of a day says of an account."""
        account = self.accounts[external_id]
        with tenant_scope(self.tenant):
            write_state_values(
                tenant=self.tenant,
                day=day,
                values={key: {account.pk: value} for key, value in values.items()},
            )

    def deliver(self, keys: Sequence[str], *, until: date | None = None) -> None:
        """A source that has delivered these metrics for years, up to a day."""
        last = until or self.today
        at = datetime.combine(last, time(12), tzinfo=UTC)
        with tenant_scope(self.tenant):
            source = Source.objects.create(key=f"s{Source.objects.count()}", name="S", last_received_at=at)
            SourceMetric.objects.bulk_create(
                [
                    SourceMetric(
                        tenant=self.tenant,
                        source=source,
                        metric=self.metrics[key],
                        first_on=self.today - timedelta(days=900),
                    )
                    for key in keys
                ]
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO usage_source_day (tenant_id, source_id, received_on, events) "
                    "SELECT %s, %s, d::date, 5 FROM generate_series(%s::date - 500, %s::date, interval '1 day') d",
                    [self.tenant.pk, source.pk, last, last],
                )


@pytest.fixture
def world(db: None) -> World:
    """A new tenant with the starter metrics and the shipped models, no accounts, no source."""
    tenant = create_tenant(slug="globex", name="Globex")
    made = World(tenant, tenant.today())
    with tenant_scope(tenant):
        made.metrics = {metric.key: metric for metric in Metric.objects.all()}
    return made


COUNTED = ["all_events", "active_users", "active_days", "features_used"]


@pytest.fixture
def counted() -> list[str]:
    """The metrics that any source delivers with its first event."""
    return COUNTED


def days_back(today: date, *offsets: int) -> list[date]:
    """Days so many days ago."""
    return [today - timedelta(days=offset) for offset in offsets]


@pytest.fixture
def browser(world: World) -> Client:
    """An admin of the tenant, logged in."""
    member = make_member(world.tenant, "alice", Role.ADMIN)
    client = Client()
    assert client.login(email=member.user.email, password=PASSWORD)
    return client


@pytest.fixture
def draft(world: World) -> Version:
    with tenant_scope(world.tenant):
        return create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
