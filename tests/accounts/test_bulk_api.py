"""Bulk upserts: exactly what SPEC 14 says, item by item, with a constant number of queries."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import (
    Account,
    Invoice,
    Membership,
    Tenant,
    Ticket,
)
from tests.accounts.conftest import Post, accounts

pytestmark = pytest.mark.django_db


FULL = {
    "external_id": "a1",
    "name": "Alpha",
    "segment": "smb",
    "stage": "onboarding",
    "plan": "pro",
    "plan_kind": "contract",
    "seats": 10,
    "volume_limit": 5000,
    "mrr_cents": 12000,
    "currency": "eur",
    "go_live_on": "2026-01-02",
    "renewal_on": "2027-01-02",
    "churned_on": None,
    "touch_model": "named",
    "tags": ["vip", "vip", " beta "],
    "targets": {"sends": 50},
    "custom": {"industry": "retail"},
}


def test_an_account_is_created_with_all_its_fields(acme: Tenant, post: Post, carl: Membership) -> None:
    items = [{"external_id": "p"}, {**FULL, "owner_email": "Carl@acme.example", "parent_id": "p"}]
    assert post("accounts", *items) == {"created": 2, "updated": 0, "rejected": []}
    with tenant_scope(acme):
        row = Account.objects.select_related("owner", "parent").get(external_id="a1")
    assert (row.name, row.name_search, row.segment, row.stage, row.plan, row.plan_kind) == (
        "Alpha",
        "alpha",
        "smb",
        "onboarding",
        "pro",
        "contract",
    )
    assert (row.seats, row.volume_limit, row.mrr_cents, row.currency) == (10, 5000, 12000, "EUR")
    assert (row.go_live_on, row.renewal_on, row.churned_on) == (date(2026, 1, 2), date(2027, 1, 2), None)
    assert (row.owner, row.parent.external_id, row.touch_model) == (carl, "p", "named")  # type: ignore[union-attr]
    assert (row.tags, row.targets, row.custom) == (["vip", "beta"], {"sends": 50}, {"industry": "retail"})
    assert row.first_seen_on == acme.today()


def test_an_absent_key_stays_and_null_clears(acme: Tenant, post: Post) -> None:
    post("accounts", FULL)
    assert post("accounts", {"external_id": "a1", "seats": None, "custom": {"size": "L"}}) == {
        "created": 0,
        "updated": 1,
        "rejected": [],
    }
    assert accounts(acme, "name", "seats", "mrr_cents", "tags", "custom") == [
        ("Alpha", None, 12000, ["vip", "beta"], {"industry": "retail", "size": "L"}),
    ]
    cleared = {key: None for key in FULL if key != "external_id"}
    post("accounts", {"external_id": "a1", **cleared, "owner_email": None, "parent_id": None})
    assert accounts(
        acme, "name", "stage", "plan_kind", "mrr_cents", "tags", "targets", "custom", "go_live_on"
    ) == [
        ("a1", "active", "", 0, [], {}, {}, None),
    ]


def test_a_key_of_an_object_is_removed_by_null(acme: Tenant, post: Post) -> None:
    post("accounts", {"external_id": "a", "targets": {"sends": 5, "demos": 1}})
    post("accounts", {"external_id": "a", "targets": {"sends": None, "replies": 2}})
    assert accounts(acme, "targets") == [({"demos": 1, "replies": 2},)]


def test_one_account_twice_in_a_list_is_created_then_updated(acme: Tenant, post: Post) -> None:
    assert post("accounts", {"external_id": "a", "seats": 1}, {"external_id": "a", "plan": "x"}) == {
        "created": 1,
        "updated": 1,
        "rejected": [],
    }
    assert accounts(acme, "seats", "plan") == [(1, "x")]


def test_every_fault_of_an_item_is_named_and_the_others_are_stored(acme: Tenant, post: Post) -> None:
    answer = post(
        "accounts",
        {"external_id": "good"},
        {
            "external_id": "bad",
            "seats": -1,
            "mrr_cents": 1.5,
            "plan_kind": "gold",
            "currency": "euro",
            "colour": 1,
            "go_live_on": "2026-02-30",
            "tags": "a",
            "targets": {"x": "1"},
            "custom": [],
        },
        "text",
        {"name": "no id"},
        {"external_id": None},
        {"external_id": "o", "owner_email": "nobody@x.example"},
        {"external_id": "c", "parent_id": "nowhere"},
    )
    assert (answer["created"], answer["updated"]) == (1, 0)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "invalid"),
        (4, "invalid"),
        (5, "unknown_owner"),
        (6, "unknown_parent"),
    ]
    words = answer["rejected"][0]["message"]
    for name in (
        "seats",
        "mrr_cents",
        "plan_kind",
        "currency",
        "colour",
        "go_live_on",
        "tags",
        "targets",
        "custom",
    ):
        assert f"{name}: " in words
    assert accounts(acme, "external_id") == [("good",)]


@pytest.mark.parametrize(
    "links",
    [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}],
    ids=["itself", "two", "three"],
)
def test_an_account_is_never_its_own_ancestor(acme: Tenant, post: Post, links: dict[str, str]) -> None:
    post("accounts", *[{"external_id": one} for one in "abc"])
    together = post("accounts", *[{"external_id": one, "parent_id": up} for one, up in links.items()])
    assert [one["message"] for one in together["rejected"]] == [
        "parent_id: the account would be its own ancestor"
    ]
    one_by_one = [
        post("accounts", {"external_id": a, "parent_id": up})["rejected"] for a, up in links.items()
    ]
    assert [len(rejected) for rejected in one_by_one] == [0] * (len(links) - 1) + [1]


def test_a_member_of_another_tenant_cannot_own(acme: Tenant, rival: Tenant, post: Post) -> None:
    from tests.conftest import make_member

    make_member(rival, "spy", "csm")
    answer = post("accounts", {"external_id": "a", "owner_email": "spy@rival.example"})
    assert answer["rejected"][0]["code"] == "unknown_owner"


def test_the_same_ids_in_two_tenants_are_two_accounts(acme: Tenant, rival: Tenant, post: Post) -> None:
    with tenant_scope(rival):
        Account.objects.create(external_id="a", name="Theirs")
    assert post("accounts", {"external_id": "a", "name": "Ours"})["created"] == 1
    assert accounts(rival, "name") == [("Theirs",)]
    assert accounts(acme, "name") == [("Ours",)]


def test_tickets_belong_to_known_accounts(acme: Tenant, post: Post) -> None:
    post("accounts", {"external_id": "a"}, {"external_id": "b"})
    answer = post(
        "tickets",
        {
            "external_id": 7,
            "account_id": "a",
            "opened_at": "2026-03-01T10:00:00+02:00",
            "severity": "high",
            "tags": ["api"],
        },
        {"external_id": "8", "account_id": "nowhere", "opened_at": "2026-03-01"},
        {"external_id": "9", "account_id": "a"},
        {"external_id": "10"},
    )
    assert answer["created"] == 1
    assert [(r["index"], r["code"], r["message"]) for r in answer["rejected"]] == [
        (1, "unknown_account", "account_id: there is no account “nowhere”"),
        (2, "invalid", "opened_at: is required"),
        (3, "invalid", "account_id: is required; opened_at: is required"),
    ]
    with tenant_scope(acme):
        first = Ticket.objects.get()
    later = post("tickets", {"external_id": "7", "resolved_at": "2026-03-02T00:00:00Z", "account_id": "b"})
    assert (later["created"], later["updated"]) == (0, 1)
    with tenant_scope(acme):
        row = Ticket.objects.select_related("account").get()
    assert (row.external_id, row.severity, row.tags) == ("7", "high", ["api"])
    assert (row.opened_at.isoformat(), row.resolved_at is None) == ("2026-03-01T08:00:00+00:00", False)
    assert (row.account.external_id, row.received_at) == ("b", first.received_at)


def test_invoices_are_stored(acme: Tenant, post: Post) -> None:
    post("accounts", {"external_id": "a"})
    item = {
        "external_id": "i",
        "account_id": "a",
        "amount_cents": -500,
        "currency": "USD",
        "due_on": "2026-05-01",
        "state": "failed",
    }
    assert post("invoices", item)["created"] == 1
    with tenant_scope(acme):
        row = Invoice.objects.get()
    assert (row.amount_cents, row.currency, row.due_on, row.paid_at, row.state) == (
        -500,
        "USD",
        date(2026, 5, 1),
        None,
        "failed",
    )
    post("invoices", {"external_id": "i", "state": None})
    with tenant_scope(acme):
        assert Invoice.objects.get().state == "open"


def item_of(resource: str, number: int) -> dict[str, Any]:
    item: dict[str, Any] = {"external_id": f"x{number}", "account_id": f"a{number}"}
    return {
        "accounts": {
            "external_id": f"x{number}",
            "parent_id": f"a{number}",
            "owner_email": "carl@acme.example",
        },
        "contacts": {"user_id": f"u{number}", "account_id": f"a{number}", "email": "a@b.example"},
        "subscriptions": {**item, "mrr_cents": number},
        "tickets": {**item, "opened_at": "2026-01-01"},
        "invoices": {**item, "amount_cents": number},
    }[resource]


@pytest.mark.parametrize("resource", ["accounts", "contacts", "subscriptions", "tickets", "invoices"])
def test_a_thousand_items_take_as_many_queries_as_one(
    acme: Tenant, post: Post, carl: Membership, resource: str
) -> None:
    post("accounts", *[{"external_id": f"a{n}"} for n in range(1000)])
    counts = []
    for items in ([item_of(resource, 0)], [item_of(resource, n) for n in range(1000)]):
        keys._cache.clear()  # it lasts a second, which may end in between
        with CaptureQueriesContext(connection) as queries:
            answer = post(resource, *items)
        assert answer["rejected"] == []
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 17


def test_bodies_of_another_shape_are_refused_as_a_whole(acme: Tenant, post: Post, client: Client) -> None:
    assert (
        post("accounts", *[{"external_id": str(n)} for n in range(1001)], status=400)["error"]["code"]
        == "too_many_items"
    )
    _key, raw = make_key(tenant=acme, name="test", scope="write")
    for body in ("[]", "null", "3", '"x"', "{}", '{"items": {}}', '{"items": [], "more": 1}'):
        answer = client.post(
            "/api/v1/accounts/bulk",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {raw}"},
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert accounts(acme, "external_id") == []
