"""Journeys through plays: built from nothing, tried, published, started and followed; axe on every page of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.models import Contact
from playbooks.models import PlaybookVersion, Run, Task
from playbooks.services import draft_from_published
from tests.workspace.world import World

from .conftest import Visitor

pytestmark = pytest.mark.browser
DESK, PHONE = 1360, 390


def test_an_admin_builds_tries_publishes_and_starts_a_play_of_three_steps(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    account = company.accounts[0]
    with tenant_scope(company.tenant):
        Contact.objects.filter(account=account).update(email="")
        Contact.objects.create(
            tenant=company.tenant,
            account=account,
            name="Ada Lovelace",
            email="ada@x.example",
            roles=["champion"],
        )
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("alice")
    page = visitor.page
    visitor.open("playbooks/")
    page.get_by_role("link", name="New play").click()
    page.get_by_label("Name").fill("Welcome back")
    page.get_by_role("button", name="Go on to the steps").click()
    page.get_by_role("link", name="Wait").click()
    page.get_by_label("Title").fill("Two days")
    page.get_by_label("Days", exact=True).fill("2")
    page.get_by_role("button", name="Add the step").click()
    page.get_by_role("link", name="E-mail").click()
    page.get_by_label("Title").fill("Say hello")
    page.get_by_label("To whom").fill("champion")
    page.get_by_label("Subject").fill("How is {{ account.name }}?")
    page.get_by_label("Text").fill("Hello {{ contact.first_nam }}")
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_role("alert")).to_contain_text("contact.first_nam }}” is not a merge field")
    page.get_by_label("Text").fill("Hello {{ contact.first_name|there }}")
    page.get_by_role("button", name="Add the step").click()
    page.get_by_role("link", name="Task", exact=True).click()
    page.get_by_label("Title").fill("Call them")
    page.get_by_role("button", name="Add the step").click()
    titles = page.locator("#editor a.row-title")
    page.get_by_role("button", name="Move up: Call them").click()
    expect(titles).to_have_text(["Two days", "Call them", "Say hello"])
    page.get_by_role("button", name="Move up: Call them").click()
    expect(titles).to_have_text(["Call them", "Two days", "Say hello"])

    page.get_by_role("link", name="Try it").click()
    page.locator("input[name=account]").fill(account.name)
    page.get_by_role("button", name="Walk it through").click()
    expect(page.get_by_text("Hello Ada")).to_be_visible()
    expect(page.get_by_text("To ada@x.example")).to_be_visible()
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Publish").click()
    page.get_by_label("What changed").fill("The first one")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 1 is published")).to_be_visible()

    page.get_by_role("link", name="Start it").click()
    page.get_by_role("checkbox", name=account.name).check()
    page.get_by_role("button", name="Start the play").click()
    expect(page.get_by_text("Started at 1 account: Welcome back")).to_be_visible()
    page.get_by_role("link", name="Its runs").click()
    page.get_by_role("link", name="Welcome back").first.click()
    expect(page.get_by_text("It waits at “Two days”.")).to_be_visible()
    page.get_by_label("By working days").fill("3")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("The dates moved by 3 working days.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 changes taken back.")).to_be_visible()
    with tenant_scope(company.tenant):
        run = Run.objects.get(playbook__name="Welcome back")
        assert (run.account_id, [task.title for task in run.tasks.all()]) == (account.pk, ["Call them"])
    assert visitor.complaints == [
        "Failed to load resource: the server responded with a status of 400 (Bad Request)"
    ]
    visitor.leave()


def test_a_csm_does_many_tasks_at_once_and_takes_it_back(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("carl")
    page = visitor.page
    visitor.open("tasks/")
    boxes = page.locator("input[data-pick]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.locator("#task-bulk").get_by_role("button", name="Done").click()
    expect(page.get_by_text("2 tasks changed.")).to_be_visible()
    with tenant_scope(company.tenant):
        assert Task.objects.filter(state="done", completed_by__user__name="Carl").count() >= 2
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 changes taken back.")).to_be_visible()
    assert visitor.complaints == []
    visitor.leave()


@pytest.mark.full
@pytest.mark.parametrize(
    ("theme", "width"), [("light", DESK), pytest.param("dark", PHONE, marks=pytest.mark.full)]
)
def test_no_page_of_the_plays_has_a_barrier(
    theme: str, width: int, live_server: LiveServer, company: World, chromium: Browser
) -> None:
    with tenant_scope(company.tenant):
        version = PlaybookVersion.objects.select_related("playbook").get(playbook__key="expansion_sequence")
        draft = draft_from_published(tenant=company.tenant, playbook_id=version.playbook_id)
        branch = draft.steps.get(kind="branch")
        run = Run.objects.earliest("pk")
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    visitor.sign_in("alice")
    barriers = []
    for path in (
        "playbooks/",
        f"playbooks/{version.playbook_id}/",
        f"playbooks/versions/{draft.pk}/",
        f"playbooks/versions/{draft.pk}/terms/",
        f"playbooks/versions/{draft.pk}/audience/",
        f"playbooks/versions/{draft.pk}/try/?account={company.accounts[0].external_id}",
        f"playbooks/versions/{draft.pk}/steps/?kind=email",
        f"playbooks/steps/{branch.pk}/",
        f"playbooks/runs/{run.pk}/",
        "tasks/?who=all",
        "tasks/days/",
        "tasks/days/company/",
    ):
        visitor.open(path)
        barriers += visitor.barriers()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    assert barriers == []
    assert visitor.complaints == []
    visitor.leave()
