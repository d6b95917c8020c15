"""The ceremony of passkeys in Chromium: led to one, kept out without, in by it alone, as a second factor, and by a code."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Tenant
from tests.conftest import PASSWORD

from .conftest import Visitor
from .passkeys import add_passkey, prove, with_authenticator

pytestmark = pytest.mark.browser
# Pages, parts of pages and the Django admin alike.
CLOSED = (
    "",
    "tasks/",
    "accounts/",
    "admin/",
    "admin/accounts/account/",
    "notifications/panel/",
    "accounts/export.csv",
)


def sign_in_with_password(page: Page, host: str, name: str) -> None:
    page.goto(f"{host}/accounts/login/")
    page.get_by_label("Email").fill(f"{name}@acme.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def show_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


def test_a_company_that_asks_for_a_factor_gets_a_passkey(
    live_server: LiveServer, empty_company: Tenant, chromium: Browser
) -> None:
    Tenant.objects.update(second_factor_required=True)
    host, today = live_server.url, re.compile(r"/t/acme/(get-started/)?$")
    visitor = Visitor(chromium, host)
    page = visitor.page
    session, device = with_authenticator(visitor)

    # Led to enrol, and nowhere else.
    sign_in_with_password(page, host, "alice")
    expect(page.get_by_role("heading", name="Second factors")).to_be_visible()
    expect(page.get_by_text("Acme asks for a second factor.")).to_be_visible()
    for path in CLOSED:
        answer = page.goto(f"{host}/t/acme/{path}")
        assert answer is not None
        assert "/accounts/2fa/" in page.url, path

    add_passkey(page, host, "My laptop")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I kept them").click()
    expect(page.get_by_text("1 key")).to_be_visible()
    page.get_by_role("link", name="Back to work").click()
    page.wait_for_url(today)

    # By itself, without a password.
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(today)
    assert (page.goto(f"{host}/t/acme/admin/") or pytest.fail("no answer")).status == 200

    # After the password, as the second factor.
    page.goto(f"{host}/t/acme/glossary/")
    sign_out(page)
    sign_in_with_password(page, host, "alice")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.goto(f"{host}/t/acme/admin/")  # the password alone opens nothing
    assert page.url.startswith(f"{host}/accounts/2fa/authenticate/")
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.wait_for_url(today)

    # The key is gone: a code lets in once; the last factor stays while the company asks for one.
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    sign_out(page)
    sign_in_with_password(page, host, "alice")
    show_code(page, codes[3])
    page.wait_for_url(today)
    sign_out(page)
    sign_in_with_password(page, host, "alice")
    show_code(page, codes[3])
    expect(page.locator("#id_code_error")).to_be_visible()
    show_code(page, codes[4])
    page.wait_for_url(today)
    page.goto(f"{host}/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove").click()
    prove(page)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Your company asks for a second factor, so the last one stays.")).to_be_visible()
    Tenant.objects.update(second_factor_required=False)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No key yet.")).to_be_visible()

    # The password alone is enough again.
    page.goto(f"{host}/t/acme/glossary/")
    sign_out(page)
    sign_in_with_password(page, host, "alice")
    page.wait_for_url(today)
    assert visitor.complaints == []
    visitor.leave()
