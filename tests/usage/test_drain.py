"""Events are stored exactly once, on their local day, and add up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Tenant, TenantSettings
from tests.usage.conftest import NOW, bring, event, post, rollups, select, send, value
from usage.days import Calendar
from usage.drain import drain_in_scope, drain_tenant, drain_turn
from usage.models import Quarantine, Source, SourceMetric
from usage.services import install_starter_metrics


def test_an_event_lands_on_its_account_contact_and_local_day(shop: Tenant) -> None:
    send(shop, [event(occurred_at="2026-03-17T03:30:00Z", properties={"channel": "email"})])
    assert select(
        shop,
        "SELECT name, day::text, source, by_membership, properties->>'channel' FROM usage_event WHERE tenant_id = %s",
    ) == [("Message Sent", "2026-03-16", "api", False, "email")]
    assert value(shop, "a1", "2026-03-16", "sends") == 1.0
    assert value(shop, "a1", "2026-03-16", "all_events") == 1.0
    with tenant_scope(shop):
        account, contact = Account.objects.get(), Contact.objects.get()
    assert (account.external_id, account.name, str(account.first_seen_on)) == ("a1", "a1", "2026-03-16")
    assert (contact.user_id, contact.account_id) == ("u1", account.pk)


def test_the_same_event_id_is_stored_once_in_a_batch_and_in_a_later_one(shop: Tenant) -> None:
    first = send(shop, [event(1), event(1), event(2)])
    again = send(shop, [event(2), event(3)], at=NOW + timedelta(days=6))
    assert (first.stored, first.duplicates) == (2, 1)
    assert (again.stored, again.duplicates) == (1, 1)
    assert value(shop, "a1", "2026-03-16", "sends") == 3.0


def test_the_same_event_id_of_another_source_or_tenant_is_another_event(shop: Tenant, rival: Tenant) -> None:
    assert send(shop, [event(1)]).stored == 1
    assert send(shop, [event(1)], source="other").stored == 1
    assert send(rival, [event(1)]).stored == 1


def test_events_without_an_id_are_all_different(shop: Tenant) -> None:
    plain = {name: text for name, text in event().items() if name != "event_id"}
    assert send(shop, [plain, plain, plain]).stored == 3


def test_an_import_remembers_its_events_for_ever_and_knows_the_ones_of_other_doors(shop: Tenant) -> None:
    send(shop, [event(1)], source="crm")
    with tenant_scope(shop), connection.cursor() as cursor:  # as if the generation had expired
        cursor.execute("DELETE FROM usage_event_key WHERE tenant_id = %s", [shop.pk])
    result = bring(shop, [event(1), event(2)], source="crm")
    assert (result.stored, result.duplicates) == (1, 1)
    assert select(shop, "SELECT generation FROM usage_event_key WHERE tenant_id = %s") == [(0,)]
    assert bring(shop, [event(1), event(2)], source="crm").stored == 0


def test_the_order_and_the_cutting_of_batches_change_nothing(shop: Tenant, rival: Tenant) -> None:
    rival.timezone = shop.timezone
    rival.save()
    with tenant_scope(rival):
        install_starter_metrics(tenant=rival)
    names = ["Message Sent", "Reply Received", "Deal Closed", "A/B Test Won"]
    items = [
        event(
            n, event=names[n % 4], account_id=f"a{n % 5}", user_id=f"u{n % 7}" if n % 6 else None,
            occurred_at=f"2026-03-{10 + n % 6:02d}T{n % 24:02d}:10:00Z",
            properties={"amount": n * 0.1, "product": f"p{n % 3}", "feature": f"f{n % 4}", "channel": "x"},
        )
        for n in range(240)
    ]  # fmt: skip
    send(shop, items)
    for start in range(0, 240, 37):
        part = list(reversed(items))[start : start + 37]
        send(rival, part + part[:5])
    ours, theirs = rollups(shop), rollups(rival)
    assert ours["days"] == theirs["days"]
    assert [row[:5] for row in ours["users"]] == [row[:5] for row in theirs["users"]]
    assert ours["dimensions"] == theirs["dimensions"]
    assert len(ours["dimensions"]) > 0


def test_an_unknown_account_goes_to_the_quarantine_where_the_tenant_wants_it(shop: Tenant) -> None:
    with tenant_scope(shop):
        TenantSettings.objects.update(unknown_accounts=TenantSettings.UnknownAccounts.QUARANTINE)
        Account.objects.create(external_id="known", name="Known")
    result = send(shop, [event(1), event(2, account_id="known")])
    assert (result.stored, result.quarantined) == (1, 1)
    with tenant_scope(shop):
        held = Quarantine.objects.get()
        assert (held.code, held.source) == ("unknown_account", "api")
        assert '"event_id": "e1"' in held.payload
        Account.objects.create(external_id="a1", name="Now known")
    assert send(shop, [event(1)]).stored == 1


def test_items_refused_at_the_door_are_kept_in_the_quarantine(shop: Tenant) -> None:
    result = send(shop, [event(1), event(2, occurred_at="2026-03-25T00:00:00Z"), event(3, event="")])
    assert (result.stored, result.quarantined) == (1, 2)
    with tenant_scope(shop):
        assert list(Quarantine.objects.order_by("-position").values_list("code", flat=True)) == [
            "future_timestamp",
            "invalid_event",
        ]


def test_a_turn_is_bounded_and_the_next_one_goes_on(shop: Tenant) -> None:
    for start in range(0, 40, 10):
        post(shop, [event(n) for n in range(start, start + 10)])
    turns = [drain_turn(shop, limit=20), drain_turn(shop, limit=20), drain_turn(shop, limit=20)]
    assert [turn and (turn.batches, turn.stored) for turn in turns] == [(2, 20), (2, 20), None]


def test_a_source_says_what_it_delivers_since_when(shop: Tenant) -> None:
    send(shop, [event(1), event(2, event="Reply Received")])
    send(shop, [event(3, event="Demo Booked")], at=NOW + timedelta(days=2))
    with tenant_scope(shop):
        source = Source.objects.get()
        firsts = dict(SourceMetric.objects.values_list("metric__key", "first_on"))
    assert (source.key, source.events, source.last_received_at) == ("api", 3, NOW + timedelta(days=2))
    assert str(firsts["sends"]) == str(firsts["replies"]) == str(firsts["active_users"]) == "2026-03-18"
    assert str(firsts["demos_booked"]) == "2026-03-20"
    assert "dms" not in firsts


def test_a_nightly_run_drains_inside_its_own_scope(shop: Tenant) -> None:
    post(shop, [event(1), event(2)])
    with tenant_scope(shop):
        assert drain_in_scope(shop).stored == 2
    assert drain_turn(shop) is None


def test_a_batch_that_fails_is_tried_again_and_then_taken_apart(
    shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = Calendar.day

    def explode(self: Calendar, moment: object) -> object:
        if getattr(moment, "minute", 0) == 59:
            raise ZeroDivisionError("an event that nobody foresaw")
        return day(self, moment)  # type: ignore[arg-type]

    monkeypatch.setattr(Calendar, "day", explode)
    items = [event(n) for n in range(6)] + [event(6, occurred_at="2026-03-16T15:59:00Z")]
    post(shop, items)
    outcomes = [drain_turn(shop) for _ in range(4)]
    assert [turn and turn.failed for turn in outcomes] == [True, True, True, False]
    last = outcomes[-1]
    assert last is not None
    assert (last.stored, last.quarantined) == (6, 1)
    with tenant_scope(shop):
        assert list(Quarantine.objects.values_list("code", "position")) == [("failed", 6)]
    assert select(shop, "SELECT state, stored, quarantined FROM usage_batch WHERE tenant_id = %s") == [
        ("done", 6, 1)
    ]


def test_a_payload_that_cannot_be_read_is_kept_and_the_batch_fails(shop: Tenant) -> None:
    post(shop, [event(1)])
    with tenant_scope(shop), connection.cursor() as cursor:
        cursor.execute("UPDATE usage_inbox SET payload = 'broken' WHERE tenant_id = %s", [shop.pk])
    for _ in range(4):
        drain_tenant(shop)
    assert select(shop, "SELECT state, stored, quarantined FROM usage_batch WHERE tenant_id = %s") == [
        ("failed", 0, 1)
    ]
    assert select(shop, "SELECT count(*) FROM usage_inbox WHERE tenant_id = %s") == [(0,)]


def test_a_turn_needs_the_same_statements_for_one_account_and_for_many(
    shop: Tenant,
) -> None:
    send(shop, [event(1000)])
    counts = []
    for size in (1, 3, 30):
        post(
            shop,
            [event(size * 100 + n, account_id=f"b{size}-{n}", user_id=f"v{size}-{n}") for n in range(size)],
        )
        with CaptureQueriesContext(connection) as queries:
            drain_turn(shop)
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2]
