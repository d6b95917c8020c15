"""The operator's page, and companies that sign themselves up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.keys import _cache, authenticate, make_key
from accounts.models import AuditEntry, Membership, OperatorEntry, Tenant, User
from accounts.signup import SALT, free_slug, slug_of
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "dispatch"])


@pytest.fixture
def root() -> Client:
    """A browser of the platform's operator."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@x.example", PASSWORD))
    return client


def test_the_operator_sees_companies_and_queues(root: Client, acme: Tenant, rival: Tenant) -> None:
    page = root.get("/operator/platform/")
    assert page.status_code == 200
    for text in ("Acme", "Rival", "Oldest of them", "Size of the database"):
        assert text in page.text
    assert "Rival" not in root.get("/operator/platform/?q=acme").text


def test_a_company_is_suspended_with_a_reason_and_opened_again(
    root: Client, acme: Tenant, alice: Membership
) -> None:
    client = Client()
    client.force_login(alice.user)
    _key, raw = make_key(tenant=acme, name="k", scope="ingest")
    assert root.post(f"/operator/platform/{acme.pk}/suspend/", {"reason": " "}).status_code == 302
    assert client.get("/t/acme/team/").status_code == 200
    root.post(f"/operator/platform/{acme.pk}/suspend/", {"reason": "not paid"})
    _cache.clear()
    assert client.get("/t/acme/team/").status_code == 403
    assert authenticate(raw) is None
    root.post(f"/operator/platform/{acme.pk}/resume/", {"reason": "paid"})
    assert client.get("/t/acme/team/").status_code == 200
    assert authenticate(raw) is not None
    with tenant_scope(acme):
        said = AuditEntry.objects.order_by("id").values_list("action", "after__reason")
        assert list(said) == [("company.suspended", "not paid"), ("company.resumed", "paid")]
    assert OperatorEntry.objects.filter(company="acme").count() == 2


def test_the_operator_comes_in_with_a_reason_for_an_hour_and_only_reads(root: Client, acme: Tenant) -> None:
    assert root.get("/t/acme/team/").status_code == 404
    root.post(f"/operator/platform/{acme.pk}/enter/", {"reason": "ticket 7"})
    assert root.get("/t/acme/team/").status_code == 200
    assert "Support of the platform" in root.get("/t/acme/team/").text
    assert root.post("/t/acme/team/", {"emails": "x@x.example"}).status_code == 403
    with tenant_scope(acme):
        entry = AuditEntry.objects.get(action="support.entered")
        assert (entry.after or {})["reason"] == "ticket 7"
    Membership.objects.filter(tenant=acme).update(support_until=timezone.now() - timedelta(seconds=1))
    assert root.get("/t/acme/team/").status_code == 404


# ── Signing up ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_short_names_come_from_names(acme: Tenant) -> None:
    assert slug_of("  Café & Söhne, S.L. ") == "cafe-sohne-sl"
    assert slug_of("日本") == ""
    assert free_slug("ACME") == "acme-2"


def test_nobody_signs_up_where_it_is_not_allowed() -> None:
    assert Client().get("/signup/").status_code == 404
    assert Client().get(f"/signup/{signing.dumps(['X', 'x@x.example'], salt=SALT)}/").status_code == 404


def test_a_company_signs_itself_up_by_a_link_and_only_once(settings: Any) -> None:
    settings.SIGNUP_OPEN = True
    client = Client()
    assert "/signup/" in client.get("/accounts/login/").text
    # A browser posts the form of a page without a referrer from nowhere, which the token's check refuses.
    assert client.get("/signup/").headers["Referrer-Policy"] == "same-origin"
    assert client.post("/signup/", {"company": "日本", "email": "new@x.example"}).status_code == 400
    assert client.post("/signup/", {"company": "New Co", "email": "New@x.example"}).status_code == 200
    assert not Tenant.objects.filter(name="New Co").exists()
    (letter,) = mail.outbox
    assert letter.to == ["new@x.example"]
    found = re.search(r"https?://[^/]+(/signup/\S+)", letter.body)
    assert found
    path = found[1]
    page = client.get(path)
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "same-origin")
    assert client.post(path, {"name": "Nina", "timezone": "Nowhere", "password": PASSWORD}).status_code == 400
    said = {"name": "Nina", "timezone": "Europe/Madrid", "password": PASSWORD}
    assert client.post(path, said | {"password": "1"}).status_code == 400
    done = client.post(path, said)
    assert (done.status_code, done.headers["Location"]) == (302, "/t/new-co/")
    assert client.get("/t/new-co/team/").status_code == 200
    member = Membership.objects.get(tenant__slug="new-co")
    assert (member.role, member.user.email, member.user.check_password(PASSWORD)) == (
        "admin",
        "new@x.example",
        True,
    )
    assert Client().post(path, said).headers["Location"].startswith("/accounts/login/")
    assert Tenant.objects.filter(name="New Co").count() == 1
    assert Client().get("/signup/not:a:token/").status_code == 404


def test_a_known_address_keeps_its_password(settings: Any, alice: Membership) -> None:
    settings.SIGNUP_OPEN = True
    path = f"/signup/{signing.dumps(['Second', alice.user.email], salt=SALT)}/"
    page = Client().get(path)
    assert 'name="password"' not in page.text
    done = Client().post(path, {"timezone": "UTC", "password": "taken over by a link"})
    assert done.headers["Location"].startswith("/accounts/login/")
    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD)
    assert Membership.objects.get(tenant__slug="second").user == alice.user
