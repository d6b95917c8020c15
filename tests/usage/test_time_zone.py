"""Another time zone: every event stands on its new day, and the rollups say the same."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import AuditEntry, Job, Tenant
from accounts.services import change_timezone
from usage.services import verify_rollups

from .conftest import event, select, send

pytestmark = pytest.mark.django_db(transaction=True)
DAYS_SQL = "SELECT day FROM usage_event WHERE tenant_id = %s ORDER BY occurred_at"
ROLLED_SQL = 'SELECT day, "values"[1] FROM usage_day WHERE tenant_id = %s ORDER BY day'
FIRST_SQL = "SELECT first_seen_on FROM accounts_account WHERE tenant_id = %s"


def test_a_changed_time_zone_moves_events_to_their_new_days(shop: Tenant) -> None:
    late, noon = "2026-03-17T03:30:00Z", "2026-03-17T15:00:00Z"  # 23:30 on the 16th in New York
    send(shop, [event(1, occurred_at=late), event(2, occurred_at=noon)])
    assert select(shop, DAYS_SQL) == [(date(2026, 3, 16),), (date(2026, 3, 17),)]
    change_timezone(tenant=shop, timezone="Europe/Madrid")
    assert run_jobs(shop) == 1
    assert select(shop, DAYS_SQL) == [(date(2026, 3, 17),), (date(2026, 3, 17),)]
    assert [row[0] for row in select(shop, ROLLED_SQL)] == [date(2026, 3, 17)]
    assert select(shop, FIRST_SQL) == [(date(2026, 3, 17),)]
    with tenant_scope(shop):
        assert verify_rollups(tenant=shop).differing == []
        assert AuditEntry.objects.filter(action="tenant.timezone.changed").count() == 1


def test_the_same_time_zone_queues_nothing_and_an_unknown_one_is_refused(shop: Tenant) -> None:
    change_timezone(tenant=shop, timezone=shop.timezone)
    with pytest.raises(ValidationError, match="time zone"):
        change_timezone(tenant=shop, timezone="Mars/Olympus")
    assert Tenant.objects.get(pk=shop.pk).timezone == "America/New_York"
    with tenant_scope(shop):
        assert not Job.objects.filter(kind="redate").exists()
