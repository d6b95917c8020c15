"""Journeys of the value narrative: an opportunity to won, a survey on a phone, a case study approved by the customer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.models import Account
from expansion.models import Opportunity
from expansion.services import install_expansion, open_opportunity
from nps.models import StoryApproval
from tests.nps.advocates import Voices, voices
from tests.nps.conftest import Asked, asked
from tests.nps.telling import asked_for, told
from tests.workspace.world import World

from .conftest import Visitor

__all__ = ["asked", "voices"]  # fixtures of another room

pytestmark = pytest.mark.browser
DESK, PHONE = 1360, 390


def test_a_csm_moves_an_opportunity_by_keys_to_closing_and_wins_it(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    account = company.accounts[0]
    with tenant_scope(company.tenant):
        install_expansion(tenant=company.tenant)
        before = account.mrr_cents
        deal = open_opportunity(
            tenant=company.tenant,
            account_id=account.pk,
            type="cross_product",
            what="docs",
            value_cents=150_000,
            fields={"case_text": "They ask for it.", "roi_cents": 400_000},
        )
    visitor = Visitor(chromium, live_server.url)
    visitor.sign_in("carl")
    page = visitor.page
    visitor.open("expansion/")
    card = page.locator(f"#opportunity-{deal.pk}")
    card.get_by_role("link", name=account.name).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-column=proposal]").locator(f"#opportunity-{deal.pk}")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")  # a pilot asks for a goal and an end
    expect(page.locator("[data-board-live]")).not_to_be_empty()
    expect(page.locator("[data-column=proposal]").locator(f"#opportunity-{deal.pk}")).to_be_visible()
    assert visitor.barriers() == []
    visitor.open(f"expansion/{deal.pk}/")
    page.get_by_role("button", name="Make a proposal").click()
    page.wait_for_load_state("networkidle")
    visitor.open(f"expansion/{deal.pk}/")
    page.get_by_role("button", name="Move to “Closing”").click()
    page.wait_for_load_state("networkidle")
    page.locator("#win").get_by_role("button", name="Won").click()
    expect(page.get_by_text("The subscription has grown and the month counts it.")).to_be_visible()
    with tenant_scope(company.tenant):
        assert Opportunity.objects.get(pk=deal.pk).stage == "won"
        assert Account.objects.get(pk=account.pk).mrr_cents == before + 150_000
    assert all("422" in text or "409" in text for text in visitor.complaints), visitor.complaints
    visitor.leave()


def test_a_customer_answers_on_a_phone_without_script(
    transactional_db: None, live_server: LiveServer, asked: Asked, chromium: Browser
) -> None:
    assert asked.ask() == 1
    context = chromium.new_context(viewport={"width": PHONE, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}{asked.path()}?score=9")
    expect(page.get_by_role("radio", name="9", exact=True)).to_be_checked()
    page.get_by_role("radio", name="3", exact=True).check(force=True)
    page.get_by_label("optional").fill("The export fails every Monday.")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.reload()
    expect(page.get_by_text("The export fails every Monday.")).to_be_visible()
    context.close()
    invitation = asked.invitation()
    with tenant_scope(asked.tenant):
        answers = list(invitation.answers.values_list("score", flat=True))
    assert answers == [3]


@pytest.mark.parametrize(
    ("theme", "width"), [("light", DESK), pytest.param("dark", PHONE, marks=pytest.mark.full)]
)
def test_a_customer_approves_a_case_study(
    theme: str,
    width: int,
    transactional_db: None,
    live_server: LiveServer,
    voices: Voices,
    chromium: Browser,
) -> None:
    account = voices.account("good", name="Good Shoes")
    voices.fits(account)
    approval, token = asked_for(voices, told(voices, account), "legal")
    visitor = Visitor(chromium, live_server.url, theme=theme, width=width)
    page = visitor.page
    page.goto(f"{live_server.url}/story-approval/{token}/")
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    assert visitor.barriers() == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.get_by_label("Your name").fill("Lola Legal")
    page.get_by_role("button", name="Approve this text").click()
    expect(page.get_by_text("Approved by Lola Legal")).to_be_visible()
    with tenant_scope(voices.tenant):
        assert StoryApproval.objects.get(pk=approval.pk).state == "approved"
    assert visitor.complaints == []
    visitor.leave()
