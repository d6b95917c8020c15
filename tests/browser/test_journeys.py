"""The main journeys in Chromium: no complaint of the console, none of the policy, nothing serious for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from health.models import TenantDay
from playbooks.models import Task
from tests.workspace.world import World

from .conftest import Visitor

pytestmark = pytest.mark.browser
PHONE, DESK = 390, 1360
PAGES = (
    "",
    "?view=mine",
    "health/",
    "accounts/",
    "accounts/{account}/",
    "accounts/{account}/usage/",
    "accounts/{account}/score/",
    "accounts/{account}/people/",
    "accounts/{account}/work/",
    "accounts/{account}/records/",
    "accounts/{account}/everything/",
    "alerts/?who=all",
    "alerts/{alert}/",
    "tasks/?who=all",
    "tasks/{task}/",
    "playbooks/",
    "playbooks/runs/",
    "rules/",
    "score/",
    "sources/",
    "sources/metrics/",
    "sources/quarantine/",
    "team/",
    "keys/",
    "profile/",
    "search/?q=no",
)


def addresses(world: World) -> list[str]:
    return [
        p.format(account=world.accounts[0].pk, alert=world.alerts[0].pk, task=world.tasks[0].pk)
        for p in PAGES
    ]


@pytest.mark.parametrize(
    ("name", "width"), [("alice", DESK), ("mona", DESK), ("carl", DESK), ("carl", PHONE)]
)
def test_from_home_over_account_and_alert_to_a_task_done(
    name: str, width: int, live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url, width=width)
    page = visitor.page
    visitor.sign_in(name)
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/accounts/?q=north")
    page.get_by_role("link", name="Northwind Trading", exact=True).click()
    expect(page.get_by_role("heading", name="Why this score")).to_be_visible()
    page.locator("a.row-title", has_text="Ticket unresolved").first.click()
    expect(page.get_by_role("heading", name="What to do", exact=True)).to_be_visible()
    page.locator("a.row-title", has_text="Check what arrives").click()
    page.get_by_label("What came of it").fill("The webhook was off.")
    page.get_by_role("button", name="Mark as done").click()
    expect(page.locator(".toast-card")).to_contain_text("Done: Check what arrives")
    with tenant_scope(company.tenant):
        done = Task.objects.get(account=company.accounts[0], title="Check what arrives")
        assert (done.state, done.note) == (Task.State.DONE, "The webhook was off.")
    page.locator(".toast-card").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast-card")).to_contain_text("Open again: Check what arrives")
    with tenant_scope(company.tenant):
        assert Task.objects.get(pk=done.pk).state == Task.State.OPEN
    assert visitor.complaints == []
    visitor.leave()


def test_a_viewer_reads_the_same_way_and_finds_nothing_to_press(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("vera")
    visitor.open(f"accounts/{company.accounts[0].pk}/")
    expect(visitor.page.get_by_role("heading", name="Why this score")).to_be_visible()
    assert visitor.page.get_by_role("button", name="Log note").count() == 0
    visitor.open(f"alerts/{company.alerts[0].pk}/")
    assert visitor.page.get_by_role("button", name="Close the alert").count() == 0
    visitor.open(f"tasks/{company.tasks[0].pk}/")
    assert visitor.page.get_by_role("button", name="Mark as done").count() == 0
    assert visitor.complaints == []
    visitor.leave()


@pytest.mark.parametrize(
    ("theme", "width", "every"),
    [
        ("light", DESK, 1),
        pytest.param("dark", DESK, 3, marks=pytest.mark.full),
        pytest.param("light", PHONE, 2, marks=pytest.mark.full),
        ("dark", PHONE, 5),
    ],
)
def test_no_page_has_a_barrier_or_a_complaint(
    theme: str, width: int, every: int, live_server: LiveServer, company: World, chromium: Browser
) -> None:
    """All pages in light on a desk; every second, third or fifth in the other looks."""
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    visitor.page.goto(f"{live_server.url}/accounts/login/")
    barriers = visitor.barriers()
    visitor.sign_in("alice")
    for path in addresses(company)[::every]:
        visitor.open(path)
        barriers += visitor.barriers()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    assert barriers == []
    assert visitor.complaints == []
    visitor.leave()


@pytest.mark.full
def test_the_first_day_has_no_barrier_either(
    live_server: LiveServer, empty_company: Tenant, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("alice")
    barriers = []
    for path in PAGES:
        if "{" not in path:
            visitor.open(path)
            barriers += visitor.barriers()
    assert barriers == []
    assert visitor.complaints == []
    visitor.leave()


def test_the_charts_are_drawn_and_a_bar_opens_its_accounts(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("mona")
    visitor.open("health/")
    expect(visitor.page.locator("#content .js-plotly-plot .main-svg").first).to_be_visible()
    assert visitor.page.locator(".js-plotly-plot").count() == 3
    counts = company_histogram(company)
    fullest = counts.index(max(counts))
    bars = visitor.page.locator("[data-chart=chart-distribution] .bars .point path")
    box = bars.nth(fullest).bounding_box()
    assert box is not None
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.page.wait_for_url("**/accounts/?score_from=*")
    assert visitor.page.locator("tbody tr").count() == counts[fullest]
    assert visitor.complaints == []
    visitor.leave()


def company_histogram(world: World) -> list[int]:
    with tenant_scope(world.tenant):
        return list(TenantDay.objects.order_by("-day")[0].histogram)


def test_the_keyboard_reaches_search_lists_and_pages(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("carl")
    page.keyboard.press("/")
    page.keyboard.type("alm")
    expect(page.locator(".search-hit").first).to_contain_text("Almería Logistics")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Almería Logistics")).to_be_visible()
    page.wait_for_load_state(
        "networkidle"
    )  # whoever leaves before ends a request, which htmx says to the console
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/alerts/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    expect(panel.get_by_role("button", name="Close the alert")).to_be_visible()
    assert "/alerts/" in page.url and not page.url.endswith("/alerts/")
    page.keyboard.press("Escape")
    expect(panel).to_be_empty()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    assert visitor.complaints == []
    visitor.leave()


def test_language_and_appearance_are_chosen_from_the_top_bar(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("vera")
    page.get_by_role("button", name="Appearance").click()
    with page.expect_response("**/preferences/"):  # a reload before it was kept shows what was kept
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Language").click()
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", name="Hoy")).to_be_visible()
    assert visitor.complaints == []
    visitor.leave()
