"""Partitions are made around the data and ahead, fenced, and dropped when expired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant, TenantSettings
from tests.conftest import make_tenant, use_role
from tests.usage.conftest import bring, event, post, select, send
from usage.drain import drain_tenant
from usage.partitions import Maintenance, maintain_partitions, month_name, week_number

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])
TODAY = date(2031, 5, 14)  # far from the real day, so that the partitions of this test are its own


def partitions(parent: str) -> set[str]:
    """Names of the partitions there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent]
        )
        return {row[0] for row in cursor.fetchall()}


def maintain(today: date) -> Maintenance:
    """One run as the owner of the tables."""
    use_role("DATABASE_URL_MIGRATE")
    try:
        return maintain_partitions(connection, today)
    finally:
        use_role("DATABASE_URL")


@pytest.fixture
def tidy() -> Iterator[None]:
    """Leave no partition behind."""
    before = {parent: partitions(parent) for parent in ("usage_event", "usage_event_key")}
    yield
    use_role("DATABASE_URL_MIGRATE")
    with connection.cursor() as cursor:
        for parent, names in before.items():
            for name in partitions(parent) - names:
                cursor.execute(f"DROP TABLE {name}")
    use_role("DATABASE_URL")


def test_months_and_weeks_are_made_around_the_data_and_ahead(tidy: None) -> None:
    tenant = make_tenant("monthly")
    at = datetime(2031, 5, 14, 12, tzinfo=UTC)
    post(
        tenant,
        [event(1, occurred_at="2031-05-02T00:00:00Z"), event(2, occurred_at="2030-11-30T00:00:00Z")],
        at=at,
    )
    drain_tenant(tenant)
    done = maintain(TODAY)
    week = week_number(TODAY)
    assert done.made == [
        "usage_event_y2030m11", "usage_event_y2031m05", "usage_event_y2031m06", "usage_event_y2031m07",
        f"usage_event_key_g{week}", f"usage_event_key_g{week + 1}", f"usage_event_key_g{week + 2}",
    ]  # fmt: skip
    placed = select(
        tenant, "SELECT tableoid::regclass::text FROM usage_event WHERE tenant_id = %s ORDER BY day"
    )
    assert placed == [("usage_event_y2030m11",), ("usage_event_y2031m05",)]
    assert send(tenant, [event(1), event(2)], at=at).duplicates == 2
    assert maintain(TODAY).made == []


def test_a_partition_is_nobodys_and_fenced(tidy: None) -> None:
    maintain(TODAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
            "has_table_privilege('cs_web', c.oid, 'SELECT') OR has_table_privilege('cs_worker', c.oid, 'INSERT'), "
            "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) "
            "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent IN ('usage_event'::regclass, 'usage_event_key'::regclass)"
        )
        rows = cursor.fetchall()
    assert month_name(TODAY) in {row[0] for row in rows}
    assert {row[1:] for row in rows} == {(True, False, 1)}
    tenant = make_tenant("curious")
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_scope(tenant),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT * FROM {month_name(TODAY)}")


def test_keys_expire_after_a_week_and_those_of_imports_never(tidy: None) -> None:
    tenant = make_tenant("weekly")
    at = datetime(2031, 5, 14, 12, tzinfo=UTC)
    maintain(TODAY)
    send(tenant, [event(1)], at=at)
    bring(tenant, [event(2)])
    assert maintain(TODAY + timedelta(days=7)).dropped == []
    assert send(tenant, [event(1)], at=at + timedelta(days=7)).duplicates == 1
    assert f"usage_event_key_g{week_number(TODAY)}" in maintain(TODAY + timedelta(days=14)).dropped
    assert send(tenant, [event(1)], at=at + timedelta(days=14)).stored == 1
    assert bring(tenant, [event(2)]).duplicates == 1


def test_events_go_with_the_retention_of_their_tenant(tidy: None) -> None:
    short, long = make_tenant("short"), make_tenant("long")
    with tenant_scope(short):
        TenantSettings.objects.update(raw_retention_days=30)
    with tenant_scope(long):
        TenantSettings.objects.update(raw_retention_days=400)
    at = datetime(2031, 5, 14, 12, tzinfo=UTC)
    days = ["2031-05-01T12:00:00Z", "2031-03-01T12:00:00Z", "2029-03-01T12:00:00Z"]
    for tenant in (short, long):
        send(tenant, [event(n, occurred_at=day) for n, day in enumerate(days)], at=at)
    done = maintain(TODAY)
    assert "usage_event_y2029m03" in done.dropped
    kept = "SELECT day::text FROM usage_event WHERE tenant_id = %s ORDER BY 1"
    assert select(short, kept) == [("2031-05-01",)]
    assert select(long, kept) == [("2031-03-01",), ("2031-05-01",)]
    rolled_up = "SELECT count(*) FROM usage_day WHERE tenant_id = %s"
    assert select(short, rolled_up) == [(3,)]


def test_the_command_wants_the_owner() -> None:
    with pytest.raises(CommandError, match="CS_PROCESS=maintain"):
        call_command("maintain", "--once")


def test_the_drain_command_drains_every_tenant_and_stops() -> None:
    one, two = make_tenant("one"), make_tenant("two")
    for tenant in (one, two):
        post(tenant, [event(1), event(2)])
    call_command("drain", "--once", stdout=StringIO())
    stored = "SELECT count(*) FROM usage_event WHERE tenant_id = %s"
    assert [select(tenant, stored) for tenant in (one, two)] == [[(2,)], [(2,)]]


def test_a_tenants_batch_does_not_wait_behind_anothers(acme: Tenant) -> None:
    other = make_tenant("busy")
    for number in range(3):
        post(other, [event(number)])
    post(acme, [event(1)])
    from usage.management.commands.drain import drain_round

    assert drain_round() == (True, False)
    assert select(acme, "SELECT count(*) FROM usage_inbox WHERE tenant_id = %s") == [(0,)]
