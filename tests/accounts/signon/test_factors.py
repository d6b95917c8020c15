"""Second factors: enrolment, asking, enforcement everywhere, reset; sessions that end; limits on guessing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal import flows
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, Outbox, Role, SignOn, Tenant, User
from accounts.services import change_role, deactivate_member, reset_factors
from accounts.services.signon import set_access_rules
from accounts.sessions import device_words, end_all_sessions
from tests.conftest import PASSWORD, make_member

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _commit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test never commits; what waits for that happens when the flow is through, as it does for people."""
    waiting: list[Callable[[], None]] = []
    activate = flows.activate_totp

    def through(*args: Any) -> Any:
        done = activate(*args)
        while waiting:
            waiting.pop(0)()
        return done

    monkeypatch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: waiting.append(work))
    monkeypatch.setattr(flows, "activate_totp", through)


def log_in(member: Membership, password: str = PASSWORD, **options: Any) -> tuple[Client, Any]:
    client = Client(headers={"User-Agent": FIREFOX}, **options)
    answer = client.post("/accounts/login/", {"login": member.user.email, "password": password})
    return client, answer


def code(secret: str, step: int = 0) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + step))


def enrol(client: Client) -> str:
    """Set up an authenticator app as a person does; gives the secret."""
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    if "reauthenticate" in page.request["PATH_INFO"]:
        page = client.post(
            page.request["PATH_INFO"] + "?next=/accounts/2fa/totp/activate/",
            {"password": PASSWORD},
            follow=True,
        )
    secret = str(page.context["form"].secret)
    done = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert done.status_code == 302, done.content
    return secret


def with_factor(member: Membership) -> tuple[Client, str]:
    client, _answer = log_in(member)
    return client, enrol(client)


def actions(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_an_app_is_set_up_asked_for_and_its_secret_is_sealed(acme: Tenant, carl: Membership) -> None:
    client, secret = with_factor(carl)
    stored = Authenticator.objects.get(type="totp")
    assert secret not in str(stored.data)
    codes = client.get("/accounts/2fa/recovery-codes/")
    recovery = codes.context["unused_codes"][0]
    assert recovery in codes.text and len(codes.context["unused_codes"]) == 10
    assert recovery not in str(Authenticator.objects.get(type="recovery_codes").data)

    again, answer = log_in(carl)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert again.get("/t/acme/").status_code == 302  # the password alone is nobody
    page = again.get("/accounts/2fa/authenticate/")
    assert page.status_code == 200 and "recovery codes" in page.text
    assert "passkey" not in page.text  # who has none is not asked for one
    assert again.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert again.get("/t/acme/").status_code == 302
    assert again.post("/accounts/2fa/authenticate/", {"code": code(secret, 1)}).status_code == 302
    assert again.get("/t/acme/").status_code == 200

    by_recovery, _answer = log_in(carl)
    by_recovery.post("/accounts/2fa/authenticate/", {"code": recovery})
    assert by_recovery.get("/t/acme/").status_code == 200
    third, _answer = log_in(carl)
    third.post("/accounts/2fa/authenticate/", {"code": recovery})  # each once
    assert third.get("/t/acme/").status_code == 302
    found = actions(acme)
    assert found.count("member.factor_added") == 2 and "member.sign_in_failed" in found
    assert any("authenticator app" in message.body for message in mail.outbox)


def test_a_company_that_asks_for_a_factor_opens_nothing_without_one(
    acme: Tenant, rival: Tenant, alice: Membership
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(second_factor_required=True)
    Membership.objects.create(tenant=rival, user=alice.user, role="admin")
    client, _answer = log_in(alice)
    for path in (
        "/t/acme/",
        "/t/acme/admin/",
        "/t/acme/admin/login/",
        "/t/acme/accounts/export.csv",
        "/t/acme/keys/",
    ):
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/?next=%2Ft%2Facme%2F"), (
                path
            )
    part = client.get("/t/acme/", headers={"HX-Request": "true"})
    assert (part.status_code, part.content) == (204, b"")
    assert part["HX-Redirect"].startswith("/accounts/2fa/")
    assert client.get("/t/rival/tasks/").status_code == 200  # another company asks for none
    secret = enrol(client)
    assert client.get("/t/acme/admin/").status_code == 200
    # Another session that was there before has not shown it yet.
    other = Client()
    other.force_login(alice.user)
    assert other.get("/t/acme/")["Location"].startswith("/accounts/2fa/reauthenticate/")
    shown = other.post("/accounts/2fa/reauthenticate/?next=/t/acme/", {"code": code(secret, 1)})
    assert shown["Location"] == "/t/acme/"
    assert other.get("/t/acme/tasks/").status_code == 200
    # The last factor stays while the company asks for one.
    refused = client.post("/accounts/2fa/totp/deactivate/")
    assert "so the last one stays" in refused.text and Authenticator.objects.filter(type="totp").exists()


def test_nobody_takes_an_address_that_is_not_proven(acme: Tenant, rival: Tenant, carl: Membership) -> None:
    """Else the next company that invites this address would open itself to Carl."""
    client, _answer = log_in(carl)
    wanted = "boss@rival.example"
    for place in ("/accounts/email/", "/t/acme/accounts/email/"):
        for data in ({"action_add": "", "email": wanted}, {"action_primary": "", "email": wanted}):
            client.post(place, data)
    carl.user.refresh_from_db()
    assert carl.user.email == "carl@acme.example"
    assert not EmailAddress.objects.exists()  # allauth would find the login by it
    assert Client().post("/accounts/login/", {"login": wanted, "password": PASSWORD}).status_code == 200
    assert client.get("/accounts/password/change/").status_code == 200


def test_the_admins_have_no_login_of_their_own(acme: Tenant, alice: Membership, settings: Any) -> None:
    root = User.objects.create_superuser("root@x.example", PASSWORD)
    for path in ("/operator/login/", "/operator/", "/t/acme/admin/login/", "/t/acme/admin/"):
        answer = Client().post(path, {"username": "root@x.example", "password": PASSWORD})
        assert answer.status_code == 302, path
        assert answer["Location"].startswith(("/accounts/login/", "/operator/login/?next=")), path
    Authenticator.objects.create(user=root, type="totp", data={"secret": "sealed"})
    client = Client()
    answer = client.post(
        "/accounts/login/?next=/operator/", {"login": "root@x.example", "password": PASSWORD}
    )
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/operator/").status_code == 302
    # Where operators need a factor, one without it is led to set it up.
    settings.OPERATOR_SECOND_FACTOR = True
    Authenticator.objects.all().delete()
    client = Client()
    client.force_login(root)
    for path in ("/operator/", "/operator/login/", "/operator/accounts/tenant/", "/operator/platform/"):
        assert client.get(path)["Location"].startswith("/accounts/2fa/"), path


def test_only_by_sign_on_leaves_admins_with_a_factor_a_way_in(
    acme: Tenant, alice: Membership, carl: Membership
) -> None:
    with tenant_scope(acme):
        SignOn.objects.create(issuer="https://idp.example", is_enabled=True)
    admin, _secret = with_factor(alice)
    with tenant_scope(acme):
        set_access_rules(tenant=acme, actor=alice, second_factor_required=False, sign_on_only=True)
    worker, _secret = with_factor(carl)
    answer = worker.get("/t/acme/")
    assert (answer.status_code, answer["Location"]) == (302, "/sso/acme/")
    assert "single sign-on" in worker.get("/sso/acme/").text
    assert admin.get("/t/acme/tasks/").status_code == 200
    without = Client()
    without.force_login(alice.user)
    assert without.get("/t/acme/")["Location"] == "/sso/acme/"


def test_a_reset_takes_factors_and_sessions_and_tells_the_person(
    acme: Tenant, rival: Tenant, alice: Membership, carl: Membership
) -> None:
    client, _secret = with_factor(carl)
    assert client.get("/t/acme/").status_code == 200
    admin = Client()
    admin.force_login(alice.user)
    answer = admin.post(f"/t/acme/settings/sign-on/members/{carl.pk}/reset/")
    assert answer.status_code == 302
    assert not Authenticator.objects.filter(user=carl.user).exists()
    assert client.get("/t/acme/").status_code == 302  # ended at once
    with tenant_scope(acme):
        assert AuditEntry.objects.get(action="member.factors_reset").before == {
            "factors": ["recovery_codes", "totp"]
        }
        letter = Outbox.objects.get(kind="email")
        assert letter.payload["to"] == [carl.user.email] and "Alice" in letter.payload["text"]
    # Factors of a login that opens another company too are not this admin's to take.
    _again, _secret = with_factor(carl)
    Membership.objects.create(tenant=rival, user=carl.user, role="viewer")
    admin.post(f"/t/acme/settings/sign-on/members/{carl.pk}/reset/")
    assert Authenticator.objects.filter(user=carl.user).exists()


def test_sessions_are_listed_and_end_one_by_one_or_all_at_once(acme: Tenant, carl: Membership) -> None:
    one, _answer = log_in(carl)
    two, _answer = log_in(carl)
    three, _answer = log_in(carl)
    page = one.get("/t/acme/me/security/")
    assert page.text.count("Firefox on Linux") == 3 and page.text.count("this one") == 1
    assert [row["current"] for row in page.context["sessions"]].count(True) == 1
    other = next(
        row["row"] for row in page.context["sessions"] if row["row"].session_key == two.session.session_key
    )
    one.post("/t/acme/me/security/end/", {"session": other.pk})
    assert two.get("/t/acme/").status_code == 302
    assert three.get("/t/acme/").status_code == 200
    one.post("/t/acme/me/security/end-others/")
    assert three.get("/t/acme/").status_code == 302
    assert one.get("/t/acme/").status_code == 200
    assert one.get("/t/acme/me/security/").text.count("Firefox on Linux") == 1
    assert actions(acme).count("member.sessions_ended") == 2


def test_a_session_is_written_seldom(acme: Tenant, carl: Membership) -> None:
    client, _answer = log_in(carl)
    before = UserSession.objects.get().last_seen_at
    client.get("/t/acme/me/security/")
    assert UserSession.objects.get().last_seen_at == before
    session = client.session
    session["seen_at"] = int(time.time()) - 301
    session.save()
    client.get("/t/acme/me/security/")
    assert UserSession.objects.get().last_seen_at > before


def test_password_role_and_access_take_effect_at_once(
    acme: Tenant, alice: Membership, carl: Membership
) -> None:
    here, _answer = log_in(carl)
    there, _answer = log_in(carl)
    with tenant_scope(acme):
        change_role(tenant=acme, member=carl, role=Role.ADMIN, actor=alice)
    assert here.get("/t/acme/keys/").status_code == 200
    with tenant_scope(acme):
        change_role(tenant=acme, member=carl, role=Role.VIEWER, actor=alice)
    assert here.get("/t/acme/keys/").status_code == 403
    new = "another correct horse"
    here.post("/accounts/reauthenticate/?next=/accounts/password/change/", {"password": PASSWORD})
    changed = here.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert changed.status_code == 302
    assert there.get("/t/acme/").status_code == 302
    assert here.get("/t/acme/").status_code == 200
    with tenant_scope(acme):
        deactivate_member(tenant=acme, member=carl, actor=alice)
    assert here.get("/t/acme/").status_code == 302  # no company is left, so the session ended
    assert {"member.password_changed", "member.deactivated"} <= set(actions(acme))


def test_ending_all_reaches_sessions_that_have_no_row(carl: Membership) -> None:
    client = Client()
    client.force_login(carl.user)
    assert client.get("/t/acme/").status_code == 200
    end_all_sessions(carl.user)
    assert client.get("/t/acme/").status_code == 302


def test_guessing_is_limited_and_said_in_words(acme: Tenant, carl: Membership, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.SIGN_IN_LIMITS
    where = {"REMOTE_ADDR": f"2001:db8:{carl.pk % 9999}::1"}
    seen = [log_in(carl, "wrong", **where)[1] for _try in range(6)]
    assert "Too many attempts failed" in seen[-1].text
    assert "Too many attempts failed" in log_in(carl, **where)[1].text  # the right password does not help now
    assert actions(acme).count("member.sign_in_failed") == 5
    assert log_in(make_member(acme, "dora", "csm"), **where)[1].status_code == 302  # others of the address


def test_who_somebody_is_at_another_company_is_not_told(acme: Tenant, carl: Membership) -> None:
    Client().post("/accounts/login/", {"login": "nobody@x.example", "password": "x"})
    assert actions(acme) == []


def test_reset_refuses_platform_operators(acme: Tenant, alice: Membership, carl: Membership) -> None:
    User.objects.filter(pk=carl.user_id).update(is_superuser=True)
    carl.user.refresh_from_db()
    from django.core.exceptions import ValidationError

    with tenant_scope(acme), pytest.raises(ValidationError):
        reset_factors(tenant=acme, member=carl, actor=alice)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("curl/8.5", "curl"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_as_people_know_them(told: str, words: str) -> None:
    assert device_words(told) == words
