"""Journey of a review: the CSM edits and sends the pack, the customer reads and comments, an agreement becomes a task."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.fence.scope import tenant_scope
from accounts.models import Contact
from outreach.deciding import settings_of
from outreach.mail.compose import compose_message
from outreach.models import Message
from playbooks.models import Task
from qbr.models import Pack, PackComment
from qbr.registers.services import save_entry
from qbr.services import prepare_pack
from tests.qbr.test_packs import used
from tests.workspace.world import World

from .conftest import Visitor

pytestmark = pytest.mark.browser
DESK, PHONE = 1360, 390
SUMMARY = "You send **more every week**.\n\n- Replies follow"


def test_a_csm_sends_a_pack_and_the_customer_comments(
    live_server: LiveServer, company: World, chromium: Browser
) -> None:
    tenant, account = company.tenant, company.accounts[0]
    used(tenant, account.external_id)
    with tenant_scope(tenant):
        dana = Contact.objects.create(account=account, name="Dana Day", email="dana@customer.example")
        save_entry(
            tenant=tenant,
            register="risk",
            account_id=account.pk,
            values={"title": "The champion leaves", "severity": 3, "likelihood": 2},
        )
        draft = prepare_pack(tenant=tenant, account_id=account.pk, due_on=tenant.today() + timedelta(days=9))

    csm = Visitor(chromium, live_server.url, width=DESK)
    csm.sign_in("carl")
    csm.open("qbrs/")
    csm.page.get_by_role("link", name=account.name, exact=True).first.click()
    csm.page.wait_for_load_state("networkidle")
    expect(csm.page.locator(".js-plotly-plot").first).to_be_visible()
    assert csm.barriers() == []
    summary = csm.page.locator("#summary")
    summary.get_by_text("Edit the summary").click()
    summary.get_by_label("Summary", exact=True).fill(SUMMARY)
    summary.get_by_role("button", name="Save the summary").click()
    expect(csm.page.locator("#summary strong")).to_have_text("more every week")
    risks = csm.page.locator("#section-risks")
    risks.get_by_text("Edit this section").click()
    risks.get_by_label("Your own words before it").fill("One risk we carry together.")
    risks.get_by_role("button", name="Save the section").click()
    expect(risks.get_by_text("One risk we carry together.").first).to_be_visible()
    csm.page.get_by_role("link", name="Send to customer").click()
    assert csm.barriers() == []
    csm.page.get_by_label("Dana Day").check()
    csm.page.get_by_role("button", name="Send to customer").click()
    expect(csm.page.get_by_text("Each person has a link of their own.")).to_be_visible()
    with tenant_scope(tenant):
        assert Pack.objects.get(pk=draft.pk).state == "sent"
        mail = compose_message(tenant, settings_of(tenant), Message.objects.get(contact=dana)).body
    path = re.search(r"/packs/[^\s>)\"]+/", str(mail))
    assert path is not None

    customer = Visitor(chromium, live_server.url, theme="dark", width=PHONE)
    page = customer.page
    page.goto(live_server.url + path.group())
    page.wait_for_load_state("networkidle")
    expect(page.locator("#summary strong")).to_have_text("more every week")
    expect(page.locator("#risks").get_by_text("The champion leaves")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert customer.barriers() == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    risks = page.locator("#risks")
    risks.get_by_text("Write a comment").click()
    expect(risks.get_by_label("Your name")).to_have_value("Dana Day")
    risks.get_by_label("Comment", exact=True).fill("She stays until June.")
    risks.get_by_role("button", name="Send the comment").click()
    expect(page.get_by_text("Thank you. Your comment was sent.")).to_be_visible()
    assert customer.complaints == []
    customer.leave()

    csm.open(f"packs/{draft.pk}/share/")
    expect(csm.page.locator("#comments").get_by_text("She stays until June.")).to_be_visible()
    assert "opened 2 times" in csm.page.locator("#links").inner_text()
    csm.open(f"qbrs/{draft.pk}/")
    agreed = csm.page.locator("#actions")
    agreed.get_by_text("Note something agreed").click()
    agreed.get_by_label("What has to be done").fill("Meet her successor")
    agreed.get_by_role("button", name="Note it").click()
    agreed.get_by_role("link", name="Meet her successor").click()
    expect(csm.page.get_by_role("heading", name="Meet her successor").first).to_be_visible()
    assert csm.complaints == []
    csm.leave()
    with tenant_scope(tenant):
        assert PackComment.objects.get().section == "risks"
        assert Task.objects.get(title="Meet her successor").account_id == account.pk
