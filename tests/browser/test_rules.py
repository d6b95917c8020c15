"""Journeys from a rule to an empty inbox: built from nothing, tried, switched on; alerts and tasks worked off; the bell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Job, Membership
from alerts.models import Alert, Rule
from alerts.services import evaluate_rules
from outreach.services import notify_members
from playbooks.models import Task
from tests.workspace.world import World

from .conftest import Visitor

pytestmark = pytest.mark.browser
DESK, PHONE = 1360, 390


def _build(page: Page, name: str) -> None:
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name").fill(name)
    row = page.get_by_role("group", name="Condition 1")
    row.get_by_label("What", exact=True).select_option(label="A score")
    expect(row.get_by_label("Compared with")).to_have_count(0)  # the row has been drawn anew
    row.get_by_label("How", exact=True).select_option(label="is under")
    row.get_by_label("Number or percent").fill("70")


def test_an_admin_builds_tries_and_switches_on_a_rule(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("alice")
    page = visitor.page
    visitor.open("rules/")
    _build(page, "Score under seventy")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("It would now find")).to_be_visible()
    page.get_by_role("button", name="Add a condition").click()
    second = page.get_by_role("group", name="Condition 2")
    second.get_by_label("Number or percent").fill("5")
    second.get_by_role("button", name="Remove this condition").click()
    expect(second).to_have_count(0)
    page.get_by_role("button", name="Save the rule").last.click()
    expect(page.get_by_role("heading", name="Score under seventy", level=1)).to_be_visible()
    with tenant_scope(company.tenant):
        rule = Rule.objects.get(name="Score under seventy")
        assert (rule.enabled, rule.origin) == (False, "own")

    expect(page.get_by_text("Not tried yet")).to_be_visible()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Being walked through, day by day")).to_be_visible()
    with tenant_scope(company.tenant):
        job = Job.objects.filter(kind="dry_run").latest("pk")
        assert not Alert.objects.filter(rule=rule).exists()
    assert finish_job(company.tenant, job.pk).state == Job.State.DONE
    page.reload()
    tried = page.get_by_role("region", name="The last 90 days")
    table = tried.get_by_role("table", name="Alerts per CSM and week")
    expect(table.get_by_role("rowheader", name="Carl")).to_be_visible()
    assert sum(int(cell) for cell in table.locator("td:last-child").all_inner_texts()) > 0

    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    with tenant_scope(company.tenant):
        rule.refresh_from_db()
        assert rule.enabled
        Rule.objects.exclude(pk=rule.pk).update(enabled=False)
        evaluate_rules(tenant=company.tenant, day=company.today - timedelta(days=1))
        opened = Alert.objects.filter(rule=rule, state="open").count()
    assert opened > 0
    visitor.open("alerts/?who=all")
    expect(page.get_by_role("link", name="Score under seventy").first).to_be_visible()
    assert visitor.complaints == []
    visitor.leave()


@pytest.mark.parametrize("width", [DESK, pytest.param(PHONE, marks=pytest.mark.full)])
def test_a_csm_empties_the_day(
    width: int, live_server: LiveServer, company: World, chromium: Browser
) -> None:
    """By keyboard alone: the first thing is done and taken back, one is put off, and all of it until nothing is left."""
    visitor = Visitor(chromium, live_server.url, width=width)
    visitor.sign_in("carl")
    page = visitor.page
    with tenant_scope(company.tenant):
        carl = Membership.objects.get(user__name="Carl")
        due = Task.objects.filter(assignee=carl, state="open", due_on__lte=company.today).count()
        mine = Alert.objects.filter(account__owner=carl, state="open").count()
    assert due > 0 and mine > 0
    visitor.open("?view=mine")
    page.keyboard.press("j")
    with page.expect_response("**/today/do/"):
        page.keyboard.press("e")
    expect(page.locator(".toast-card").last).to_contain_text("Done:")
    with page.expect_navigation():
        page.keyboard.press("z")
    expect(page.locator(".toast-card").last).to_contain_text("taken back")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#agenda-until")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("They are on holiday")
    with page.expect_response("**/today/do/"):
        page.keyboard.press("Enter")
    expect(page.locator(".toast-card").last).to_contain_text("Put off:")
    for _turn in range(60):
        if page.get_by_text("All done", exact=True).count():
            break
        page.evaluate("document.getElementById('agenda').dataset.old = 'yes'")
        page.keyboard.press("e")
        page.locator("#agenda:not([data-old])").wait_for()
    expect(page.get_by_text("All done", exact=True)).to_be_visible()
    with tenant_scope(company.tenant):
        waiting = Alert.objects.filter(account__owner=carl, state="open")
        assert not waiting.exclude(run__state="running").exists()
        assert not Task.objects.filter(assignee=carl, state="open", due_on__lte=company.today).exists()
    assert visitor.complaints == []
    visitor.leave()


def test_the_bell_rings_opens_what_it_is_about_and_falls_silent(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    account = company.accounts[0]
    with tenant_scope(company.tenant):
        carl = Membership.objects.get(user__name="Carl")
        for number in (1, 2):
            notify_members(
                tenant=company.tenant,
                members=[carl],
                kind="alert",
                title=f"Northwind needs you {number}",
                url=f"/accounts/{account.pk}/",
                account=account,
                dedupe_key=f"bell-{number}",
            )
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("carl")
    page = visitor.page
    bell = page.get_by_role("button", name="2 new notifications")
    bell.click()
    panel = page.locator("#bell-panel")
    expect(panel.get_by_role("button", name="Northwind needs you 1")).to_be_visible()
    assert visitor.barriers() == []
    panel.get_by_role("button", name="Northwind needs you 2").click()
    page.wait_for_url(f"**/accounts/{account.pk}/")
    page.get_by_role("button", name="1 new notification").click()
    page.locator("#bell-panel").get_by_role("button", name="All read").click()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    assert visitor.complaints == []
    visitor.leave()


@pytest.mark.full
@pytest.mark.parametrize(
    ("theme", "width"), [("light", DESK), pytest.param("dark", PHONE, marks=pytest.mark.full)]
)
def test_no_page_of_rules_alerts_and_routines_has_a_barrier(
    theme: str, width: int, live_server: LiveServer, company: World, chromium: Browser
) -> None:
    with tenant_scope(company.tenant):
        rule = Rule.objects.filter(kind="conditions").first() or Rule.objects.earliest("pk")
        alert = Alert.objects.filter(opened_on__gte=company.today - timedelta(days=900)).latest("pk")
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    visitor.sign_in("alice")
    barriers: list[str] = []
    for path in (
        "rules/new/",
        f"rules/{rule.pk}/",
        f"rules/{rule.pk}/edit/",
        "alerts/attention/",
        f"alerts/{alert.pk}/",
        "notifications/",
        "onboarding/",
        "checklists/",
        "rollout/",
        "messages/",
        "messages/outbox/",
        "messages/templates/",
        "messages/sender/",
        "messages/slack/",
        "webhooks/",
        "csm-metrics/",
        "intervention/",
        "training/",
    ):
        visitor.open(path)
        barriers += visitor.barriers()
        overflow = page_overflow(visitor.page)
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    assert barriers == []
    assert visitor.complaints == []
    visitor.leave()


def page_overflow(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
