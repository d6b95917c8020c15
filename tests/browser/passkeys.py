"""A key that Chromium pretends to have: made with a person's finger on it, kept while the window is open."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page

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


def add_passkey(page: Page, host: str, name: str) -> None:
    """Through the page; ends on the recovery codes when it was the first factor."""
    page.goto(f"{host}/accounts/2fa/webauthn/add/")
    page.get_by_label("Name of the key").fill(name)
    page.get_by_label("Name of the key").press("Enter")  # asks the key, as the button does
    page.get_by_role("heading", name="Recovery codes").wait_for()
