"""A real Chromium against a real server: pages as people get them, with the policy on."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from tests.conftest import PASSWORD, make_member, make_tenant
from tests.workspace.world import World, make_world

from .barriers import AXE

SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
RUN_AXE = """async () => {
  const result = await window.axe.run(document, {resultTypes: ['violations']});
  return result.violations.filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | '));
}"""
expect.set_options(timeout=20_000)  # a machine that runs other tests beside these answers late, not wrongly
ROLES = {"alice": "admin", "mona": "manager", "carl": "csm", "vera": "viewer"}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; CHROMIUM names another one."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "These tests need Chromium: apt-get install chromium, or set CHROMIUM to its path."
    # Playwright keeps an event loop in this thread, and Django takes that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def company(transactional_db: None) -> World:
    """Acme with the four roles and a believable book of accounts, committed."""
    tenant = make_tenant("acme", language="en")
    members = {name: make_member(tenant, name, role) for name, role in ROLES.items()}
    with tenant_scope(tenant):
        return make_world(tenant, members["carl"], count=12, history=60)


@pytest.fixture
def empty_company(transactional_db: None) -> Tenant:
    """A company on its first day."""
    tenant = make_tenant("acme", language="en")
    for name, role in ROLES.items():
        make_member(tenant, name, role)
    return tenant


class Visitor:
    """A person at a browser: signs in, opens pages, and remembers every complaint of the browser."""

    def __init__(self, browser: Browser, host: str, *, theme: str = "light", width: int = 1360) -> None:
        self.host = host
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            locale="en-US",
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, name: str) -> None:
        """Through the login page."""
        self.page.goto(f"{self.host}/accounts/login/")
        self.page.get_by_label("Email").fill(f"{name}@acme.example")
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(
            re.compile(r"/t/acme/(get-started/)?$")
        )  # a new company begins with its first steps
        if self.page.locator(
            "[data-lazy]"
        ).count():  # a part that comes by itself; leaving would end its request
            self.page.wait_for_load_state("networkidle")

    def open(self, path: str) -> None:
        """A page of the company, loaded to the end."""
        self.page.goto(f"{self.host}/t/acme/{path}")
        self.page.wait_for_load_state("networkidle")

    def barriers(self) -> list[str]:
        """What axe calls serious or critical on the page that is open."""
        # Evaluated by the debugger and so not subject to the page's policy, unlike a script element.
        self.page.evaluate(AXE.read_text(encoding="utf-8") + ";undefined")
        return [f"{self.page.url} {barrier}" for barrier in self.page.evaluate(RUN_AXE)]

    def leave(self) -> None:
        """Close the window."""
        self.context.close()
