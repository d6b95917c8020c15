"""SAML against a real provider: who is let in, and everything that is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, SignOn, Tenant, User
from accounts.services import is_waiting
from accounts.services.signon import save_sign_on
from accounts.signon.saml import metadata_xml
from tests.accounts.signon.saml_provider import ENTITY, SSO, Keys, SamlProvider, make_keys
from tests.conftest import make_member

pytestmark = pytest.mark.django_db
ACS, FINISH = "/sso/acme/acs/", "/sso/acme/finish/"
Make = Callable[..., SamlProvider]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("idp"), "provider")


@pytest.fixture
def make(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Make:
    def made(keys: Keys, **options: Any) -> SamlProvider:
        return SamlProvider(keys, metadata_xml(acme).decode(), monkeypatch, **options)

    return made


@pytest.fixture
def config(acme: Tenant, alice: Membership, keys: Keys) -> SignOn:
    with tenant_scope(acme):
        return save_sign_on(
            tenant=acme, actor=alice, protocol="saml", issuer=ENTITY, is_enabled=True, label="Acme login",
            sso_url=SSO, certificate=keys.pem, domains=["acme.example"], new_member_role="csm",
        )  # fmt: skip


def begin(client: Client) -> str:
    answer = client.get("/sso/acme/go/?next=/t/acme/accounts/")
    assert answer.status_code == 302, answer.content
    assert answer["Location"].startswith(SSO)
    return str(answer["Location"])


def hand_in(client: Client, told: str) -> Any:
    posted = client.post(ACS, {"SAMLResponse": told})
    assert posted.status_code == 302
    return client.get(FINISH)


def refused(answer: Any, words: str) -> None:
    assert answer.status_code == 403
    assert words in answer.text, answer.text


def test_a_member_comes_in_and_sees_this_company_only(
    acme: Tenant, rival: Tenant, config: SignOn, keys: Keys, make: Make, carl: Membership
) -> None:
    Membership.objects.create(tenant=rival, user=carl.user, role="admin")
    client = Client()
    address = begin(client)
    answer = hand_in(client, make(keys).answer(address, "Carl@acme.example"))
    assert (answer.status_code, answer["Location"]) == (302, "/t/acme/accounts/")
    assert client.get("/t/acme/me/security/").status_code == 200
    # The same login is an admin of rival, and this session knows nothing of it.
    assert client.get("/t/rival/").status_code == 404
    assert client.get("/", follow=True).redirect_chain == [("/t/acme/", 302)]
    for path in ("/accounts/password/change/", "/accounts/2fa/", "/accounts/email/", "/t/acme/accounts/2fa/"):
        assert client.get(path).status_code == 403, path
    assert b"rival" not in client.get("/t/acme/").content.lower()
    with tenant_scope(acme):
        entry = AuditEntry.objects.get(action="member.signed_in")
        assert (entry.door, entry.actor_id, entry.address) == ("signon", carl.pk, "127.0.0.1")


@pytest.mark.django_db(databases=["default", "dispatch"])
def test_an_operator_by_a_companys_provider_operates_nothing(
    acme: Tenant, config: SignOn, keys: Keys, make: Make, carl: Membership
) -> None:
    User.objects.filter(pk=carl.user_id).update(is_superuser=True, is_staff=True)
    client = Client()
    hand_in(client, make(keys).answer(begin(client), "carl@acme.example"))
    with_password = Client()
    with_password.force_login(User.objects.get(pk=carl.user_id))
    for place in ("/operator/", "/operator/platform/"):
        assert client.get(place).status_code == 404
        assert with_password.get(place).status_code == 200
    assert client.post(f"/operator/platform/{acme.pk}/suspend/", {"reason": "x"}).status_code == 404
    assert Tenant.objects.get(pk=acme.pk).suspended_at is None


def test_strangers_become_members_only_from_the_listed_domains(
    acme: Tenant, config: SignOn, keys: Keys, make: Make
) -> None:
    provider, client = make(keys), Client()
    assert hand_in(client, provider.answer(begin(client), "new@acme.example")).status_code == 302
    made = Membership.objects.get(tenant=acme, user__email="new@acme.example")
    assert made.role == "csm" and not is_waiting(made)
    other = Client()
    refused(hand_in(other, provider.answer(begin(other), "new@other.example")), "is not a member")
    assert not User.objects.filter(email="new@other.example").exists()


def test_another_companys_member_is_nobody_here(
    acme: Tenant, rival: Tenant, config: SignOn, keys: Keys, make: Make
) -> None:
    theirs = make_member(rival, "rita", "admin")
    client = Client()
    refused(hand_in(client, make(keys).answer(begin(client), theirs.user.email)), "is not a member")
    assert client.get("/t/rival/").status_code == 302
    with tenant_scope(acme):
        entry = AuditEntry.objects.get(action="member.sign_in_failed")
        assert "is not a member" in entry.after["why"]


def test_the_subject_decides_once_it_is_known(
    acme: Tenant, config: SignOn, keys: Keys, make: Make, carl: Membership, vera: Membership
) -> None:
    provider = make(keys)
    first, again, thief = Client(), Client(), Client()
    assert hand_in(first, provider.answer(begin(first), "carl@acme.example", subject="1")).status_code == 302
    # Carl was given another address at the provider; somebody else was given his.
    hand_in(again, provider.answer(begin(again), "vera@acme.example", subject="1"))
    assert again.get("/t/acme/me/security/").context["user"] == carl.user
    answer = hand_in(thief, provider.answer(begin(thief), "carl@acme.example", subject="2"))
    refused(answer, "bound to another identity")


def test_switched_off_members_stay_outside(
    acme: Tenant, config: SignOn, keys: Keys, make: Make, carl: Membership
) -> None:
    Membership.objects.filter(pk=carl.pk).update(is_active=False)
    client = Client()
    refused(hand_in(client, make(keys).answer(begin(client), "carl@acme.example")), "switched off")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"signed": False}, "not signed"),
        ({"audience": "https://somebody-else.example/metadata"}, "not a valid audience"),
        ({"in_response_to": "another-request"}, "InResponseTo"),
    ],
)
def test_assertions_that_are_not_for_us_are_refused(
    config: SignOn, keys: Keys, make: Make, carl: Membership, options: dict[str, Any], words: str
) -> None:
    client = Client()
    refused(hand_in(client, make(keys).answer(begin(client), "carl@acme.example", **options)), words)
    assert client.get("/t/acme/").status_code == 302


def test_expired_answers_are_refused_and_clocks_may_differ_a_little(
    config: SignOn, keys: Keys, make: Make, carl: Membership
) -> None:
    client = Client()
    refused(
        hand_in(client, make(keys, minutes=-20).answer(begin(client), "carl@acme.example")), "not accepted"
    )


def test_a_foreign_key_and_a_changed_name_are_refused(
    config: SignOn, keys: Keys, make: Make, carl: Membership, alice: Membership, tmp_path: Path
) -> None:
    client = Client()
    forged = make(make_keys(tmp_path, "thief")).answer(begin(client), "alice@acme.example")
    refused(hand_in(client, forged), "Signature validation failed")
    told = base64.b64decode(make(keys).answer(begin(client), "carl@acme.example")).decode()
    assert "carl@acme.example" in told
    changed = base64.b64encode(told.replace("carl@acme.example", "alice@acme.example").encode()).decode()
    refused(hand_in(client, changed), "Signature validation failed")


def test_an_answer_is_good_once_and_only_in_the_browser_that_asked(
    config: SignOn, keys: Keys, make: Make, carl: Membership, acme: Tenant, alice: Membership
) -> None:
    provider, client, other = make(keys), Client(), Client()
    told = provider.answer(begin(client), "carl@acme.example")
    refused(hand_in(other, told), "not begun in this browser")
    assert hand_in(client, told).status_code == 302
    refused(hand_in(client, told), "not begun in this browser")
    # Even where sign-on may begin at the provider, the same answer works once.
    with tenant_scope(acme):
        save_sign_on(
            tenant=acme, actor=alice, protocol="saml", issuer=ENTITY, is_enabled=True, sso_url=SSO,
            certificate=keys.pem, starts_elsewhere=True,
        )  # fmt: skip
    unasked = provider.answer(begin(Client()), "carl@acme.example", unasked=True)
    third, fourth = Client(), Client()
    assert hand_in(third, unasked).status_code == 302
    refused(hand_in(fourth, unasked), "used before")


def test_what_is_no_saml_at_all_is_refused_in_words(config: SignOn) -> None:
    client = Client()
    assert client.post(ACS, {}).status_code == 400
    begin(client)
    refused(hand_in(client, base64.b64encode(b"<not-saml/>").decode()), "not accepted")
    begin(client)
    refused(hand_in(client, "%%%"), "cannot be read")
    assert client.get(FINISH).status_code == 403


def test_our_metadata_can_be_read_before_it_is_switched_on(acme: Tenant, config: SignOn) -> None:
    with tenant_scope(acme):
        SignOn.objects.update(is_enabled=False)
    told = Client().get("/sso/acme/metadata/").text
    assert "http://localhost:8000/sso/acme/acs/" in told
    assert 'WantAssertionsSigned="true"' in told
    assert Client().get("/sso/acme/").status_code == 404
