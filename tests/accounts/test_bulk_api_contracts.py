"""Bulk upserts of what hangs on accounts: subscriptions add up, contacts are found again and move."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import (
    Contact,
    ContactMembership,
    Subscription,
    Tenant,
)
from tests.accounts.conftest import Post, accounts

pytestmark = pytest.mark.django_db


def test_subscriptions_roll_up_into_their_accounts(acme: Tenant, post: Post) -> None:
    post(
        "accounts",
        {"external_id": "a", "plan": "old", "seats": 1, "mrr_cents": 1},
        {"external_id": "b", "mrr_cents": 7},
    )
    post(
        "subscriptions",
        {
            "external_id": "s1",
            "account_id": "a",
            "plan": "Base",
            "seats": 10,
            "mrr_cents": 9000,
            "currency": "EUR",
            "starts_on": "2020-01-01",
            "renews_on": "2099-06-01",
        },
        {
            "external_id": "s2",
            "account_id": "a",
            "plan": "Add-on",
            "seats": 5,
            "mrr_cents": 1000,
            "currency": "EUR",
            "renews_on": "2099-03-01",
        },
        {
            "external_id": "s3",
            "account_id": "a",
            "plan": "Other money",
            "seats": 99,
            "mrr_cents": 8000,
            "currency": "USD",
        },
        {"external_id": "s4", "account_id": "a", "plan": "Gone", "mrr_cents": 99999, "ends_on": "2021-01-01"},
        {
            "external_id": "s5",
            "account_id": "a",
            "plan": "Not yet",
            "mrr_cents": 99999,
            "starts_on": "2098-01-01",
        },
    )
    found = ("external_id", "plan", "seats", "mrr_cents", "currency", "renewal_on")
    assert accounts(acme, *found) == [
        ("a", "Base", 15, 10000, "EUR", date(2099, 3, 1)),
        ("b", "", None, 7, "", None),
    ]
    post("subscriptions", {"external_id": "s2", "account_id": "b"})
    assert accounts(acme, *found) == [
        ("a", "Base", 10, 9000, "EUR", date(2099, 6, 1)),
        ("b", "Add-on", 5, 1000, "EUR", date(2099, 3, 1)),
    ]
    post("subscriptions", {"external_id": "s2", "ends_on": "2021-01-01"})
    assert accounts(acme, *found)[1] == ("b", "Add-on", None, 0, "EUR", None)
    with tenant_scope(acme):
        assert Subscription.objects.count() == 5


def test_contacts_are_found_by_user_else_by_address(acme: Tenant, post: Post) -> None:
    post("accounts", {"external_id": "a"}, {"external_id": "b"})
    answer = post(
        "contacts",
        {"account_id": "a", "user_id": "u1", "email": "Ann@X.example", "name": "Ann", "roles": ["champion"]},
        {"account_id": "a", "email": "bob@x.example"},
        {"account_id": "b", "email": "bob@x.example"},
        {"user_id": "u2"},
        {"email": "alone@x.example"},
        {"account_id": "zz", "user_id": "u3"},
    )
    assert (answer["created"], answer["updated"]) == (4, 0)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (4, "invalid"),
        (5, "unknown_account"),
    ]
    again = post(
        "contacts",
        {"user_id": "u1", "roles": None},
        {"account_id": "a", "email": "BOB@x.example", "user_id": "u4", "name": "Bob"},
        {"account_id": "b", "email": "bob@x.example", "name": "Other Bob"},
        {"account_id": "b", "user_id": "u2"},
        {"account_id": "a", "email": "ann@x.example", "user_id": "another ann"},
    )
    assert (again["created"], again["updated"]) == (1, 4)
    with tenant_scope(acme):
        rows = list(
            Contact.objects.order_by("id").values_list(
                "account__external_id", "user_id", "email", "name", "roles"
            )
        )
        joined = list(
            ContactMembership.objects.order_by("contact_id").values_list(
                "contact__user_id", "account__external_id"
            )
        )
    assert rows == [
        ("a", "u1", "ann@x.example", "Ann", []),
        ("a", "u4", "bob@x.example", "Bob", []),
        ("b", None, "bob@x.example", "Other Bob", []),
        ("b", "u2", "", "", []),
        ("a", "another ann", "ann@x.example", "", []),
    ]
    assert joined == [("u1", "a"), ("u4", "a"), (None, "b"), ("u2", "b"), ("another ann", "a")]


def test_what_is_said_about_an_alias_is_said_about_the_contact_it_became(acme: Tenant, post: Post) -> None:
    with tenant_scope(acme):
        kept = Contact.objects.create(user_id="known")
        Contact.objects.create(user_id="anonymous", merged_into=kept)
    assert post("contacts", {"user_id": "anonymous", "name": "Zoe"})["updated"] == 1
    with tenant_scope(acme):
        assert list(Contact.objects.order_by("id").values_list("user_id", "name")) == [
            ("known", "Zoe"),
            ("anonymous", ""),
        ]


def test_a_contact_that_moves_keeps_both_memberships(acme: Tenant, post: Post) -> None:
    post("accounts", {"external_id": "a"}, {"external_id": "b"})
    for account in ("a", "a", "b"):
        post("contacts", {"user_id": "u", "account_id": account})
    with tenant_scope(acme):
        rows = list(
            ContactMembership.objects.order_by("since").values_list("account__external_id", flat=True)
        )
    assert rows == ["a", "b"]
