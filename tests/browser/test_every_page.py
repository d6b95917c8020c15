"""Every page of the house in a browser: nothing serious for axe, nothing wider than the window, no complaint.

The long form asks for each page of the doors table in both themes on a desk and on a phone; a new page is in it by itself.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import keys as key_cache
from tests.doors import table
from tests.doors.asking import address
from tests.doors.world import World, make_world

from .conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])]
# Answers that are no page of ours: files, feeds, mails in their own look, parts of pages.
NO_PAGE = (
    "export",
    ".csv",
    ".xlsx",
    ".yaml",
    ".pdf",
    ".png",
    ".zip",
    ".css",
    "/html/",
    "/mail/",
    "bell/",
    "panel/",
    "live/",
)


STOP = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
  const text = e.textContent.trim().slice(0, 40);
  return {outline: s.outlineStyle, shadow: s.boxShadow, width: b.width, tag: e.tagName, text};
})()"""


def pages() -> list[table.Door]:
    """The doors that answer with a page."""
    return [
        door
        for door in table.TENANT
        if "GET" in door.needs and not any(part in door.route for part in NO_PAGE)
    ]


@pytest.fixture
def acme() -> World:
    """A company with one of everything."""
    key_cache._cache.clear()
    world = make_world("acme")
    for role, member in world.members.items():
        member.user.language = "es" if role == "manager" else "en"
        member.user.save()
    return world


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("role", "theme", "width"),
    [("admin", "light", 1360), ("manager", "dark", 1360), ("manager", "light", 390), ("admin", "dark", 390)],
)
def test_no_page_at_all_has_a_barrier(
    role: str, theme: str, width: int, live_server: LiveServer, acme: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    visitor.sign_in(role)
    faults: list[str] = []
    for door in pages():
        if role == "manager" and door.needs["GET"] == "admin":
            continue
        path = address(door, acme).removeprefix("/")
        answer = visitor.page.goto(f"{live_server.url}/t/acme/{path}")
        visitor.page.wait_for_load_state("networkidle")
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            faults.append(f"{door.route}: no page")
            continue
        faults += [f"{door.route}: {barrier}" for barrier in visitor.barriers()]
        wider = visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wider > 0:
            faults.append(f"{door.route}: {wider} pixels too wide")
    faults += [f"console: {text}" for text in visitor.complaints]
    visitor.leave()
    assert "\n".join(faults) == ""


def focused(page: Page) -> str:
    """What has the focus, in words for a fault."""
    return str(
        page.evaluate(
            "(document.activeElement.id || document.activeElement.textContent || '').trim().slice(0, 60)"
        )
    )


def test_everything_is_reached_by_keyboard_alone(
    live_server: LiveServer, acme: World, chromium: Browser
) -> None:
    """Skip link, visible focus, dialogs that keep it and give it back, menus, help, a retry after a failure."""
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("admin")
    visitor.open("components/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    # Every stop of the tabulator can be seen.
    seen = 0
    for _stop in range(40):
        page.keyboard.press("Tab")
        style = page.evaluate(STOP)
        if style["tag"] == "BODY":
            break
        assert style["outline"] != "none" or style["shadow"] != "none", (
            f"no visible focus: {json.dumps(style)}"
        )
        assert style["width"] > 0, json.dumps(style)
        seen += 1
    assert seen > 20
    # A dialog keeps the focus and gives it back.
    opener = page.get_by_role("button", name="Open a dialog")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="A form beside the page")
    expect(dialog).to_be_visible()
    for _stop in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement.closest('dialog') !== null || document.activeElement === document.body"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    # The help of a page, and a menu.
    page.get_by_role("button", name="About this page").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="About this page")).to_be_visible()
    page.keyboard.press("Escape")
    menu = page.get_by_role("button", name="Menu", exact=True)
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".specimens .dropdown-menu.show")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    # What fails is said, with a way to try again; without a connection the banner says so.
    page.route("**/notifications/panel/", lambda route: route.abort())
    page.locator(".tool.bell").press("Enter")
    toast = page.locator(".toast-card", has_text="The server could not be reached")
    expect(toast).to_be_visible()
    page.unroute("**/notifications/panel/")
    toast.get_by_role("button", name="Try again").press("Enter")
    expect(toast).to_have_count(0)
    expect(page.locator("#bell-panel .bell-head")).to_be_attached()
    visitor.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    visitor.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    assert [text for text in visitor.complaints if "net::ERR" not in text and "htmx:" not in text] == []
    visitor.leave()
