"""A key that Chromium pretends to have: made with a person's finger on it, kept while the window is open."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page

from tests.conftest import PASSWORD

from .conftest import Visitor

DEVICE = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(visitor: Visitor) -> tuple[CDPSession, str]:
    """Give the window a device that holds passkeys; its session and number."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return session, str(made["authenticatorId"])


def prove(page: Page) -> None:
    """Whoever changes what protects a login shows once more that it is theirs; within five minutes only once."""
    page.wait_for_load_state()
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_load_state()


def add_passkey(page: Page, host: str, name: str) -> None:
    """Through the page; ends on the recovery codes when it was the first factor."""
    page.goto(f"{host}/accounts/2fa/webauthn/add/")
    prove(page)
    page.get_by_label("Name of the key").fill(name)
    page.get_by_label("Name of the key").press("Enter")  # asks the key, as the button does
    page.get_by_role("heading", name="Recovery codes").wait_for()
