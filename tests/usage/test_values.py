"""Numbers that are read: zero and missing, ratios, pushed values, state, what was known when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Account, Invoice, Tenant, Ticket
from tests.usage.conftest import NOW, bring, event, rollups, send, value
from usage.asof import relations
from usage.days import Calendar
from usage.models import Metric
from usage.selectors import delivered_metrics, metric_values, weekly_series
from usage.services import (
    create_metric,
    edit_metric,
    push_metric_values,
    rebuild,
    snapshot_state,
    verify_rollups,
    write_state_values,
)

DAY = date(2026, 3, 16)


def ids_to_keys(tenant: Tenant, ids: set[int]) -> set[str]:
    """Metric keys."""
    return set(Metric.objects.filter(tenant=tenant, pk__in=ids).values_list("key", flat=True))


def read(tenant: Tenant, *keys: str, day: date = DAY, days: int = 7) -> dict[str, dict[str, float | None]]:
    """Metric values by external account id."""
    with tenant_scope(tenant):
        names = dict(Account.objects.values_list("id", "external_id"))
        return {names[pk]: found for pk, found in metric_values(tenant, keys, day, days).items()}


def test_silence_is_zero_while_the_source_is_fresh_and_missing_when_it_died(shop: Tenant) -> None:
    send(shop, [event(1), event(2, account_id="a2", event="Reply Received")])
    assert read(shop, "sends", "dms", day=date(2026, 3, 18)) == {
        "a1": {"sends": 1.0, "dms": None},
        "a2": {"sends": 0.0, "dms": None},
    }
    assert read(shop, "sends", day=date(2026, 3, 21), days=2)["a1"] == {"sends": 0.0}
    assert read(shop, "sends", day=date(2026, 3, 22), days=2)["a1"] == {"sends": None}
    with tenant_scope(shop):
        assert delivered_metrics(shop, date(2026, 3, 17)) == set()
        assert {"sends", "replies", "reply_rate"} <= ids_to_keys(
            shop, delivered_metrics(shop, date(2026, 3, 18))
        )


def test_before_its_first_day_an_account_has_no_zero(shop: Tenant) -> None:
    send(shop, [event(1), event(2, account_id="late", occurred_at="2026-03-18T10:00:00Z")])
    assert read(shop, "sends", day=date(2026, 3, 18))["late"] == {"sends": 1.0}
    with tenant_scope(shop):
        Account.objects.filter(external_id="late").update(first_seen_on=date(2026, 3, 19))
    assert read(shop, "sends", day=date(2026, 3, 18))["late"] == {"sends": None}


def test_a_ratio_is_pooled_over_the_window(shop: Tenant) -> None:
    many = [event(n, occurred_at="2026-03-15T15:00:00Z") for n in range(9)]
    few = [
        event(20),
        event(21, event="Reply Received"),
        event(22, event="Reply Received", occurred_at="2026-03-15T15:00:00Z"),
    ]
    send(shop, [*many, *few])
    assert read(shop, "reply_rate", day=date(2026, 3, 18))["a1"] == {"reply_rate": 2 / 10}


def test_distinct_users_features_and_active_days_of_a_window(shop: Tenant) -> None:
    send(
        shop,
        [
            event(1, feature="x"), event(2, feature="x", occurred_at="2026-03-15T15:00:00Z"),
            event(3, user_id="u2", feature="y"), event(4, user_id=None), event(5, occurred_at="2026-03-01T15:00:00Z"),
        ],
    )  # fmt: skip
    assert read(shop, "active_users", "features_used", "active_days", day=date(2026, 3, 18))["a1"] == {
        "active_users": 2.0,
        "features_used": 3.0,
        "active_days": 2.0,
    }


def test_reading_takes_the_same_number_of_queries_for_one_account_and_for_three(
    shop: Tenant, django_assert_num_queries: Any
) -> None:
    keys = ["sends", "active_users", "reply_rate", "roi_cents"]
    for accounts in (1, 3):
        send(shop, [event(accounts * 10 + n, account_id=f"a{n}") for n in range(accounts)])
        with tenant_scope(shop), django_assert_num_queries(5):
            metric_values(shop, keys, DAY, 7)


def test_weeks_run_from_monday_to_sunday(shop: Tenant) -> None:
    today = shop.today()
    monday = today - timedelta(days=today.weekday())
    noon = datetime(monday.year, monday.month, monday.day, 17, tzinfo=UTC)
    before, after = noon - timedelta(days=1), noon - timedelta(days=7)
    send(
        shop,
        [event(1, occurred_at=before.isoformat()), event(2, occurred_at=after.isoformat())],
        at=before + timedelta(hours=1),
    )
    with tenant_scope(shop):
        points = weekly_series(shop, Account.objects.get().pk, ["sends"], weeks=3)["sends"]
    assert [start for start, _ in points] == [monday - timedelta(days=14), monday - timedelta(days=7), monday]
    assert points[1][1] == 2.0


def test_a_sum_does_not_depend_on_the_order_and_the_last_value_is_the_latest(shop: Tenant) -> None:
    with tenant_scope(shop):
        create_metric(
            tenant=shop,
            fields={
                "key": "plan_size",
                "name": "Plan size",
                "kind": "last",
                "events": ["Plan Set"],
                "property": "size",
            },
        )
        create_metric(
            tenant=shop,
            fields={
                "key": "biggest",
                "name": "Biggest",
                "kind": "max",
                "events": ["plan set"],
                "property": "size",
            },
        )
    early, late = "2026-03-16T15:00:00Z", "2026-03-16T16:00:00Z"
    send(shop, [event(1, event="Plan Set", occurred_at=late, properties={"size": 5})])
    send(shop, [event(2, event="plan_set", occurred_at=early, properties={"size": "8"})])
    for number, amount in enumerate((0.1, 0.2, 0.3, 1e9), 10):
        send(shop, [event(number, event="Deal Won", properties={"amount": amount})])
    assert value(shop, "a1", "2026-03-16", "plan_size") == 5.0
    assert value(shop, "a1", "2026-03-16", "biggest") == 8.0
    assert value(shop, "a1", "2026-03-16", "closed_amount") == 1000000000.6
    with tenant_scope(shop):
        assert verify_rollups(tenant=shop).differing == []


def test_an_edited_metric_takes_a_new_slot_and_is_filled_from_raw_events(shop: Tenant) -> None:
    send(shop, [event(1), event(2, event="Newsletter")])
    with tenant_scope(shop):
        sends = Metric.objects.get(key="sends")
        slot = sends.slot
        edit_metric(tenant=shop, metric=sends, fields={"name": "Messages"})
        assert sends.slot == slot
        edit_metric(tenant=shop, metric=sends, fields={"events": ["Newsletter", "Message Sent"]})
        assert sends.slot == max(Metric.objects.values_list("slot", flat=True).exclude(slot=None))
        assert sends.start_on == shop.today()
    assert value(shop, "a1", "2026-03-16", "sends") == 2.0
    send(shop, [event(3)])
    assert value(shop, "a1", "2026-03-16", "sends") == 3.0


def test_a_definition_says_what_it_lacks(shop: Tenant) -> None:
    with tenant_scope(shop), pytest.raises(ValidationError) as caught:
        create_metric(tenant=shop, fields={"key": "sends", "name": "x", "kind": "sum"})
    assert set(caught.value.message_dict) == {"events", "property", "key"}


def test_a_rebuild_changes_nothing_and_repairs_what_was_broken(shop: Tenant) -> None:
    send(shop, [event(n, account_id=f"a{n % 3}", properties={"channel": f"c{n % 2}"}) for n in range(20)])
    with tenant_scope(shop):
        account = Account.objects.get(external_id="a1")
        push_metric_values(
            tenant=shop, items=[{"account_id": "a1", "metric": "roi_cents", "day": "2026-03-16", "value": 7}]
        )
    before = rollups(shop)
    with tenant_scope(shop):
        rebuild(tenant=shop)
    assert rollups(shop) == before
    with tenant_scope(shop), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_user_day SET events = 99 WHERE tenant_id = %s AND account_id = %s",
            [shop.pk, account.pk],
        )
        cursor.execute(
            'UPDATE usage_day SET "values"[1] = 99 WHERE tenant_id = %s AND account_id = %s',
            [shop.pk, account.pk],
        )
    with tenant_scope(shop):
        assert verify_rollups(tenant=shop).differing == [(account.pk, DAY)]
        rebuild(tenant=shop, account_ids=[account.pk])
        assert verify_rollups(tenant=shop).differing == []
    assert rollups(shop) == before


def test_pushed_values_hold_their_days_and_bad_items_are_named(shop: Tenant) -> None:
    today = shop.today()
    with tenant_scope(shop):
        Account.objects.create(external_id="a1", name="A")
        items = [
            {"account_id": "a1", "metric": "nps", "day": str(today - timedelta(days=89)), "value": 9},
            {"account_id": "a1", "metric": "roi_cents", "day": str(today - timedelta(days=40)), "value": 100},
            {"account_id": "zz", "metric": "nps", "value": 1},
            {"account_id": "a1", "metric": "sends", "value": 1},
            {"account_id": "a1", "metric": "nps", "day": "soon", "value": 1},
            {"account_id": "a1", "metric": "nps", "value": "9"},
        ]
        result = push_metric_values(tenant=shop, items=items)
        assert (result.created, result.updated) == (2, 0)
        assert [(r["index"], r["code"]) for r in result.rejected] == [
            (2, "unknown_account"), (3, "unknown_metric"), (4, "invalid"), (5, "invalid"),
        ]  # fmt: skip
        again = push_metric_values(tenant=shop, items=items[:1])
        assert (again.created, again.updated) == (0, 1)
    assert read(shop, "nps", "roi_cents", day=today)["a1"] == {"nps": 9.0, "roi_cents": None}


def test_a_state_value_written_and_cleared_leaves_the_other_slots(shop: Tenant) -> None:
    send(shop, [event(1)])
    with tenant_scope(shop):
        account = Account.objects.get()
        write_state_values(tenant=shop, day=DAY, values={"health_score": {account.pk: 71.5}})
    assert value(shop, "a1", "2026-03-16", "health_score") == 71.5
    assert value(shop, "a1", "2026-03-16", "sends") == 1.0
    with tenant_scope(shop):
        write_state_values(tenant=shop, day=DAY, values={"health_score": {account.pk: None}})
    assert value(shop, "a1", "2026-03-16", "health_score") is None


def test_tickets_never_sent_are_missing_and_none_open_is_zero(shop: Tenant) -> None:
    send(shop, [event(1), event(2, account_id="a2")])
    opened, received = datetime(2026, 3, 15, 4, tzinfo=UTC), datetime(2026, 3, 15, 5, tzinfo=UTC)
    with tenant_scope(shop):
        first = Account.objects.get(external_id="a1")
        snapshot_state(tenant=shop, day=DAY)
        Ticket.objects.create(
            external_id="t1", account=first, severity="urgent", opened_at=opened, received_at=received,
            resolved_at=datetime(2026, 3, 18, tzinfo=UTC),
        )  # fmt: skip
        Invoice.objects.create(
            external_id="i1", account=first, state="failed", due_on=date(2026, 3, 10), received_at=received
        )
    assert value(shop, "a1", "2026-03-16", "open_tickets") is None
    with tenant_scope(shop):
        snapshot_state(tenant=shop, day=date(2026, 3, 18), first_day=date(2026, 3, 14))
    columns = (
        "open_tickets",
        "oldest_open_ticket_hours",
        "open_ticket_severity",
        "invoice_overdue_days",
        "failed_charges",
    )
    assert [value(shop, "a1", "2026-03-16", key) for key in columns] == [1.0, 48.0, 4.0, 6.0, 1.0]
    assert [value(shop, "a2", "2026-03-16", key) for key in columns] == [0.0, 0.0, 0.0, 0.0, 0.0]
    assert value(shop, "a1", "2026-03-18", "open_tickets") == 0.0
    assert value(shop, "a1", "2026-03-16", "seats_used") == 1.0


def as_of(tenant: Tenant, cutoff_day: date) -> dict[str, float]:
    """Sends by day of account a1 as they were known at the end of a day."""
    cutoff = Calendar(tenant.tz).end(cutoff_day)
    with tenant_scope(tenant), connection.cursor() as cursor:
        slot = Metric.objects.get(key="sends").slot
        tables = relations(tenant=tenant, days=(date(2026, 3, 1), date(2026, 3, 31)), cutoff=cutoff)
        cursor.execute(
            f'SELECT day::text, sum("values"[{slot}]) FROM {tables.day_table} AS d '
            "WHERE tenant_id = %s AND known_on <= %s GROUP BY 1",
            [tenant.pk, cutoff_day],
        )
        return dict(cursor.fetchall())


def test_a_past_run_knows_only_what_had_been_received(shop: Tenant) -> None:
    bring(
        shop,
        [
            event(1, received_at="2026-03-16T16:00:00Z"),
            event(2, received_at="2026-03-18T16:00:00Z"),
            event(3, occurred_at="2026-03-18T15:00:00Z", received_at="2026-03-18T16:00:00Z"),
        ],
    )
    assert as_of(shop, date(2026, 3, 15)) == {}
    assert as_of(shop, date(2026, 3, 17)) == {"2026-03-16": 1.0}
    assert as_of(shop, date(2026, 3, 18)) == {"2026-03-16": 2.0, "2026-03-18": 1.0}


def test_where_nothing_is_late_raw_events_and_rollups_agree(shop: Tenant) -> None:
    send(
        shop,
        [event(n, account_id=f"a{n % 3}", user_id=f"u{n % 4}", properties={"amount": n}) for n in range(40)],
    )
    with tenant_scope(shop), connection.cursor() as cursor:
        found = []
        for cutoff in (None, NOW + timedelta(days=1)):
            tables = relations(tenant=shop, days=(DAY, DAY), cutoff=cutoff)
            cursor.execute(
                f'SELECT account_id, day, "values" FROM {tables.day_table} AS d WHERE tenant_id = %s ORDER BY 1, 2',
                [shop.pk],
            )
            days = cursor.fetchall()
            cursor.execute(
                "SELECT account_id, contact_id, day, events, features, metrics "
                f"FROM {tables.user_day_table} AS d WHERE tenant_id = %s ORDER BY 1, 2, 3",
                [shop.pk],
            )
            found.append((days, cursor.fetchall()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 3


def test_only_where_something_was_late_is_the_past_added_up_again(shop: Tenant) -> None:
    at = datetime(2026, 3, 16, 16, tzinfo=UTC)
    send(shop, [event(n, account_id=f"a{n}") for n in range(3)], at=at)

    def day_table(cutoff: datetime) -> str:
        with tenant_scope(shop):
            return relations(tenant=shop, days=(DAY, DAY), cutoff=cutoff).day_table

    assert day_table(NOW) != "asof_day"
    assert day_table(at) == "asof_day"  # received at the very moment that is known no more
    send(shop, [event(9, account_id="a1")], at=NOW)
    assert day_table(NOW + timedelta(days=1)) == "asof_day"


def test_a_large_rebuild_becomes_a_job_a_month_at_a_time(
    shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.services.rebuilding.AT_ONCE_EVENTS", 1)
    send(
        shop,
        [
            event(1),
            event(2, event="Newsletter"),
            event(3, event="Newsletter", occurred_at="2026-01-05T15:00:00Z"),
        ],
    )
    with tenant_scope(shop):
        sends = Metric.objects.get(key="sends")
        edit_metric(tenant=shop, metric=sends, fields={"events": ["Newsletter"]})
    assert value(shop, "a1", "2026-03-16", "sends") is None
    assert run_jobs(shop) == 3  # January, the month between, March
    assert value(shop, "a1", "2026-03-16", "sends") == 1.0
    assert value(shop, "a1", "2026-01-05", "sends") == 1.0
