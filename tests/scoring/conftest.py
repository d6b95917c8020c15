"""A small tenant with metrics, usage rows and fresh sources, put straight into the tables that scoring reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from scoring.services import install_templates
from usage.models import Metric, Source, SourceMetric

METRICS = [
    # key, kind, slot, what else
    ("all_events", "all_events", 1, {}),
    ("active_users", "distinct_users", None, {}),
    ("active_days", "active_days", None, {}),
    ("features_used", "features_used", None, {}),
    ("oldest_open_ticket_hours", "state", 2, {}),
    ("open_ticket_severity", "state", 3, {}),
    ("invoice_overdue_days", "state", 4, {}),
    ("failed_charges", "state", 5, {}),
    ("sends", "count", 6, {}),
    ("variations", "count", 7, {}),
    ("replies", "count", 8, {}),
    ("reply_rate", "ratio", None, {"numerator": "replies", "denominator": "sends"}),
    ("demos", "count", 9, {}),
    ("demo_rate", "ratio", None, {"numerator": "demos", "denominator": "sends"}),
    ("no_shows", "count", 10, {}),
    ("no_show_rate", "ratio", None, {"numerator": "no_shows", "denominator": "demos"}),
    ("roi_cents", "pushed", 11, {"hold_days": 31}),
    ("savings_cents", "pushed", 12, {"hold_days": 31}),
    ("buying_signals", "count", 13, {}),
]
SLOTS = {key: slot for key, _kind, slot, _more in METRICS if slot}
WIDTH = 13


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
            account = Account.objects.create(
                external_id=external_id, name=external_id.title(), first_seen_on=self.today - timedelta(days=days_old),
                **fields,
            )
        self.accounts[external_id] = account
        return account

    def usage(self, external_id: str, days: Sequence[date], *, users: int = 1, features: int = 1, **values: float) -> None:
        """A row per day: these metric values (one event a day unless told), so many users and features."""
        slots: list[float | None] = [None] * WIDTH
        for key, value in {"all_events": 1.0, **values}.items():
            slots[SLOTS[key] - 1] = value
        account = self.accounts[external_id]
        with tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.executemany(
                'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s)',
                [(self.tenant.pk, account.pk, day, slots) for day in days],
            )
            cursor.executemany(
                "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features) "
                "VALUES (%s, %s, %s, %s, 1, %s::bigint[])",
                [
                    (self.tenant.pk, account.pk, contact, day, list(range(1, features + 1)))
                    for day in days
                    for contact in range(1, users + 1)
                ],
            )

    def deliver(self, keys: Sequence[str], *, until: date | None = None) -> None:
        """A source that has delivered these metrics for years, up to a day."""
        last = until or self.today
        at = datetime.combine(last, time(12), tzinfo=UTC)
        with tenant_scope(self.tenant):
            source = Source.objects.create(key=f"s{Source.objects.count()}", name="S", last_received_at=at)
            SourceMetric.objects.bulk_create([
                SourceMetric(
                    tenant=self.tenant, source=source, metric=self.metrics[key], first_on=self.today - timedelta(days=900)
                )
                for key in keys
            ])
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO usage_source_day (tenant_id, source_id, received_on, events) "
                    "SELECT %s, %s, d::date, 5 FROM generate_series(%s::date - 500, %s::date, interval '1 day') d",
                    [self.tenant.pk, source.pk, last, last],
                )


@pytest.fixture
def world(acme: Tenant) -> World:
    """Acme with metrics and the shipped models, no accounts, no source."""
    made = World(acme, acme.today())
    with tenant_scope(acme):
        for key, kind, slot, more in METRICS:
            made.metrics[key] = Metric.objects.create(key=key, name=key, kind=kind, slot=slot, **more)
        install_templates(tenant=acme)
    return made


COUNTED = ["all_events", "active_users", "active_days", "features_used"]


@pytest.fixture
def counted() -> list[str]:
    """The metrics that any source delivers with its first event."""
    return COUNTED


def days_back(today: date, *offsets: int) -> list[date]:
    """Days so many days ago."""
    return [today - timedelta(days=offset) for offset in offsets]
