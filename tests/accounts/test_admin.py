"""The tenant's admin: for admins of the tenant, fenced, in a fixed number of queries, on the audit log."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import (
    Account,
    AuditEntry,
    Contact,
    ContactMembership,
    Invoice,
    Job,
    Membership,
    Subscription,
    Tenant,
    Ticket,
    User,
)
from accounts.services import record_audit
from tests.conftest import make_member

pytestmark = pytest.mark.django_db
TABLES = ["account", "contact", "subscription", "ticket", "invoice", "auditentry"]
ADMIN = "/t/acme/admin/accounts"


@pytest.fixture
def admin(client: Client, alice: Membership) -> Client:
    client.force_login(alice.user)
    return client


def fill(tenant: Tenant, count: int, word: str = "Canary") -> None:
    """So many rows in every table, each with an account and a member of its own."""
    with tenant_scope(tenant):
        for number in range(count):
            member = make_member(tenant, f"{word}{tenant.slug}{number}".lower(), "csm")
            name = f"{word} {tenant.slug} {number}"
            account = Account.objects.create(external_id=name, name=name, owner=member, segment=name)
            Contact.objects.create(account=account, email=f"{word}{number}@{tenant.slug}.example")
            Subscription.objects.create(account=account, external_id=name, plan=name)
            Ticket.objects.create(account=account, external_id=name, opened_at=timezone.now())
            Invoice.objects.create(account=account, external_id=name)
            record_audit(tenant=tenant, actor=member, action=f"{word}.{number}", target=name)


@pytest.mark.parametrize("table", TABLES)
def test_lists_show_the_own_rows_in_a_fixed_number_of_queries(
    acme: Tenant, rival: Tenant, admin: Client, table: str
) -> None:
    fill(rival, 2, "Secret")
    counts = []
    for more in (1, 2):
        fill_from = timezone.now().strftime("%f")
        fill(acme, more, f"Own{fill_from}")
        with CaptureQueriesContext(connection) as queries:
            page = admin.get(f"{ADMIN}/{table}/")
        assert page.status_code == 200
        assert f"Own{fill_from}" in page.text
        assert "ecret" not in page.text
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("table", TABLES)
def test_searching_and_filtering_stays_inside(acme: Tenant, rival: Tenant, admin: Client, table: str) -> None:
    fill(acme, 1, "Own")
    fill(rival, 1, "Secret")
    with tenant_scope(rival):
        theirs = Account.objects.get()
    assert "Own" in admin.get(f"{ADMIN}/{table}/?q=own").text
    for query in (
        "q=secret",
        f"account__id__exact={theirs.pk}",
        f"owner={theirs.owner_id}",
        "stage__exact=active",
    ):
        page = admin.get(f"{ADMIN}/{table}/?{query}", follow=True)
        assert page.status_code == 200
        assert "Secret rival" not in page.text
    assert admin.get(f"{ADMIN}/{table}/?q=%00").status_code == 400  # no row has a NUL


def test_every_row_opens_and_others_do_not(acme: Tenant, rival: Tenant, admin: Client) -> None:
    fill(acme, 1, "Own")
    fill(rival, 1, "Secret")
    for model in (Account, Contact, Subscription, Ticket, Invoice, AuditEntry):
        name = model._meta.model_name
        with tenant_scope(acme):
            own = model.objects.latest("id").pk
        with tenant_scope(rival):
            other = model.objects.latest("id").pk
        page = admin.get(f"{ADMIN}/{name}/{own}/change/")
        assert page.status_code == 200
        assert "ecret" not in page.text
        gone = [admin.get(f"{ADMIN}/{name}/{pk}/change/", follow=True) for pk in (other, 10**9)]
        assert [page.redirect_chain[-1][0] for page in gone] == ["/t/acme/admin/"] * 2
        texts = [
            re.sub(r'value="\w{64}"', "", page.text).replace(f"“{pk}”", "N")
            for page, pk in zip(gone, (str(other), str(10**9)), strict=True)
        ]
        assert texts[0] == texts[1]


def test_an_account_is_added_changed_and_deleted_on_the_record(
    acme: Tenant, admin: Client, alice: Membership, carl: Membership
) -> None:
    blank = {
        "segment": "",
        "stage": "active",
        "plan": "",
        "plan_kind": "",
        "seats": "",
        "volume_limit": "",
        "mrr_cents": "5",
        "currency": "EUR",
        "go_live_on": "",
        "renewal_on": "",
        "churned_on": "",
        "parent": "",
        "touch_model": "",
        "tags": "a,b",
        "targets": "{}",
        "custom": "{}",
    }
    added = admin.post(
        f"{ADMIN}/account/add/", {**blank, "external_id": "x", "name": "Xenia", "owner": carl.pk}
    )
    assert added.status_code == 302
    with tenant_scope(acme):
        row = Account.objects.get()
    assert (row.name, row.name_search, row.owner_id, row.tags, row.tenant_id) == (
        "Xenia",
        "xenia",
        carl.pk,
        ["a", "b"],
        acme.pk,
    )
    changed = admin.post(
        f"{ADMIN}/account/{row.pk}/change/",
        {**blank, "external_id": "x", "name": "Xaver", "owner": "", "parent": ""},
    )
    assert changed.status_code == 302
    with tenant_scope(acme):
        assert Account.objects.values_list("name", "owner_id").get() == ("Xaver", None)
        Account.objects.create(external_id="child", name="child", parent=row)
    deleted = admin.post(f"{ADMIN}/account/{row.pk}/delete/", {"post": "yes"})
    assert deleted.status_code == 302
    with tenant_scope(acme):
        assert list(Account.objects.values_list("external_id", "parent_id")) == [("child", None)]
        entries = list(AuditEntry.objects.order_by("id").values_list("action", "target", "actor_id"))
    assert entries == [
        ("accounts.account.added", "account Xenia", alice.pk),
        ("accounts.account.changed", "account Xaver", alice.pk),
        ("accounts.account.deleted", "account Xaver", alice.pk),
    ]
    assert LogEntry.objects.count() == 0


def test_what_belongs_to_others_cannot_be_chosen(acme: Tenant, rival: Tenant, admin: Client) -> None:
    fill(rival, 1, "Secret")
    with tenant_scope(rival):
        theirs = Account.objects.get()
    with tenant_scope(acme):
        own = Account.objects.create(external_id="a", name="A")
    forms: list[tuple[str, dict[str, Any]]] = [
        ("account", {"external_id": "n", "name": "n", "stage": "x", "mrr_cents": "0", "parent": theirs.pk}),
        (
            "account",
            {"external_id": "n", "name": "n", "stage": "x", "mrr_cents": "0", "owner": theirs.owner_id},
        ),
        ("contact", {"account": theirs.pk, "name": "n"}),
        (
            "ticket",
            {
                "external_id": "n",
                "account": theirs.pk,
                "severity": "low",
                "opened_at_0": "2026-01-01",
                "opened_at_1": "10:00",
            },
        ),
        ("invoice", {"external_id": "n", "account": theirs.pk, "amount_cents": "1", "state": "open"}),
        ("subscription", {"external_id": "n", "account": theirs.pk, "mrr_cents": "1"}),
    ]
    extra = {"targets": "{}", "custom": "{}", "traits": "{}"}
    for table, values in forms:
        refused = admin.post(f"{ADMIN}/{table}/add/", {**extra, **values})
        assert refused.status_code == 200
        assert "Select a valid choice" in refused.text
        own_values = {
            k: (own.pk if v == theirs.pk else "" if v == theirs.owner_id else v) for k, v in values.items()
        }
        own_values = {
            k: (f"{v}{values.get('owner', '')}" if k == "external_id" else v) for k, v in own_values.items()
        }
        assert admin.post(f"{ADMIN}/{table}/add/", {**extra, **own_values}).status_code == 302


def test_an_id_that_is_taken_is_a_message_not_an_error(acme: Tenant, admin: Client) -> None:
    with tenant_scope(acme):
        Account.objects.create(external_id="a", name="A")
    page = admin.post(
        f"{ADMIN}/account/add/",
        {"external_id": "a", "name": "B", "stage": "x", "mrr_cents": "0", "targets": "{}", "custom": "{}"},
    )
    assert "Account with this External id already exists." in page.text


def test_an_account_below_another_cannot_become_its_parent(acme: Tenant, admin: Client) -> None:
    with tenant_scope(acme):
        top = Account.objects.create(external_id="top", name="top")
        low = Account.objects.create(external_id="low", name="low", parent=top)
    page = admin.post(
        f"{ADMIN}/account/{top.pk}/change/",
        {
            "external_id": "top",
            "name": "t",
            "stage": "x",
            "mrr_cents": "0",
            "targets": "{}",
            "custom": "{}",
            "parent": low.pk,
        },
    )
    assert "An account cannot be its own ancestor." in page.text


def test_autocomplete_offers_the_own_accounts(acme: Tenant, rival: Tenant, admin: Client) -> None:
    fill(acme, 1, "Same")
    fill(rival, 1, "Same")
    found = admin.get(
        "/t/acme/admin/autocomplete/",
        {"app_label": "accounts", "model_name": "contact", "field_name": "account", "term": "same"},
    ).json()
    assert [row["text"] for row in found["results"]] == ["Same acme 0"]


def test_a_contact_that_comes_to_an_account_is_on_the_timeline(acme: Tenant, admin: Client) -> None:
    with tenant_scope(acme):
        account = Account.objects.create(external_id="a", name="A")
    for values in ({"user_id": ""}, {"user_id": "", "account": account.pk}):
        assert admin.post(f"{ADMIN}/contact/add/", {"traits": "{}", **values}).status_code == 302
    with tenant_scope(acme):
        assert Contact.objects.filter(user_id=None).count() == 2
        assert list(ContactMembership.objects.values_list("account_id", "source")) == [(account.pk, "admin")]


@pytest.mark.parametrize("model", ["subscription", "ticket", "invoice"])
def test_what_is_added_says_nothing_of_what_the_database_fills_in(admin: Client, model: str) -> None:
    page = admin.get(f"/t/acme/admin/accounts/{model}/add/")
    assert page.status_code == 200
    assert 'name="external_id"' in page.text
    assert "DatabaseDefault" not in page.text
    assert "received_at" not in page.text


def test_saving_a_subscription_brings_its_account_up_to_date(acme: Tenant, admin: Client) -> None:
    with tenant_scope(acme):
        old, new = (Account.objects.create(external_id=name, name=name) for name in ("old", "new"))
    values = {"external_id": "s", "plan": "Pro", "seats": "4", "mrr_cents": "500", "currency": "EUR"}
    admin.post(f"{ADMIN}/subscription/add/", {**values, "account": old.pk})
    with tenant_scope(acme):
        pk = Subscription.objects.get().pk
    admin.post(f"{ADMIN}/subscription/{pk}/change/", {**values, "account": new.pk})
    with tenant_scope(acme):
        rows = list(Account.objects.order_by("id").values_list("external_id", "plan", "seats", "mrr_cents"))
    assert rows == [("old", "Pro", 4, 500), ("new", "Pro", 4, 500)]


def test_settings_lead_straight_to_their_one_row(admin: Client) -> None:
    page = admin.get(f"{ADMIN}/tenantsettings/", follow=True)
    assert page.status_code == 200
    assert re.search(r'name="nightly_hour" value="2"', page.text)
    assert admin.get(f"{ADMIN}/tenantsettings/add/").status_code == 403


def test_the_audit_log_can_only_be_read(acme: Tenant, admin: Client) -> None:
    fill(acme, 1)
    with tenant_scope(acme):
        pk = AuditEntry.objects.get().pk
    answers = [
        admin.post(f"{ADMIN}/auditentry/{what}", {"post": "yes"}).status_code
        for what in ("add/", f"{pk}/change/", f"{pk}/delete/")
    ]
    assert answers == [403, 403, 403]


@pytest.mark.parametrize("who", ["mona", "carl", "vera"])
def test_weaker_roles_are_refused(
    acme: Tenant, client: Client, request: pytest.FixtureRequest, who: str
) -> None:
    client.force_login(request.getfixturevalue(who).user)
    for path in ("/t/acme/admin/", f"{ADMIN}/account/", f"{ADMIN}/account/add/"):
        assert client.get(path, follow=True).status_code == 403


def test_visitors_are_led_to_the_login_and_strangers_find_nothing(
    acme: Tenant, rival: Tenant, client: Client
) -> None:
    assert client.get("/t/acme/admin/").headers["Location"] == "/accounts/login/?next=/t/acme/admin/"
    client.force_login(make_member(rival, "spy", "admin").user)
    assert client.get("/t/acme/admin/").status_code == 404
    assert client.get("/t/rival/admin/").status_code == 200


def test_a_platform_operator_has_no_right_inside_a_tenant(acme: Tenant, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@x.example", "x"))
    assert client.get("/t/acme/admin/").status_code == 404


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root@x.example", "x"))
    return client


@pytest.mark.django_db(transaction=True)
def test_the_operator_makes_a_tenant_and_lets_its_first_admin_in(operator: Client) -> None:
    made = operator.post(
        "/operator/accounts/tenant/add/",
        {"slug": "fresh", "name": "Fresh", "timezone": "Europe/Madrid", "language": "es", "currency": "EUR"},
    )
    assert made.status_code == 302
    tenant = Tenant.objects.get(slug="fresh")
    values = {"tenant": tenant.pk, "email": "first@fresh.example", "role": "admin"}
    assert operator.post("/operator/accounts/membership/add/", values).status_code == 302
    assert "is already a member" in operator.post("/operator/accounts/membership/add/", values).text
    member = Membership.objects.get(tenant=tenant)
    page = operator.post(
        f"/operator/accounts/membership/{member.pk}/change/", {"role": "csm", "is_active": "on"}
    )
    assert "A tenant needs at least one active admin." in page.text
    with tenant_scope(tenant):
        assert AuditEntry.objects.filter(action__startswith="member.").values_list(
            "action", "target"
        ).get() == (
            "member.added",
            "first@fresh.example",
        )
    assert (
        operator.post(
            f"/operator/accounts/tenant/{tenant.pk}/change/",
            {"name": "Fresher", "timezone": "America/Lima", "language": "es", "currency": "EUR"},
        ).status_code
        == 302
    )
    assert Tenant.objects.values_list("slug", "name", "timezone").get() == (
        "fresh",
        "Fresher",
        "America/Lima",
    )
    with tenant_scope(tenant):
        assert Job.objects.filter(kind="redate").values_list("state").get() == ("queued",)


def test_a_slug_that_is_taken_is_a_message(acme: Tenant, operator: Client) -> None:
    page = operator.post(
        "/operator/accounts/tenant/add/",
        {"slug": "acme", "name": "x", "timezone": "UTC", "language": "en", "currency": "EUR"},
    )
    assert "already exists" in page.text


def test_the_operator_makes_logins(operator: Client) -> None:
    values = {
        "email": "new@x.example",
        "usable_password": "true",
        "password1": "a long phrase",
        "password2": "a long phrase",
    }
    assert operator.post("/operator/accounts/user/add/", values).status_code == 302
    user = User.objects.get(email="new@x.example")
    assert user.check_password("a long phrase")
    assert operator.get(f"/operator/accounts/user/{user.pk}/change/").status_code == 200


def test_the_operators_site_is_for_superusers(alice: Membership, client: Client) -> None:
    assert client.get("/operator/").headers["Location"] == "/operator/login/?next=/operator/"
    assert client.get("/operator/", follow=True).redirect_chain[-1][0] == "/accounts/login/?next=/operator/"
    client.force_login(alice.user)
    assert client.get("/operator/", follow=True).status_code == 404


def test_pages_hold_to_the_policy(acme: Tenant, admin: Client) -> None:
    fill(acme, 1)
    with tenant_scope(acme):
        pk = Account.objects.get().pk
    for path in (
        "",
        "accounts/account/",
        f"accounts/account/{pk}/change/",
        f"accounts/account/{pk}/delete/",
        "accounts/contact/add/",
    ):
        page = admin.get(f"/t/acme/admin/{path}")
        assert page.status_code == 200
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not re.search(
            r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=\"", page.text
        )
