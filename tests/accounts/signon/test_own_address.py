"""One's own address: it counts once its link was opened, both mailboxes are told, and nobody takes an unproven one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, Tenant, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/accounts/email/"
NEW = "carl.new@acme.example"


def log_in(email: str) -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302
    client.post(f"/accounts/reauthenticate/?next={PAGE}", {"password": PASSWORD})
    return client


def asked(client: Client, wanted: str = NEW) -> str:
    """Ask for an address; gives the path of the link that went there."""
    mail.outbox.clear()
    answer = client.post(PAGE, {"email": wanted})
    assert answer.status_code == 200 and "We have sent a link to" in answer.text
    found = [message for message in mail.outbox if message.to == [wanted.lower()]]
    links = re.findall(r"/accounts/email/confirm/\S+/", str(found[0].body)) if found else []
    return links[0] if links else ""


def test_the_new_address_counts_once_its_link_was_opened(
    acme: Tenant, rival: Tenant, carl: Membership
) -> None:
    Membership.objects.create(tenant=rival, user=carl.user, role="viewer")
    here, there = log_in("carl@acme.example"), log_in("carl@acme.example")
    assert here.get("/t/acme" + PAGE)["Location"].endswith(PAGE)
    again = here.post(PAGE, {"email": "CARL@acme.example"})
    assert again.status_code == 400 and "your address already" in again.text
    link = asked(here, NEW.upper())
    assert [message.to for message in mail.outbox] == [[NEW], ["carl@acme.example"]]
    assert "Another address was asked for" in mail.outbox[1].subject
    assert here.get(link).status_code == 200  # looking changes nothing
    carl.user.refresh_from_db()
    assert carl.user.email == "carl@acme.example" and not EmailAddress.objects.exists()
    mail.outbox.clear()
    done = here.post(link, follow=True)
    assert done.status_code == 200 and f"Your address is {NEW} now" in done.text
    carl.user.refresh_from_db()
    assert carl.user.email == NEW
    assert [message.to for message in mail.outbox] == [["carl@acme.example"], [NEW]]
    assert here.get("/t/acme/").status_code == 200 and there.get("/t/acme/").status_code == 302
    assert here.post(link).status_code == 404  # once
    log_in(NEW)
    assert (
        Client().post("/accounts/login/", {"login": "carl@acme.example", "password": PASSWORD}).status_code
        == 200
    )
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            entry = AuditEntry.objects.get(action="member.email_changed")
            assert entry.after == {"from": "carl@acme.example", "to": NEW}


def test_an_address_of_somebody_else_is_neither_taken_nor_told(carl: Membership, mona: Membership) -> None:
    client = log_in("carl@acme.example")
    assert asked(client, "mona@acme.example") == ""  # the page says the same, and no link goes out
    assert "has a login already" in mail.outbox[0].subject
    link = asked(client)
    User.objects.create_user(NEW, "a correct horse")  # meanwhile
    taken = client.post(link)
    assert taken.status_code == 409 and "has a login by now" in taken.text
    carl.user.refresh_from_db()
    assert carl.user.email == "carl@acme.example"


def test_a_link_opens_for_the_login_that_asked_and_until_its_password_changes(
    acme: Tenant, carl: Membership, mona: Membership
) -> None:
    link = asked(log_in("carl@acme.example"), "third@acme.example")
    assert Client().post(link)["Location"].startswith("/accounts/login/")
    assert log_in("mona@acme.example").post(link).status_code == 404
    assert log_in("carl@acme.example").post(link.replace("confirm/", "confirm/x")).status_code == 404
    stale = Client()
    stale.force_login(carl.user)  # a session that did not say its password lately
    for path, said in ((PAGE, {"email": NEW}), (link, {})):
        assert stale.post(path, said)["Location"].startswith("/accounts/reauthenticate/"), path
    carl.user.set_password(PASSWORD)
    carl.user.save()
    late = log_in("carl@acme.example").get(link)
    assert late.status_code == 404 and "A new password ends it too" in late.text
    assert set(User.objects.values_list("email", flat=True)) >= {"carl@acme.example", "mona@acme.example"}


def test_who_comes_in_by_the_companys_provider_only_is_told_where_to_change_it(
    acme: Tenant, carl: Membership
) -> None:
    client = log_in("carl@acme.example")
    link = asked(client, "fourth@acme.example")
    Tenant.objects.filter(pk=acme.pk).update(sign_on_only=True)
    mail.outbox.clear()
    for path, said in ((PAGE, {"email": NEW}), (link, {})):
        answer: Any = client.post(path, said)
        assert answer.status_code == 403 and "Ask an admin of your company" in answer.text
    assert mail.outbox == []
    Tenant.objects.filter(pk=acme.pk).update(sign_on_only=False)
    assert client.post(link).status_code == 302  # the control
