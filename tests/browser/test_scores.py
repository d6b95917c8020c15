"""Journeys through the scores: why it moved, overrides, drafts and files, backtests, leads; and axe on all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Job, Membership, Tenant
from accounts.services.tenants import create_tenant
from pql.models import Lead
from scoring.models import Backtest, Override, ScoreModel, Sentiment, Version
from scoring.services import export_version, score_accounts
from tests.conftest import make_member
from tests.pql.conftest import Leads
from tests.scoring.conftest import World, days_back
from tests.workspace.test_backtest_pages import finished
from usage.models import Metric

from .conftest import ROLES, Visitor

pytestmark = pytest.mark.browser
DESK, PHONE = 1360, 390
SCORED = (30, 8, 7, 1, 0)  # days ago


@pytest.fixture
def scored(transactional_db: None) -> Tenant:
    """Acme as provisioning makes it: a parent and three children of Carl's with usage and scores, and three leads."""
    tenant = create_tenant(slug="acme", name="Acme")
    people = {name: make_member(tenant, name, role) for name, role in ROLES.items()}
    world = World(tenant, tenant.today())
    with tenant_scope(tenant):
        world.metrics = {metric.key: metric for metric in Metric.objects.all()}
    world.deliver(["all_events", "active_users", "active_days", "features_used"])
    for n, name in enumerate(("northwind", "almeria", "kestrel", "bluefin")):
        fields = {"plan_kind": "contract", "mrr_cents": 100_000 * (n + 1), "currency": "USD"}
        world.account(name, owner=people["carl"], **fields)
        world.usage(
            name, days_back(world.today, *range(1 + n * 6, 60, n + 1)), users=3, events=6 - n, features=2
        )
    with tenant_scope(tenant):
        Account.objects.exclude(external_id="northwind").update(parent=world.accounts["northwind"])
        for ago in SCORED:
            score_accounts(tenant=tenant, day=world.today - timedelta(days=ago), kinds=("health",))
    _leads(tenant, people["carl"])
    return tenant


def _leads(tenant: Tenant, owner: Membership) -> None:
    leads = Leads(tenant, tenant.today())
    for name in ("umbra", "vega", "willow"):
        leads.events(leads.account(name, owner=owner), "Contact Sales", 0)
    leads.night()


def account_path(tenant: Tenant, name: str, rest: str = "") -> str:
    with tenant_scope(tenant):
        return f"accounts/{Account.objects.get(external_id=name).pk}/{rest}"


def work_off(tenant: Tenant, kind: str) -> None:
    """What the worker would do now."""
    with tenant_scope(tenant):
        job = Job.objects.filter(kind=kind).latest("pk")
    assert finish_job(tenant, job.pk).state == Job.State.DONE


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def test_a_manager_reads_why_and_says_otherwise(
    live_server: LiveServer, scored: Tenant, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("mona")
    visitor.open(account_path(scored, "northwind"))
    page.get_by_role("link", name="Score", exact=True).click()
    short = page.get_by_role("region", name="In short")
    for question in (
        "Why is it",
        "Why was it",
        "Which version?",
        "How sure is it?",
        "What would new weights say?",
    ):
        expect(short.get_by_text(question)).to_be_visible()
    expect(page.get_by_role("region", name="Accounts below it")).to_contain_text("Bluefin")
    # another day, read from the waterfall
    earlier = (scored.today() - timedelta(days=30)).isoformat()
    page.get_by_label("From", exact=True).fill(earlier)
    page.wait_for_url(f"**from={earlier}**")
    settled(page)
    expect(page.locator("[data-chart=chart-waterfall] .main-svg").first).to_be_visible()
    expect(page.get_by_role("region", name="What changed").get_by_text("data moved").first).to_be_visible()
    # an override in its dialog: its own address, what was typed stays, the reason is asked for
    home = page.url
    page.get_by_role("link", name="Override the health").click()
    dialog = page.get_by_role("dialog", name="Override the health: Northwind")
    expect(dialog).to_be_visible()
    page.wait_for_url("**/override/")
    barriers = visitor.barriers()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.url == home
    page.get_by_role("link", name="Override the health").click()
    dialog.get_by_label("Band").select_option("critical")
    dialog.get_by_role("button", name="Override", exact=True).click()
    expect(dialog.get_by_text("Say why.")).to_be_visible()
    expect(dialog.get_by_label("Band")).to_have_value("critical")
    page.keyboard.type("The sponsor left")  # the field that is wrong has the focus
    dialog.get_by_role("button", name="Override", exact=True).click()
    expect(page.locator(".toast-card")).to_contain_text("is Critical until")
    expect(short).to_contain_text("The sponsor left")
    with tenant_scope(scored):
        assert Override.objects.get().ended_on is None
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".toast-card")).to_contain_text("The override has ended")
    with tenant_scope(scored):
        assert Override.objects.get().ended_on == scored.today()
    page.get_by_role("link", name="Note it").click()
    page.get_by_role("dialog").get_by_label("How do you see this account?").select_option("2")
    page.get_by_role("dialog").get_by_role("button", name="Note it").click()
    expect(page.locator(".toast-card")).to_contain_text("Noted.")
    with tenant_scope(scored):
        assert Sentiment.objects.get().value == 2
    assert (barriers, visitor.complaints) == ([], [])
    visitor.leave()


def test_an_admin_edits_tries_publishes_and_goes_back(
    live_server: LiveServer, scored: Tenant, chromium: Browser
) -> None:
    with tenant_scope(scored):
        model = ScoreModel.objects.get(key="plg")
        file = export_version(Version.objects.get(model=model, state="published"))
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("alice")
    visitor.open(f"score/models/{model.pk}/")
    page.get_by_role("button", name="Edit in a draft").click()
    weights = page.locator("input[name$='-weight']:not([name*=__prefix__])")
    expect(weights.first).to_be_visible()
    old = [float(weights.nth(n).input_value()) for n in range(weights.count())]
    weights.nth(0).fill(str(old[0] - 1))
    page.locator("input[name=_continue]").click()
    expect(page.locator(".errorlist").first).to_contain_text("add up to 99")
    weights.nth(0).fill(str(old[0] - 10))
    weights.nth(1).fill(str(old[1] + 10))
    page.locator("input[name=_continue]").click()
    page.get_by_role("link", name="What if: all accounts").click()
    page.get_by_role("button", name="Try it on every account").first.click()
    expect(page.locator(".toast-card")).to_contain_text("is being tried on every account")
    work_off(scored, "what_if")
    page.reload()
    settled(page)
    expect(page.get_by_text("accounts, against version 1 of Product-led growth")).to_be_visible()
    page.get_by_role("link", name="All that move").first.click()
    page.get_by_role("link", name="Northwind").click()
    expect(page.get_by_role("heading", name="Component by component")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.locator(".toast-card").first).to_contain_text("It scores from today on")
    page.get_by_text("Go back to it").click()
    page.get_by_label("Why (it is shown in this list)").fill("Too harsh")
    page.get_by_role("button", name="Publish version 1 again").click()
    expect(page.locator(".toast-card").first).to_contain_text("Version 1 scores again, as version 3")
    expect(page.get_by_role("cell", name="Too harsh")).to_be_visible()
    # a file with a fault says its line and keeps the text; mended it becomes the draft
    page.get_by_role("link", name="From a file").click()
    broken = file.replace("weight: ", "wait: ", 1)
    line = 1 + broken[: broken.index("wait: ")].count("\n")
    page.get_by_label("or paste it").fill(broken)
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("rowheader", name=f"Line {line}").first).to_be_visible()
    expect(page.get_by_text("There is no such setting here.")).to_be_visible()
    barriers = visitor.barriers()
    page.get_by_label("or paste it").fill(file.replace("healthy_above: 80", "healthy_above: 75"))
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("The best band begins above: 80 → 75")).to_be_visible()
    page.get_by_role("button", name="Save as the draft").click()
    expect(page.locator(".toast-card")).to_contain_text("Saved as the draft")
    assert (barriers, visitor.complaints) == ([], [])
    visitor.leave()


def test_a_manager_starts_a_backtest_and_reads_a_verdict(
    live_server: LiveServer, scored: Tenant, chromium: Browser
) -> None:
    read = finished(scored, 3.0, 2.0, 1.0, 1.0, 1.0)
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("mona")
    visitor.open("score/backtests/")
    page.get_by_label("What happened afterwards").select_option("inactivity")
    page.get_by_label("Within how many days after each date").fill("14")
    page.get_by_role("button", name="Start the backtest").click()
    page.wait_for_url("**/backtests/*/")
    expect(page.get_by_text("Being replayed, date by date")).to_be_visible()
    work_off(scored, "backtest")
    page.reload()
    expect(page.get_by_text("This backtest was not possible")).to_be_visible()
    with tenant_scope(scored):
        assert Backtest.objects.latest("pk").state == Backtest.State.REFUSED
    page.get_by_role("link", name="Ask differently").click()
    page.locator("tbody tr", has_text="Evidence of skill").get_by_role("link").click()
    page.wait_for_url(f"**/backtests/{read.pk}/")
    settled(page)
    expect(page.get_by_role("heading", name="Evidence of skill")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.get_by_role("button", name="Make it a draft").count() == 0  # an admin's
    assert visitor.complaints == []
    visitor.leave()


def test_leads_are_accepted_rejected_and_converted_from_the_keyboard(
    live_server: LiveServer, scored: Tenant, chromium: Browser
) -> None:
    visitor = Visitor(chromium, live_server.url)
    page = visitor.page
    visitor.sign_in("carl")
    visitor.open("leads/")
    for name in ("Umbra", "Vega"):
        page.locator(".lead-card", has_text=name).get_by_role("button", name="Accept").focus()
        page.keyboard.press("Enter")
        settled(page)
    page.locator(".lead-card", has_text="Willow").get_by_role("link", name="Reject").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reject: Willow")
    expect(dialog).to_be_visible()
    barriers = visitor.barriers()
    dialog.get_by_label("Why").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("A student")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    settled(page)
    page.locator(".lead-card", has_text="Umbra").get_by_role("link", name="Convert").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Convert: Umbra")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Convert").focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_role("region", name="Converted")).to_contain_text("Umbra")
    with tenant_scope(scored):
        states = dict(Lead.objects.values_list("account__external_id", "state"))
        rejected = Lead.objects.get(account__external_id="willow")
    assert states == {"umbra": "converted", "vega": "accepted", "willow": "rejected"}
    assert rejected.reject_reason and rejected.close_note == "A student"
    assert (barriers, visitor.complaints) == ([], [])
    visitor.leave()


@pytest.mark.full
@pytest.mark.parametrize(
    ("theme", "width", "every"), [("light", DESK, 1), pytest.param("dark", PHONE, 2, marks=pytest.mark.full)]
)
def test_no_page_of_the_scores_has_a_barrier(
    theme: str, width: int, every: int, live_server: LiveServer, scored: Tenant, chromium: Browser
) -> None:
    read = finished(scored, 3.0, 2.0, 1.0, 1.0, 1.0)
    with tenant_scope(scored):
        model, lead = ScoreModel.objects.get(key="plg"), Lead.objects.earliest("pk")
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    visitor.sign_in("alice")
    barriers = []
    pages = (
        account_path(scored, "northwind", "score/"),
        account_path(scored, "northwind", "how/"),
        account_path(scored, "northwind", "override/"),
        account_path(scored, "northwind", "sentiment/"),
        "quality/",
        "quality/disagreements/?who=all",
        "score/",
        f"score/models/{model.pk}/",
        f"score/models/{model.pk}/import/",
        "score/backtests/",
        f"score/backtests/{read.pk}/",
        "leads/",
        "leads/?view=list",
        "leads/conversion/",
        "leads/rules/",
        f"leads/{lead.pk}/",
    )
    for path in pages[::every]:
        visitor.open(path)
        barriers += visitor.barriers()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    assert barriers == []
    assert visitor.complaints == []
    visitor.leave()
