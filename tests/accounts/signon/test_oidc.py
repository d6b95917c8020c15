"""OpenID Connect against a real provider: PKCE, state, nonce, issuer, audience, expiry, and whose address counts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from oidc_provider_mock import run_server_in_thread

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, SignOn, Tenant
from accounts.sealing import unseal
from accounts.services.signon import save_sign_on
from accounts.signon.checking import check
from accounts.signon.http import open_session
from tests.doors.asking import bare

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _plain_http() -> Iterator[None]:
    """The provider of the tests speaks http, which its library allows only when told."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    yield
    del os.environ["AUTHLIB_INSECURE_TRANSPORT"]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="module")
def stale_provider() -> Iterator[str]:
    """Its tokens have expired when they arrive."""
    with run_server_in_thread(access_token_max_age=timedelta(minutes=-10)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.OUTBOUND_TEST_LOOPBACK = True


def configure(tenant: Tenant, actor: Membership, issuer: str, **options: Any) -> SignOn:
    with tenant_scope(tenant):
        return save_sign_on(
            tenant=tenant,
            actor=actor,
            issuer=issuer,
            **{"protocol": "oidc", "is_enabled": True, "client_id": "ours", "secret": "s3cret"} | options,
        )


@pytest.fixture
def config(acme: Tenant, alice: Membership, provider: str) -> SignOn:
    return configure(acme, alice, provider)


def sign_on(client: Client, provider: str, email: str, *, verified: bool = True, **claims: Any) -> Any:
    """Begin, log in at the provider, come back."""
    return come_back(client, at_provider(begin(client), provider, email, verified=verified, **claims))


def begin(client: Client, path: str = "/sso/acme/go/") -> str:
    answer = client.get(path)
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def at_provider(address: str, provider: str, email: str, *, verified: bool = True, **claims: Any) -> str:
    """What the person does there; gives the address that the provider sends the browser to."""
    told = {"email": email, "email_verified": verified, **claims}
    requests.put(f"{provider}/users/{email}", json=told, timeout=5).raise_for_status()
    answer = requests.post(address, data={"sub": email}, allow_redirects=False, timeout=5)
    assert "Location" in answer.headers, answer.text[-2000:]
    return str(answer.headers["Location"])


def come_back(client: Client, address: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def refused(answer: Any, words: str) -> None:
    assert answer.status_code == 403, (answer.status_code, answer.get("Location"))
    assert words in answer.text, answer.text


def test_a_member_comes_in_with_pkce_state_and_nonce(
    acme: Tenant, config: SignOn, provider: str, carl: Membership
) -> None:
    client = Client()
    address = begin(client, "/sso/acme/go/?next=/t/acme/tasks/")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) >= 43
    assert len(asked["nonce"]) >= 32 and asked["state"] and asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://localhost:8000/sso/acme/callback/"
    back = at_provider(address, provider, "carl@acme.example")
    answer = come_back(client, back)
    assert (answer.status_code, answer["Location"]) == (302, "/t/acme/tasks/")
    assert client.get("/t/acme/me/security/").context["user"] == carl.user
    refused(come_back(client, back), "not begun in this browser")  # the state was used up
    with tenant_scope(acme):
        assert SignOn.objects.get().secret_sealed != "s3cret"
        assert unseal(SignOn.objects.get().secret_sealed) == "s3cret"
        saved = AuditEntry.objects.get(action="sign_on.saved")
        assert "s3cret" not in f"{saved.before} {saved.after}"


def test_the_state_belongs_to_one_browser(config: SignOn, provider: str, carl: Membership) -> None:
    back = at_provider(begin(Client()), provider, "carl@acme.example")
    refused(come_back(Client(), back), "not begun in this browser")


def test_an_address_that_was_not_verified_opens_nothing_unless_the_admin_says_so(
    acme: Tenant, alice: Membership, config: SignOn, provider: str, carl: Membership
) -> None:
    refused(sign_on(Client(), provider, "carl@acme.example", verified=False), "was verified")
    configure(acme, alice, provider, vouches=True)
    assert sign_on(Client(), provider, "carl@acme.example", verified=False).status_code == 302


def test_a_token_for_another_application_is_refused(
    acme: Tenant, alice: Membership, config: SignOn, provider: str, carl: Membership
) -> None:
    client = Client()
    back = at_provider(begin(client), provider, "carl@acme.example")
    address = urlsplit(back)
    # The provider made the code for “ours”; in the meantime the company's application is another one.
    with tenant_scope(acme):
        SignOn.objects.update(client_id="another")
    answer = client.get(f"{address.path}?{address.query}")
    assert answer.status_code == 403
    assert client.get("/t/acme/").status_code == 302


def test_nonce_audience_and_issuer_are_compared(
    acme: Tenant, config: SignOn, provider: str, carl: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    back = at_provider(begin(client), provider, "carl@acme.example")
    session = client.session
    states = session["socialaccount_states"]
    for state in states.values():
        state[0]["nonce"] = "of somebody else"
    session["socialaccount_states"] = states
    session.save()
    refused(come_back(client, back), "nonce")
    with monkeypatch.context() as patch:
        import jwt

        real = jwt.decode
        patch.setattr(jwt, "decode", lambda *a, **k: real(*a, **k | {"audience": "somebody else"}))
        refused(sign_on(Client(), provider, "carl@acme.example"), "another application")
        patch.setattr(jwt, "decode", lambda *a, **k: real(*a, **k | {"issuer": "somebody else"}))
        refused(sign_on(Client(), provider, "carl@acme.example"), "another issuer")
    assert sign_on(Client(), provider, "carl@acme.example").status_code == 302


def test_expired_tokens_are_refused(
    acme: Tenant, alice: Membership, stale_provider: str, carl: Membership
) -> None:
    configure(acme, alice, stale_provider)
    refused(sign_on(Client(), stale_provider, "carl@acme.example"), "expired")


def test_a_provider_of_another_name_or_none_is_refused_in_words(
    acme: Tenant, alice: Membership, provider: str, config: SignOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(one.good for one in check(config)), check(config)
    with tenant_scope(acme):
        SignOn.objects.update(issuer="http://127.0.0.1:9")
    refused(Client().get("/sso/acme/go/"), "does not answer as it should")
    with tenant_scope(acme):
        wrong = [one.words for one in check(SignOn.objects.get()) if not one.good]
    assert len(wrong) == 1 and "127.0.0.1:9" in wrong[0]
    monkeypatch.setattr(
        "accounts.signon.checking._fetched", lambda _address: ({"issuer": "https://evil.example"}, "")
    )
    assert any("https://evil.example" in one.words for one in check(config))


def test_addresses_of_inner_networks_are_not_called(settings: Any) -> None:
    settings.OUTBOUND_TEST_LOOPBACK = False
    for address in (
        "http://127.0.0.1:80/",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
        "file:///etc/passwd",
    ):
        with open_session() as session, pytest.raises(requests.RequestException):
            session.get(address)


def test_a_company_without_sign_on_is_as_unknown_as_any(acme: Tenant, rival: Tenant) -> None:
    for path in ("", "go/", "callback/", "finish/", "metadata/"):
        first, second = (bare(Client().get(f"/sso/{slug}/{path}")) for slug in ("acme", "nobody"))
        assert first == second
        assert first[0] == 404


def test_the_login_page_offers_the_way_of_the_company_that_was_asked_for(
    acme: Tenant, rival: Tenant, config: SignOn
) -> None:
    client = Client()
    answer = client.get("/t/acme/accounts/login/", follow=True)
    assert answer.redirect_chain == [("/accounts/login/?next=/t/acme/", 302)]
    assert 'href="/sso/acme/go/?next=/t/acme/"' in answer.text
    assert "/sso/" not in client.get("/accounts/login/?next=/t/rival/").text
    assert "/sso/" not in client.get("/accounts/login/").text
