"""Signed links: what they open, and that everything else gets the same page that says nothing."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.utils import timezone

from accounts import public_pages
from accounts.api_limits import Allowance
from accounts.fence.scope import tenant_scope
from accounts.links import (
    LinkRefused,
    OpenedLink,
    _hash,
    _signer,
    count_opening,
    make_link,
    new_link,
    open_link,
    revoke_link,
)
from accounts.models import Account, Contact, Membership, SignedLink, Tenant

pytestmark = pytest.mark.django_db
ALPHABET = string.ascii_letters + string.digits + "-_.="


def account_of(tenant: Tenant, name: str = "Globex") -> Account:
    with tenant_scope(tenant):
        return Account.objects.create(external_id=name.lower(), name=name)


def link_of(tenant: Tenant, account: Account, object_id: int = 7, days: int = 30) -> tuple[SignedLink, str]:
    with tenant_scope(tenant):
        return make_link(tenant=tenant, purpose="pack", object_id=object_id, account=account, days=days)


def refused(token: str, purpose: str = "pack") -> bool:
    try:
        open_link(token=token, purpose=purpose)
    except LinkRefused:
        return True
    return False


def test_a_link_opens_what_it_was_made_for(acme: Tenant, carl: Membership) -> None:
    account = account_of(acme)
    with tenant_scope(acme):
        contact = Contact.objects.create(account=account, name="Dana")
        link, token = make_link(
            tenant=acme, purpose="pack", object_id=7, account=account, contact=contact, days=30, by=carl
        )
        again = open_link(token=token, purpose="pack")
    opened = open_link(token=token, purpose="pack")
    assert (opened.tenant, opened.link, opened.link.object_id) == (acme, link, 7)
    assert (opened.link.account.name, opened.link.contact) == ("Globex", contact)
    assert again.link == link
    assert link.expires_at - link.created_at == timedelta(days=30)


def test_the_token_is_stored_nowhere(acme: Tenant) -> None:
    _link, token = link_of(acme, account_of(acme))
    with tenant_scope(acme):
        (row,) = SignedLink.objects.values()
    secret = token.split(".")[1]
    assert not [value for value in row.values() if token in str(value) or secret in str(value)]


def test_no_changed_character_opens_anything(acme: Tenant) -> None:
    """20 tokens, every position, the neighbour in the alphabet and a character of another class."""
    account, tried = account_of(acme), 0
    for number in range(20):
        _link, token = link_of(acme, account, number)
        assert not refused(token)
        for position, was in enumerate(token):
            for other in {ALPHABET[ALPHABET.index(was) - 1], was.swapcase(), "~"} - {was}:
                assert refused(token[:position] + other + token[position + 1 :]), (token, position, other)
                tried += 1
        assert refused(token[:-1])
        assert refused(token + "A")
    assert tried > 20 * 70 * 2


def test_a_signature_alone_opens_nothing(acme: Tenant, rival: Tenant) -> None:
    """Whoever could sign still needs a row: the second door behind the first, in the tenant that the token names."""
    _link, token = link_of(acme, account_of(acme))
    tenant, secret, _signature = token.split(".")
    assert not refused(_signer("pack").sign(f"{tenant}.{secret}"))
    assert refused(_signer("pack").sign(f"{tenant}.{secret[:-1]}!"))
    assert refused(_signer("pack").sign(f"{rival.pk}.{secret}"))
    assert refused(_signer("pack").sign(f"zzzz.{secret}"))
    assert refused(_signer("pack").sign("not-a-number."))


def test_what_ended_was_taken_back_or_is_for_something_else_is_refused(acme: Tenant, rival: Tenant) -> None:
    account = account_of(acme)
    ended, ended_token = link_of(acme, account, days=1)
    back, back_token = link_of(acme, account)
    _kept, kept_token = link_of(acme, account)
    with tenant_scope(acme):
        first = revoke_link(tenant=acme, link_id=back.pk).revoked_at
        assert revoke_link(tenant=acme, link_id=back.pk).revoked_at == first
    assert refused(back_token)
    assert refused(kept_token, "survey")
    assert not refused(kept_token)
    with time_machine.travel(ended.expires_at, tick=False):
        assert refused(ended_token)
        assert not refused(kept_token)
    with tenant_scope(rival):
        assert refused(kept_token)  # inside another tenant's scope it is nobody's
        with pytest.raises(SignedLink.DoesNotExist):
            revoke_link(tenant=rival, link_id=back.pk)
    with tenant_scope(acme):
        Account.objects.filter(pk=account.pk).delete()
    assert refused(kept_token)


def test_links_outlive_a_change_of_the_secret_key(acme: Tenant, settings: object) -> None:
    _link, token = link_of(acme, account_of(acme))
    old = settings.SECRET_KEY  # type: ignore[attr-defined]
    with override_settings(SECRET_KEY="n" * 40, SECRET_KEY_FALLBACKS=[old]):
        assert not refused(token)
    with override_settings(SECRET_KEY="n" * 40, SECRET_KEY_FALLBACKS=[]):
        assert refused(token)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_the_days_have_limits(acme: Tenant, days: int) -> None:
    account = account_of(acme)
    with pytest.raises(ValidationError, match="365"), tenant_scope(acme):
        make_link(tenant=acme, purpose="pack", object_id=1, account=account, days=days)


def test_many_links_are_saved_at_once(acme: Tenant) -> None:
    account = account_of(acme)
    made = [new_link(tenant=acme, purpose="nps", object_id=n, account=account, days=14) for n in range(3)]
    with tenant_scope(acme):
        SignedLink.objects.bulk_create(link for link, _token in made)
    assert [open_link(token=token, purpose="nps").link.object_id for _link, token in made] == [0, 1, 2]
    assert {link.token_hash for link, _token in made} == {_hash(token) for _link, token in made}


# ── The doors of public pages ───────────────────────────────────────────────────────────────────────────────────

View = Callable[..., HttpResponse]


@public_pages.signed_page("pack")
def pack_page(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """A page that counts who looks."""
    if request.GET.get("gone"):
        raise LinkRefused
    with tenant_scope(opened.tenant):
        count_opening(tenant=opened.tenant, link=opened.link)
    return HttpResponse(opened.link.account.name)


def ask(token: str, query: str = "") -> HttpResponse:
    view: View = pack_page
    return view(RequestFactory().get(f"/x/{query}"), token=token)


def test_a_public_page_is_sealed_and_counts_who_looks(acme: Tenant) -> None:
    link, token = link_of(acme, account_of(acme))
    answer = ask(token)
    assert (answer.status_code, answer.content) == (200, b"Globex")
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    ask(token)
    with tenant_scope(acme):
        link.refresh_from_db()
    assert link.opened == 2
    assert link.last_opened_at is not None
    assert link.last_opened_at <= timezone.now()


def test_every_refusal_is_the_same_page_with_nothing_of_the_tenant(acme: Tenant) -> None:
    account = account_of(acme)
    link, token = link_of(acme, account)
    changed = ask("A" + token[1:] if token[0] != "A" else "B" + token[1:])
    gone = ask(token, "?gone=1")
    with tenant_scope(acme):
        revoke_link(tenant=acme, link_id=link.pk)
    taken_back, nonsense = ask(token), ask("x:y:z")
    pages = {answer.content for answer in (changed, gone, taken_back, nonsense)}
    assert {answer.status_code for answer in (changed, gone, taken_back, nonsense)} == {404}
    assert len(pages) == 1
    (page,) = pages
    assert b"Acme" not in page and b"Globex" not in page and token.encode() not in page
    assert changed.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_who_asks_too_often_waits(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    _link, token = link_of(acme, account_of(acme))
    counted: list[str] = []

    def count(key: str, limit: int | None = None) -> Allowance | None:
        counted.append(key)
        return Allowance(limit or 0, 2 - len(counted), 17)

    monkeypatch.setattr(public_pages, "count_request", count)
    assert [ask(token).status_code for _ in range(3)] == [200, 200, 429]
    answer = ask(token)
    assert answer.headers["Retry-After"] == "17"
    assert b"Globex" not in answer.content
    assert ask(token[:-3]).status_code == 404
    assert len(counted) == 4  # an invented token is not counted
    assert not [key for key in counted if token in key]
