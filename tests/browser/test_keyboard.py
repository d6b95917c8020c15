"""Every journey by keyboard alone: each stop has a name and a ring, nothing traps, what was done can be undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Contact, FileImport, Job, Membership, SavedView, Tenant, TimelineEntry
from alerts.models import Rule
from nps.surveys.models import Answer
from outreach.deciding import settings_of
from outreach.mail.compose import compose_message
from outreach.models import Message
from playbooks.models import PlaybookVersion, Task
from qbr.models import Pack, PackComment
from qbr.services import prepare_pack
from scoring.models import Component, Version
from tests.conftest import PASSWORD
from tests.nps.conftest import Asked, asked
from tests.qbr.test_packs import used
from tests.workspace.world import World

from .conftest import Visitor
from .hands import Hands

__all__ = ["asked"]  # a fixture of another room
pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(300)]


@pytest.fixture
def hands(live_server: LiveServer, chromium: Browser) -> Iterator[Hands]:
    """Somebody at a keyboard; in the end no stop was without a name, a ring or a way out."""
    visitor = Visitor(chromium, live_server.url)
    found = Hands(visitor.page, host=live_server.url)
    yield found
    said = [text for text in visitor.complaints if "status of 4" not in text]
    visitor.leave()
    assert "\n".join([*dict.fromkeys(found.faults), *said]) == ""


def sign_in(hands: Hands, name: str) -> None:
    hands.page.goto(f"{hands.host}/accounts/login/")
    hands.fill("Email", f"{name}@acme.example", exact=False)
    hands.fill("Password", PASSWORD)
    hands.page.keyboard.press("Enter")
    hands.page.wait_for_url(re.compile(r"/t/acme/"))


def work_off(world: World) -> None:
    """What the worker would do now with what was asked last."""
    with tenant_scope(world.tenant):
        job = Job.objects.latest("pk")
    assert finish_job(world.tenant, job.pk).state == Job.State.DONE


def test_an_account_is_worked_on(hands: Hands, company: World, tmp_path: Path) -> None:
    """Search, every tab, a note with a colleague's name, a task, a file and its undo, a play."""
    page, account = hands.page, company.accounts[0]
    sign_in(hands, "carl")
    page.keyboard.press("/")
    page.keyboard.type("northwind")
    expect(page.locator(".search-hit").first).to_contain_text("Northwind Trading")
    page.keyboard.press("ArrowDown")
    assert hands.here()["seen"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Northwind Trading", level=1)).to_be_visible()
    # A dialog is left with Escape, and the focus is where it was.
    hands.push("Log note")
    expect(page.get_by_role("dialog", name="Log note")).to_be_visible()
    page.keyboard.press("Escape")
    assert hands.here()["name"] == "Log note"
    page.keyboard.press("Enter")
    hands.to("Note", kind="textarea", exact=False)
    page.keyboard.type("They asked for a call, @mon")
    expect(page.locator("dialog [data-mention]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    assert "Mona" in hands.here()["name"]
    page.keyboard.press("Enter")
    page.keyboard.type("please")
    hands.push("Save the note")
    expect(page.locator(".toast-card")).to_be_visible()
    with tenant_scope(company.tenant):
        entry = TimelineEntry.objects.filter(account=account).latest("pk")
        assert entry.data["mentions"] == [Membership.objects.get(tenant=company.tenant, user__name="Mona").pk]
    for name in ("Usage", "Score", "People", "Work", "Value", "Tickets and invoices", "Timeline", "Files"):
        hands.push(name, kind="a", exact=False)
        expect(page.locator(".nav-tabs [aria-current=page]")).to_contain_text(name)
        hands.settle()
    minutes = tmp_path / "minutes.txt"
    minutes.write_text("What was said.", encoding="utf-8")
    hands.to("Add files")
    with page.expect_file_chooser() as asked_for:
        page.keyboard.press("Enter")
    asked_for.value.set_files(minutes)
    hands.push("Add")
    expect(page.get_by_role("link", name="minutes.txt")).to_be_visible()
    hands.push("Delete minutes.txt")
    expect(page.get_by_role("link", name="minutes.txt")).to_have_count(0)
    page.keyboard.press("z")
    expect(page.get_by_role("link", name="minutes.txt")).to_be_visible()
    hands.push("New task")
    hands.fill("What has to be done", "Call them")
    hands.push("Make the task")
    with tenant_scope(company.tenant):
        assert Task.objects.filter(account=account, title="Call them").exists()
    hands.push("Start play")
    page.keyboard.press("ArrowDown")
    assert hands.here()["seen"]
    page.keyboard.press("Enter")
    hands.settle()
    expect(page.locator(".toast-card").last).to_be_visible()


def test_a_list_is_filtered_saved_and_changed(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "mona")
    page.goto(f"{hands.host}/t/acme/accounts/")
    # Letters change a closed list with each key; nothing is sent before Enter, and the focus is there afterwards.
    hands.choose("Owner", "Carl")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "owner=" in page.url
    assert hands.here()["name"] == "Owner"
    # Left with the tabulator it is sent, too, and the focus is on what follows.
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Tab")
    assert "band=" in page.url
    assert hands.here()["name"] not in ("", "Health", "Owner")
    page.goto(f"{hands.host}/t/acme/accounts/?stage=active")
    hands.push("Save as a view")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    hands.fill("Name", "Active ones", exact=False)
    page.keyboard.press("Enter")
    expect(page.locator("#view-bar")).to_contain_text("Active ones")
    with tenant_scope(company.tenant):
        assert SavedView.objects.get().name == "Active ones"
    page.goto(f"{hands.host}/t/acme/accounts/?view=all")
    hands.settle()
    with tenant_scope(company.tenant):
        first, second = Account.objects.order_by("name_search")[:2]
        before = [first.tags, second.tags]
    hands.push(f"Tick {first.name}", key="Space")
    hands.push(f"Tick {second.name}", key="Space")
    hands.to("Add a tag", back=True)
    page.keyboard.type("keyed")
    page.keyboard.press("Enter")
    hands.settle()
    expect(page.locator(".toast-card").last).to_be_visible()
    with tenant_scope(company.tenant):
        assert Account.objects.filter(tags__contains=["keyed"]).count() == 2
    page.keyboard.press("z")
    hands.settle()
    with tenant_scope(company.tenant):
        assert [Account.objects.get(pk=one.pk).tags for one in (first, second)] == before


def test_a_file_is_brought_in(hands: Hands, company: World, tmp_path: Path) -> None:
    page = hands.page
    sign_in(hands, "mona")
    page.goto(f"{hands.host}/t/acme/imports/")
    file = tmp_path / "accounts.csv"
    file.write_text("external_id,name\nk-1,Keyboard Ltd\nk-2,Tabs & Sons\n", encoding="utf-8")
    hands.to("File", kind="input")
    with page.expect_file_chooser() as asked_for:
        page.keyboard.press("Enter")
    asked_for.value.set_files(file)
    hands.push("Look at the columns")
    expect(page.get_by_role("heading", name="accounts.csv")).to_be_visible()
    hands.push("Try it, store nothing")
    hands.settle()
    with tenant_scope(company.tenant):
        source = FileImport.objects.get()
    work_off(company)
    page.reload()
    hands.push("Store all rows, or none")
    hands.settle()
    work_off(company)
    with tenant_scope(company.tenant):
        assert FileImport.objects.get(pk=source.pk).state == "done"
        assert Account.objects.filter(external_id__in=["k-1", "k-2"]).count() == 2


def test_a_rule_is_built(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "alice")
    page.goto(f"{hands.host}/t/acme/rules/")
    hands.push("New rule")
    hands.fill("Name", "Score under seventy", exact=False)
    with page.expect_response("**/rules/new/"):
        hands.choose("What", "A score")
    hands.settle()
    assert hands.here()["name"] == "What"  # the row was drawn anew under the fingers
    hands.choose("How", "is under")
    hands.settle()
    hands.fill("Number or percent", "70")
    hands.push("Add a condition")
    hands.regain()
    expect(page.get_by_role("group", name="Condition 2")).to_be_visible()
    row = page.get_by_role("group", name="Condition 2").get_by_role("button", name="Remove this condition")
    for _turn in range(30):  # backwards: the button that added it has the focus
        hands.step(back=True)
        if row.evaluate("button => button === document.activeElement"):
            break
    assert row.evaluate("button => button === document.activeElement")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Condition 2")).to_have_count(0)
    hands.settle()
    hands.regain()
    hands.push("Save the rule")
    expect(page.get_by_role("heading", name="Score under seventy", level=1)).to_be_visible()
    with tenant_scope(company.tenant):
        assert not Rule.objects.get(name="Score under seventy").enabled
    hands.push("Switch on")
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()


def test_a_play_is_built_and_published(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "alice")
    page.goto(f"{hands.host}/t/acme/playbooks/")
    hands.push("New play")
    hands.fill("Name", "By hand", exact=False)
    hands.push("Go on to the steps")
    for kind, title, rest in (("Wait", "Two days", ("Days", "2")), ("Task", "Call them", None)):
        hands.push(kind, kind="a")
        hands.fill("Title", title, exact=False)
        if rest:
            hands.fill(rest[0], rest[1], exact=False)
        hands.push("Add the step")
        expect(page.locator("#editor a.row-title").last).to_have_text(title)
    hands.push("Move down: Two days")
    expect(page.locator("#editor a.row-title")).to_have_text(["Call them", "Two days"])
    hands.settle()
    hands.regain()
    assert hands.here()["name"] == "Two days"  # it cannot go further down: the focus stays in its row
    hands.push("Publish")
    expect(page.get_by_role("dialog")).to_be_visible()
    hands.fill("What changed", "The first one", exact=False)
    hands.push("Publish")
    expect(page.get_by_text("Version 1 is published")).to_be_visible()
    with tenant_scope(company.tenant):
        assert PlaybookVersion.objects.filter(playbook__name="By hand", state="published").exists()


def test_a_model_is_edited_and_tried(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "alice")
    page.goto(f"{hands.host}/t/acme/score/models/{company.version.model_id}/")
    hands.push("Edit in a draft")
    hands.settle()
    with tenant_scope(company.tenant):
        draft = Version.objects.get(state="draft")
        first, second = Component.objects.filter(version=draft).order_by("position")[:2]
    for component, weight in ((first, first.weight - 10), (second, second.weight + 10)):
        field = page.locator(f"tr:has(input[value='{component.pk}']) input[name$='-weight']").first
        for _turn in range(400):
            if field.evaluate("field => field === document.activeElement"):
                break
            hands.step()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(str(weight))
    hands.push("Save and continue editing")
    hands.settle()
    with tenant_scope(company.tenant):
        assert Component.objects.get(pk=first.pk).weight == first.weight - 10
    hands.push("What if: all accounts")
    hands.push("Try it on every account", exact=False)
    expect(page.locator(".toast-card")).to_contain_text("is being tried on every account")


def test_a_review_is_edited_and_sent(hands: Hands, company: World) -> None:
    tenant, account, page = company.tenant, company.accounts[0], hands.page
    used(tenant, account.external_id)
    with tenant_scope(tenant):
        dana = Contact.objects.create(account=account, name="Dana Day", email="dana@customer.example")
        draft = prepare_pack(tenant=tenant, account_id=account.pk, due_on=tenant.today() + timedelta(days=9))
    sign_in(hands, "carl")
    page.goto(f"{hands.host}/t/acme/qbrs/{draft.pk}/")
    hands.push("Edit the summary", kind="summary")
    hands.fill("Summary", "You send **more every week**.", exact=False)
    hands.push("Save the summary")
    expect(page.locator("#summary strong")).to_have_text("more every week")
    hands.push("Send to customer", kind="a")
    hands.push("Dana Day", exact=False, key="Space")
    hands.push("Send to customer", kind="button")
    expect(page.get_by_text("Each person has a link of their own.")).to_be_visible()
    with tenant_scope(tenant):
        assert Pack.objects.get(pk=draft.pk).state == "sent"
        mail = compose_message(tenant, settings_of(tenant), Message.objects.get(contact=dana)).body
    path = re.search(r"/packs/[^\s>)\"]+/", str(mail))
    assert path is not None
    page.goto(hands.host + path.group())
    hands.push("Write a comment", kind="summary")
    hands.fill("Comment", "Thank you.", exact=False)
    hands.push("Send the comment")
    expect(page.get_by_text("Thank you. Your comment was sent.")).to_be_visible()
    with tenant_scope(tenant):
        assert PackComment.objects.get().text == "Thank you."


def test_a_report_leads_to_its_accounts(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "mona")
    page.goto(f"{hands.host}/t/acme/health/")
    hands.push("Show as a table", kind="summary")
    hands.push("80–85", kind="a")
    page.wait_for_url("**/accounts/?score_from=80**")


def test_a_customer_answers_a_survey(hands: Hands, asked: Asked) -> None:
    assert asked.ask() == 1
    page = hands.page
    page.goto(f"{hands.host}{asked.path()}")
    hands.to("0", kind="input")
    for _step in range(9):
        page.keyboard.press("ArrowRight")
    assert hands.here()["name"] == "9"
    assert hands.here()["seen"]
    hands.step()
    page.keyboard.type("It saves us an hour a day.")
    hands.push("Send my answer")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    with tenant_scope(asked.tenant):
        assert Answer.objects.get().score == 9


def test_the_company_is_set_up_and_somebody_invited(hands: Hands, company: World) -> None:
    page = hands.page
    sign_in(hands, "alice")
    page.goto(f"{hands.host}/t/acme/settings/company/")
    hands.fill("Name", "Acme & Daughters", exact=False)
    hands.push("Save")
    hands.settle()
    page.goto(f"{hands.host}/t/acme/team/")
    hands.fill("E-mail", "new@acme.example", exact=False)
    hands.push("Send the invitation")
    expect(page.get_by_text("new@acme.example").first).to_be_visible()
    assert Membership.objects.filter(user__email="new@acme.example", tenant=company.tenant).exists()
    assert Tenant.objects.get(pk=company.tenant.pk).name == "Acme & Daughters"
