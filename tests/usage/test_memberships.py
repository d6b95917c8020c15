"""Whose account an event counts for, in whatever order we hear of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.attribution import contacts_joined
from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, ContactMembership, Tenant
from tests.usage.conftest import call, event, select, send, value
from usage.memberships import Timeline
from usage.services import verify_rollups


def at(day: int) -> datetime:
    """Noon of a day in March."""
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def track(number: int, day: int = 16, **fields: Any) -> dict[str, Any]:
    """A track call."""
    return {
        "type": "track",
        "event": "Message Sent",
        "userId": "u1",
        "messageId": f"m{number}",
        "timestamp": at(day).isoformat(),
    } | fields


def group(number: int, account: str, day: int, **fields: Any) -> dict[str, Any]:
    """A group call."""
    return {
        "type": "group",
        "groupId": account,
        "userId": "u1",
        "messageId": f"g{number}",
        "timestamp": at(day).isoformat(),
    } | fields


def accounts_of_events(tenant: Tenant) -> list[tuple[Any, ...]]:
    """External account id and day of every event."""
    return select(
        tenant,
        "SELECT a.external_id, e.day::text FROM usage_event e LEFT JOIN accounts_account a "
        "ON a.tenant_id = e.tenant_id AND a.id = e.account_id WHERE e.tenant_id = %s ORDER BY 2, 1",
    )


def clean(tenant: Tenant) -> bool:
    """Whether rollups agree with raw events."""
    with tenant_scope(tenant):
        return verify_rollups(tenant=tenant).differing == []


def test_a_timeline_answers_for_any_moment() -> None:
    line = Timeline([(at(5), 1), (at(10), 2)])
    assert [line.account_at(at(day)) for day in (1, 5, 7, 10, 20)] == [1, 1, 1, 2, 2]
    assert Timeline([]).account_at(at(1)) is None
    line.join(2, at(12), "group")
    assert line.added == []
    line.join(3, at(10), "group")
    assert [entry[1] for entry in line.added] == [3]
    assert line.latest == 3


def test_an_event_waits_unassigned_until_a_later_group_call(shop: Tenant) -> None:
    assert call(shop, track(1)).unassigned == 1
    assert accounts_of_events(shop) == [(None, "2026-03-16")]
    call(shop, group(1, "acme-inc", 17))
    assert accounts_of_events(shop) == [("acme-inc", "2026-03-16")]
    assert value(shop, "acme-inc", "2026-03-16", "sends") == 1.0
    with tenant_scope(shop):
        assert str(Account.objects.get().first_seen_on) == "2026-03-16"
    assert clean(shop)


def test_a_group_call_behind_its_events_in_one_batch_counts_for_them(shop: Tenant) -> None:
    result = call(shop, track(1), track(2), group(1, "acme-inc", 17))
    assert result.unassigned == 0
    assert value(shop, "acme-inc", "2026-03-16", "sends") == 2.0


def test_a_move_between_accounts_heard_of_late_moves_the_events_after_it(shop: Tenant) -> None:
    call(shop, group(1, "old", 2), track(1, 3), track(2, 8))
    assert value(shop, "old", "2026-03-08", "sends") == 1.0
    call(shop, group(2, "new", 6))
    assert accounts_of_events(shop) == [("old", "2026-03-03"), ("new", "2026-03-08")]
    assert value(shop, "old", "2026-03-08", "sends") is None
    assert value(shop, "new", "2026-03-08", "sends") == 1.0
    with tenant_scope(shop):
        assert Contact.objects.get().account == Account.objects.get(external_id="new")
    assert clean(shop)


def test_an_event_that_names_its_account_stays_there(shop: Tenant) -> None:
    call(shop, track(1, 8, context={"groupId": "named"}), group(1, "member-of", 2))
    assert accounts_of_events(shop) == [("named", "2026-03-08")]


def test_the_account_may_be_said_in_a_property_even_as_a_list_of_one(shop: Tenant) -> None:
    call(shop, track(1, properties={"company_id": ["from-property"]}))
    assert accounts_of_events(shop) == [("from-property", "2026-03-16")]


def test_an_event_with_user_and_account_tells_the_account_of_the_user(shop: Tenant) -> None:
    send(shop, [event(1, account_id="a1", user_id="u1"), event(2, account_id=None, user_id="u1")])
    assert value(shop, "a1", "2026-03-16", "sends") == 2.0


def test_a_visitor_becomes_a_contact_by_an_identify_call(shop: Tenant) -> None:
    visit = track(1, userId=None, anonymousId="anon-1", context={"groupId": "acme-inc"})
    call(shop, visit)
    users = "SELECT contact_id > 0, events FROM usage_user_day WHERE tenant_id = %s"
    assert select(shop, users) == [(False, 1)]
    call(
        shop,
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "anon-1",
            "messageId": "i1",
            "traits": {"email": "a@b.example"},
        },
    )
    assert select(shop, users) == [(True, 1)]
    with tenant_scope(shop):
        assert Contact.objects.get().email == "a@b.example"
    assert clean(shop)


def test_an_alias_call_joins_a_former_id_with_its_user(shop: Tenant) -> None:
    call(shop, track(1, userId="before", context={"groupId": "acme-inc"}))
    call(shop, {"type": "alias", "previousId": "before", "userId": "after", "messageId": "x1"})
    call(shop, track(2, userId="before", context={"groupId": "acme-inc"}))
    named = select(
        shop,
        "SELECT c.user_id, u.events FROM usage_user_day u JOIN accounts_contact c "
        "ON c.tenant_id = u.tenant_id AND c.id = u.contact_id WHERE u.tenant_id = %s",
    )
    assert named == [("after", 2)]
    assert clean(shop)


def test_group_traits_fill_blanks_and_leave_what_people_wrote(shop: Tenant) -> None:
    with tenant_scope(shop):
        Account.objects.create(external_id="crm", name="Named by hand", plan="Gold")
    call(
        shop,
        group(1, "crm", 2, traits={"name": "From product", "plan": "basic", "mrr": 12.5}),
        group(2, "fresh", 3, traits={"name": "Fresh Co", "plan": "basic", "employees": 4}),
    )
    with tenant_scope(shop):
        rows = Account.objects.order_by("external_id").values_list("name", "plan", "mrr_cents", "custom")
        assert list(rows) == [
            ("Named by hand", "Gold", 1250, {"name": "From product", "plan": "basic", "mrr": 12.5}),
            ("Fresh Co", "basic", 0, {"name": "Fresh Co", "plan": "basic", "employees": 4}),
        ]


def test_rudder_keeps_identify_traits_in_the_context(shop: Tenant) -> None:
    call(
        shop,
        {
            "type": "identify",
            "userId": "u1",
            "messageId": "i1",
            "context": {"traits": {"email": "r@b.example"}},
        },
    )
    with tenant_scope(shop):
        assert Contact.objects.get().email == "r@b.example"


def test_pages_and_screens_are_features_of_their_own_name(shop: Tenant) -> None:
    page = {"type": "page", "name": "Pricing", "userId": "u1", "messageId": "p1", "context": {"groupId": "a"}}
    call(shop, page, page | {"type": "screen", "name": "Home", "messageId": "p2"})
    assert select(shop, "SELECT name, feature FROM usage_event WHERE tenant_id = %s ORDER BY 1") == [
        ("Page Viewed", "Pricing"),
        ("Screen Viewed", "Home"),
    ]


def test_a_membership_written_by_the_contacts_api_resolves_waiting_events(shop: Tenant) -> None:
    call(shop, track(1))
    with tenant_scope(shop):
        account = Account.objects.create(external_id="crm", name="CRM")
        contact = Contact.objects.get()
        ContactMembership.objects.create(contact=contact, account=account, since=at(1), source="api")
        contacts_joined(tenant=shop, contact_ids=[contact.pk])
    assert accounts_of_events(shop) == [("crm", "2026-03-16")]
    assert value(shop, "crm", "2026-03-16", "sends") == 1.0
    assert clean(shop)
