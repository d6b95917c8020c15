"""Every page of the house in a browser: nothing for axe, nothing too wide, no focus that is not seen, no complaint.

The long form opens each door of the table in both themes on a desk and on a phone, then at 320 pixels and with text twice
as large; a new page is in it by itself. Each case takes a part of the pages, so that it ends within some minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client, RequestFactory
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts import errors
from accounts import keys as key_cache
from accounts.models import Membership, Tenant, User
from accounts.sessions import SIGNED_ON
from tests.conftest import PASSWORD
from tests.doors.world import World, make_world

from . import places
from .barriers import faults
from .conftest import Visitor
from .passkeys import add_passkey, prove, with_authenticator
from .places import Place

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "dispatch"])]
PARTS = 4
LIMIT = 900  # seconds for a part, on a machine that does other things as well

STOP = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
  const text = e.textContent.trim().slice(0, 40), out = parseFloat(s.outlineOffset) + parseFloat(s.outlineWidth);
  let cut = false;  // the ring above and below, by a strip that scrolls
  for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
    const strip = p.getBoundingClientRect(), clips = getComputedStyle(p).overflowY !== 'visible';
    cut = cut || (clips && b.top - out < strip.top && b.bottom + out > strip.bottom);
  }
  return {cut, outline: s.outlineStyle, shadow: s.boxShadow, width: b.width, tag: e.tagName, text};
})()"""

# With a contrast theme on: what is told by a background, by a colour that is none, by a tick in white.
TOLD = """(() => {
  const style = selector => getComputedStyle(document.querySelector(selector));
  return {
    chosen: style('.segmented > :is([aria-current], [aria-pressed="true"])').forcedColorAdjust,
    done: style('.tick.is-done .icon').visibility,
    open: style('button.tick:not(.is-done) .icon').visibility, meter: style('.meter').borderTopStyle,
    row: style('tr.is-open > *').borderLeftWidth,
  };
})()"""


@pytest.fixture
def acme() -> World:
    """A company with one of everything; the manager and the viewer read Spanish."""
    key_cache._cache.clear()
    world = make_world("acme")
    for role, member in world.members.items():
        member.user.language = "es" if role in ("manager", "viewer") else "en"
        member.user.save()
    return world


def asked(visitor: Visitor, found: list[Place]) -> Iterator[str]:
    """What is wrong on these pages."""
    for place in found:
        answer = visitor.page.goto(visitor.host + place.path)
        visitor.page.wait_for_load_state("networkidle")
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            yield f"{place.route}: no page"
            continue
        yield from (f"{place.route}: {fault}" for fault in faults(visitor.page))


def crawl(visitor: Visitor, found: list[Place]) -> str:
    """Ask these pages; the faults, one a line, with what the console said."""
    assert found
    wrong = list(asked(visitor, found))
    # A page that says 404 or 403 is looked at as well, and the browser tells that in its console.
    said = [text for text in visitor.complaints if "the server responded with a status of 40" not in text]
    visitor.leave()
    return "\n".join([*wrong, *(f"console: {text}" for text in said)])


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", ["admin", "manager", "csm", "viewer"])
def test_no_page_at_all_has_a_barrier(
    role: str, part: int, live_server: LiveServer, acme: World, chromium: Browser
) -> None:
    everything = places.inside(acme, role)
    assert len(everything) > 100
    found = places.pages(everything[part::PARTS], acme.client(role))
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in(role)
    assert crawl(visitor, found) == ""


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("part", range(2))
def test_the_first_day_has_no_barrier(
    part: int, live_server: LiveServer, empty_company: Tenant, chromium: Browser
) -> None:
    client = Client()
    client.force_login(User.objects.get(email="alice@acme.example"))
    everything = places.of_the_first_day("admin")
    assert len(everything) > 60
    found = places.pages(everything[part::2], client)
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("alice")
    assert crawl(visitor, found) == ""


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_admin_has_no_barrier(part: int, live_server: LiveServer, acme: World, chromium: Browser) -> None:
    everything = places.of_the_admin(acme)
    assert len(everything) > 60
    found = places.pages(everything[part::PARTS], acme.client("admin"), closed=(403, 405))
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("admin")
    assert crawl(visitor, found) == ""


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
def test_the_operators_pages_have_no_barrier(live_server: LiveServer, acme: World, chromium: Browser) -> None:
    User.objects.filter(email="admin@acme.example").update(is_superuser=True, is_staff=True)
    found = places.pages(places.of_the_operator(acme), acme.client("admin"), closed=(403,))
    assert len(found) > 10
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("admin")
    assert crawl(visitor, found) == ""


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
def test_what_visitors_see_has_no_barrier(
    live_server: LiveServer, acme: World, chromium: Browser, settings: Any
) -> None:
    settings.SIGNUP_OPEN = True
    visitor = Visitor(chromium, live_server.url)
    assert crawl(visitor, places.of_visitors(acme)) == ""


def another_address(visitor: Visitor) -> list[str]:
    """What is wrong on the way to another address: the mail, its link, one that is none, a provider that keeps it."""
    page, confirm = visitor.page, "/accounts/email/confirm/"
    page.goto(f"{visitor.host}/accounts/email/")
    page.get_by_label("New e-mail address").fill("new@acme.example")
    page.get_by_label("New e-mail address").press("Enter")
    expect(page.get_by_text("We have sent a link to")).to_be_visible()
    wrong = [f"address, sent: {fault}" for fault in faults(page)]
    letter = next(str(message.body) for message in mail.outbox if message.to == ["new@acme.example"])
    link = re.search(confirm + r"\S+/", letter)
    assert link is not None
    wrong += asked(visitor, [Place("address, link", link.group())])
    expect(page.get_by_role("button", name="Use this address")).to_be_visible()
    Tenant.objects.filter(slug="rival").update(sign_on_only=True)
    wrong += asked(visitor, [Place("address, kept", "/accounts/email/")])
    expect(page.get_by_role("heading", name="Your company keeps your address")).to_be_visible()
    Tenant.objects.filter(slug="rival").update(sign_on_only=False)
    wrong += asked(visitor, [Place("address, no link", f"{confirm}none/")])
    return wrong


def answers() -> dict[str, str]:
    """Pages that tell of something that broke, as the handlers write them."""
    request = RequestFactory().get("/")
    made = {
        "400": errors.bad_request(request),
        "500": errors.server_error(request),
        "503": errors.unavailable(request, "maintenance", ""),
    }
    return {code: answer.content.decode() for code, answer in made.items()}


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
def test_refusals_and_errors_have_no_barrier(
    live_server: LiveServer, acme: World, chromium: Browser, settings: Any
) -> None:
    """403, 404, a form that was open too long, too many attempts, a suspended company, and what broke on our side."""
    visitor = Visitor(chromium, live_server.url)
    page, wrong = visitor.page, list[str]()
    for code, text in answers().items():
        page.route(
            f"**/broken/{code}/",
            lambda route, _request, text=text: route.fulfill(body=text, content_type="text/html"),
        )
        wrong += asked(visitor, [Place(code, f"/broken/{code}/")])
    page.goto(f"{live_server.url}/accounts/login/")
    visitor.context.clear_cookies()
    page.get_by_role("button", name="Sign in", exact=True).evaluate("button => button.form.submit()")
    expect(page.get_by_role("heading", name="This page was open too long")).to_be_visible()
    wrong += [f"403 of a form: {fault}" for fault in faults(page)]
    settings.SIGN_ON_PER_MINUTE = 1
    wrong += asked(visitor, [Place("/sso/acme/go/", "/sso/acme/go/")] * 2)
    visitor.sign_in("viewer")
    wrong += asked(visitor, [Place("403", "/t/acme/keys/"), Place("404", "/t/acme/nothing/")])
    Tenant.objects.filter(slug="acme").update(suspended_at="2026-01-01T00:00Z")
    wrong += asked(visitor, [Place("suspended", "/t/acme/")])
    signed_on = acme.client("csm")  # who reads English
    session = signed_on.session
    session[SIGNED_ON] = acme.tenant.pk
    session.save()
    name = settings.SESSION_COOKIE_NAME
    visitor.context.add_cookies(
        [{"name": name, "value": signed_on.cookies[name].value, "url": live_server.url}]
    )
    wrong += asked(visitor, [Place("a session of single sign-on", "/accounts/email/")])
    expect(page.get_by_role("heading", name="Closed to this session")).to_be_visible()
    visitor.leave()
    assert "\n".join(wrong) == ""


@pytest.mark.full
@pytest.mark.timeout(LIMIT)
def test_signing_on_has_no_barrier(live_server: LiveServer, acme: World, chromium: Browser) -> None:
    """Password, factors, passkeys, recovery codes, sessions: the pages of somebody who protects a login."""
    make_world("rival")
    Membership.objects.create(
        tenant=Tenant.objects.get(slug="rival"), user=acme.members["csm"].user, role="viewer"
    )
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    with_authenticator(visitor)
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("Email").fill("csm@acme.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Choose a company").wait_for()
    wrong = [f"companies: {fault}" for fault in faults(page)]
    page.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    wrong += [f"is it you: {fault}" for fault in faults(page)]
    prove(page)
    before = places.BEFORE_FACTORS
    wrong += asked(visitor, [Place(f"before {rest}", f"/accounts/2fa/{rest}") for rest in before])
    add_passkey(page, live_server.url, "My laptop")
    wrong += [f"codes: {fault}" for fault in faults(page)]
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/")
    rows = [link.get_attribute("href") or "" for link in page.locator("main li a").all()]
    TOTP.activate(acme.members["csm"].user, generate_totp_secret())  # an app as well, to take it away again
    found = [*(f"/accounts/{rest}" for rest in places.WITH_FACTORS), *rows]
    found += ["/t/acme/me/security/"]
    wrong += asked(visitor, [Place(path, path) for path in found])
    wrong += another_address(visitor)
    page.goto(f"{live_server.url}/accounts/logout/")
    page.locator("main").get_by_role("button", name=re.compile("Sign out")).click()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("Email").fill("csm@acme.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Second factor").wait_for()
    wrong += [f"second factor: {fault}" for fault in faults(page)]
    visitor.leave()
    assert "\n".join(wrong) == ""


def focused(page: Page) -> str:
    """What has the focus, in words for a fault."""
    return str(
        page.evaluate(
            "(document.activeElement.id || document.activeElement.textContent || '').trim().slice(0, 60)"
        )
    )


def found_after_leaving(page: Page) -> None:
    """What the search finds when somebody has gone on meanwhile does not lie over the page."""
    late = list[Route]()
    page.route("**/search/?q=*", lambda route: late.append(route))
    with page.expect_request("**/search/?q=acme"):
        page.locator("#search").fill("acme")
    page.locator("#search").press("Tab")
    page.evaluate(
        "document.addEventListener('htmx:afterRequest', e => document.body.dataset.late = e.detail.xhr.status)"
    )
    page.wait_for_timeout(300)  # leaving clears the list once, a little later
    late[-1].continue_()
    expect(page.locator("body[data-late='200']")).to_be_attached()
    expect(page.locator("#search-results > *")).to_have_count(0)
    page.unroute("**/search/?q=*")
    page.locator("#search").fill("acme account")  # who waits for it sees it
    expect(page.locator(".search-hit").first).to_be_visible()
    page.locator(".search-hit").first.press("Escape")
    expect(page.locator(".search-hit")).to_have_count(0)


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
        assert style["width"] > 0 and not style["cut"], json.dumps(style)
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
    found_after_leaving(page)
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
    # A contrast theme takes backgrounds and shadows away: which one is chosen, done or open is still told.
    page.emulate_media(forced_colors="active")
    told = {"chosen": "none", "done": "visible", "open": "hidden", "meter": "solid", "row": "4px"}
    assert page.evaluate(TOLD) == told
    assert [text for text in visitor.complaints if "net::ERR" not in text and "htmx:" not in text] == []
    visitor.leave()
