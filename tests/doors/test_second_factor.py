"""No door opens to half a sign-in: not after the password alone, not without a factor where a company asks for one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client

from accounts.invitations import password_link
from accounts.models import Membership, Tenant, User
from accounts.sealing import seal
from accounts.sessions import SIGNED_ON
from tests.conftest import PASSWORD, make_member
from tests.doors import table
from tests.doors.asking import lines
from tests.doors.discovery import PARAMETER, admin_pages, admin_routes
from tests.doors.world import unknown

pytestmark = pytest.mark.django_db(databases=["default", "dispatch"])
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NEW = "another correct horse"
# What half a sign-in is for: showing the factor, going back, leaving.
OPEN_TO_ALL = {"accounts/login/", "accounts/logout/", "accounts/inactive/", "accounts/2fa/authenticate/"}


def with_factor(user: User) -> None:
    """An authenticator app, as if it had been set up."""
    Authenticator.objects.create(user=user, type="totp", data={"secret": seal(SECRET)})


def code() -> str:
    return str(totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30)))


def half(member: Membership) -> Client:
    """A browser that has shown the password and not the factor."""
    client = Client(raise_request_exception=False)
    answer = client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    return client


def inside() -> Iterator[tuple[str, str]]:
    """Every route inside a tenant with its strongest method; what is refused at the door needs no real ids."""
    for door in table.TENANT:
        path = PARAMETER.sub(lambda match: str(unknown(door.params[match[1]])), door.route)  # noqa: B023
        yield ("post" if "POST" in door.needs else "get"), path
    for place, (route, _params) in enumerate(admin_pages()):
        yield ("post" if place % 2 else "get"), PARAMETER.sub("1", route)
    for route in table.ENTRANCE:
        if "^" not in route:
            yield "get", PARAMETER.sub("1", route)


def outside() -> Iterator[str]:
    """The same of what is outside tenants and not for everybody."""
    yield from table.LOGGED_IN
    for route in table.ENTRANCE:
        if "^" not in route:
            yield PARAMETER.sub("1", route)
    for route in admin_routes("operator/", table.OPERATOR_ADMIN, table.OPERATOR_ADMIN_OWN):
        if "^" not in route and "$" not in route:
            yield PARAMETER.sub("1", route)


def test_the_password_alone_opens_nothing(acme: Tenant, alice: Membership) -> None:
    """Whoever has a factor and has not shown it is a visitor at every door, even as an operator."""
    User.objects.filter(pk=alice.user_id).update(is_superuser=True)
    with_factor(alice.user)
    client, visitor = half(alice), Client(raise_request_exception=False)
    wrong: list[tuple[str, ...]] = []
    paths = list(inside())
    assert len(paths) > 300
    for method, path in paths:
        answer = getattr(client, method)(f"/t/acme/{path}")
        if answer.status_code != 302 or not answer["Location"].startswith("/accounts/login/?next=/t/acme/"):
            wrong.append(("inside", method, path, str(answer.status_code)))
    for path in outside():
        if path in OPEN_TO_ALL:
            continue
        status = half(alice).get(f"/{path}").status_code  # some pages end the attempt, so each has its own
        if status == 200 and visitor.get(f"/{path}").status_code != 200:
            wrong.append(("outside", "get", path, str(status)))
    for door in table.API:
        for method in door.needs:
            path = PARAMETER.sub(lambda match: str(unknown(door.params[match[1]])), door.route)  # noqa: B023
            if client.generic(method, f"/{path}", b"{}", content_type="application/json").status_code != 401:
                wrong.append(("api", method, path))
    assert lines(wrong) == ""
    assert client.get("/operator/").status_code == 302
    # The control: the same browser with the factor.
    assert client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 302
    assert client.get("/t/acme/tasks/").status_code == client.get("/operator/").status_code == 200


def test_where_a_factor_is_asked_for_nothing_opens_without_one(acme: Tenant, alice: Membership) -> None:
    """An admin who has none is led to where one is set up, at every door, the Django admin's too."""
    client = Client(raise_request_exception=False)
    client.force_login(alice.user)
    assert client.get("/t/acme/tasks/").status_code == 200
    Tenant.objects.filter(pk=acme.pk).update(second_factor_required=True)
    wrong: list[tuple[str, ...]] = []
    for method, path in inside():
        if path in ("accounts/login/", "accounts/logout/", "accounts/inactive/"):
            continue
        # As htmx asks: the same gate, without a message for each refusal.
        answer = getattr(client, method)(f"/t/acme/{path}", headers={"HX-Request": "true"})
        if answer.status_code != 204 or not answer["HX-Redirect"].startswith("/accounts/2fa/"):
            wrong.append((method, path, str(answer.status_code)))
    assert lines(wrong) == ""
    assert client.get("/t/acme/tasks/")["Location"] == "/accounts/2fa/?next=%2Ft%2Facme%2F"
    # A factor that this session has not shown opens as little.
    with_factor(alice.user)
    assert client.get("/t/acme/admin/")["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_a_new_password_is_not_a_factor(acme: Tenant, alice: Membership) -> None:
    """The link of a reset, and of an invitation that is opened late: both end where the factor is asked for."""
    with_factor(alice.user)
    for link in (
        f"/accounts/password/reset/key/{user_pk_to_url_str(alice.user)}-"
        f"{default_token_generator.make_token(alice.user)}/",
        password_link(alice.user),
    ):
        client = Client(raise_request_exception=False)
        form = client.get(link, follow=True)
        assert form.status_code == 200
        set_to = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW}, follow=True)
        assert set_to.status_code == 200
        assert client.get("/t/acme/").status_code == 302
        assert not get_user(client).is_authenticated  # only its session is asked
        alice.user.refresh_from_db()
        assert alice.user.check_password(NEW)
    logged = Client()
    answer = logged.post("/accounts/login/", {"login": alice.user.email, "password": NEW})
    assert answer["Location"] == "/accounts/2fa/authenticate/"


def test_an_invitation_to_a_company_with_factors_opens_it_with_one_only(acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(second_factor_required=True)
    new = make_member(acme, "new", "admin")
    new.user.set_unusable_password()
    new.user.save()
    client = Client()
    form = client.get(password_link(new.user), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW}, follow=True)
    client.post("/accounts/login/", {"login": new.user.email, "password": NEW})
    assert client.get("/t/acme/")["Location"].startswith("/accounts/2fa/")


def test_addresses_and_factors_are_not_changed_by_half_a_sign_in(acme: Tenant, alice: Membership) -> None:
    with_factor(alice.user)
    client = half(alice)
    for path, said in (
        ("email/", {"email": "thief@x.example"}),
        ("password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}),
        ("password/set/", {"password1": NEW, "password2": NEW}),
        ("2fa/totp/deactivate/", {}),
        ("2fa/recovery-codes/generate/", {}),
        ("2fa/totp/activate/", {"code": code()}),
        ("reauthenticate/", {"password": PASSWORD}),
    ):
        answer = client.post(f"/accounts/{path}", said)
        assert answer.status_code == 302 and "/accounts/login/" in answer["Location"], path
    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD) and alice.user.email.startswith("alice@")
    assert list(Authenticator.objects.values_list("type", flat=True)) == ["totp"]
    assert not any("thief" in to for message in mail.outbox for to in message.to)


def test_a_provider_opens_its_own_company_only(acme: Tenant, rival: Tenant, alice: Membership) -> None:
    """A provider's word counts as whatever it asks for; it is no way round the factors of another company."""
    Tenant.objects.filter(pk__in=[acme.pk, rival.pk]).update(second_factor_required=True)
    Membership.objects.create(tenant=rival, user=alice.user, role="admin")
    User.objects.filter(pk=alice.user_id).update(is_superuser=True)
    client = Client(raise_request_exception=False)
    client.force_login(alice.user)
    session: Any = client.session
    session[SIGNED_ON] = acme.pk
    session.save()
    assert client.get("/t/acme/tasks/").status_code == 200
    for path in ("/t/rival/", "/t/rival/admin/", "/operator/", "/operator/accounts/user/"):
        assert client.get(path).status_code == 404, path
    for path in ("/accounts/2fa/", "/accounts/password/change/", "/t/acme/accounts/2fa/totp/activate/"):
        assert client.get(path).status_code == 403, path
