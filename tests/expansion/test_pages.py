"""The pages over HTTP: what is on them, what a form keeps, what a fixed number of queries shows, the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership
from expansion.models import Discount, Holding, Offering, Opportunity
from expansion.services import ask_discount, open_opportunity
from tests.expansion.conftest import Growth

SignIn = Callable[[Membership], Client]
BASE = "/t/grow/expansion/"


def opened(growth: Growth, account: Account, **more: Any) -> Opportunity:
    wanted: dict[str, Any] = {"type": "cross_product", "what": "docs", "value_cents": 123_400}
    with tenant_scope(growth.tenant):
        return open_opportunity(tenant=growth.tenant, account_id=account.pk, **(wanted | more))


def form_of(one: Opportunity, **changes: Any) -> dict[str, Any]:
    """What the browser sends for the form as it stands."""
    return {"what": one.what, "value": "1234", "close_on": one.close_on.isoformat()} | changes


def test_the_board_shows_columns_sums_and_a_menu_for_who_may_move(growth: Growth, browser: SignIn) -> None:
    opened(growth, growth.account("buyer"))
    page = browser(growth.members["carl"]).get(BASE).content.decode()
    assert "Buyer" in page
    assert "$1.2k" in page
    assert page.count('data-column="') == 6
    assert '<option value="proposal">Proposal</option><option value="lost">Lost</option>' in page
    assert 'draggable="true"' in page
    seen = browser(growth.members["vera"]).get(BASE).content.decode()
    assert "Buyer" in seen
    assert "draggable" not in seen
    assert "data-move>" not in seen


def test_an_empty_company_is_told_how_opportunities_come(growth: Growth, browser: SignIn) -> None:
    client = browser(growth.members["carl"])
    assert "The night opens one where ROI is high" in client.get(BASE).content.decode()
    assert "The night opens one where ROI is high" in client.get(f"{BASE}?view=list").content.decode()
    assert "No opportunity matches" in client.get(f"{BASE}?view=list&type=services").content.decode()
    assert "No accounts yet" in client.get(f"{BASE}whitespace/").content.decode()
    assert "No account matches" in client.get(f"{BASE}whitespace/?who=mine").content.decode()


@pytest.mark.parametrize("path", ["", "?view=list", "whitespace/", "{one}/"])
def test_pages_ask_as_much_for_three_as_for_one(growth: Growth, browser: SignIn, path: str) -> None:
    client, counts = browser(growth.members["mona"]), []
    one = opened(growth, growth.account("a"), what="course")
    for keys in ((), ("b", "c")):
        for key in keys:
            opened(growth, growth.account(key))
        client.get(BASE + path.format(one=one.pk))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(BASE + path.format(one=one.pk)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
    assert counts[0] < 40


def test_a_form_with_faults_keeps_what_was_typed(growth: Growth, browser: SignIn) -> None:
    one = opened(growth, growth.account("buyer"))
    client = browser(growth.members["carl"])
    answer = client.post(
        f"{BASE}{one.pk}/edit/", form_of(one, value="-5", next_step="Call Ana", probability="200")
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Call Ana"' in page
    assert 'value="-5"' in page
    assert page.count("form-error") == 2
    good = client.post(f"{BASE}{one.pk}/edit/", form_of(one, value="99.95", roi="1500", next_step="Call Ana"))
    assert good.status_code == 302
    again = growth.only()
    assert (again.value_cents, again.roi_cents, again.next_step) == (9_995, 150_000, "Call Ana")


def test_a_move_answers_a_script_and_a_form(growth: Growth, browser: SignIn) -> None:
    one = opened(growth, growth.account("buyer"))
    client = browser(growth.members["carl"])
    refused = client.post(f"{BASE}{one.pk}/move/", {"to": "proposal"}, headers={"X-Board": "1"})
    assert refused.json()["done"] is False
    assert "Write the internal case" in refused.json()["words"]
    page = client.post(f"{BASE}{one.pk}/move/", {"to": "proposal"}, follow=True).content.decode()
    assert "Not moved to “Proposal”" in page
    client.post(f"{BASE}{one.pk}/edit/", form_of(one, case_text="They ask.", roi="10"))
    moved = client.post(f"{BASE}{one.pk}/move/", {"to": "proposal"}, headers={"X-Board": "1"})
    assert moved.json() == {"done": True, "words": "Buyer: Docs is in “Proposal” now.", "stage": "proposal"}


def test_from_a_gap_to_won(growth: Growth, browser: SignIn) -> None:
    account = growth.account("buyer")
    client = browser(growth.members["carl"])
    matrix = client.get(f"{BASE}whitespace/").content.decode()
    assert f"{BASE}new/?account=buyer&amp;offering=cross_product:docs" in matrix
    form = client.get(f"{BASE}new/?account=buyer&offering=cross_product:docs").content.decode()
    assert '<option value="cross_product:docs" selected>' in form
    wrong = client.post(f"{BASE}new/", {"account": "nobody", "offering": "cross_product:docs"})
    assert (wrong.status_code, "There is no account with this external id." in wrong.content.decode()) == (
        422,
        True,
    )
    made = client.post(f"{BASE}new/", {"account": "buyer", "offering": "cross_product:docs", "note": "Asked"})
    one = growth.only()
    assert made.url == f"{BASE}{one.pk}/"
    assert (one.value_cents, one.note) == (50_000, "Asked")
    ready = form_of(one, value="500", case_text="They ask.", roi="10", proposed_on=growth.today.isoformat())
    client.post(f"{BASE}{one.pk}/edit/", ready)
    for stage in ("proposal", "closing"):
        client.post(f"{BASE}{one.pk}/move/", {"to": stage})
    client.post(f"{BASE}{one.pk}/win/", {"starts_on": growth.today.isoformat()})
    with tenant_scope(growth.tenant):
        account.refresh_from_db()
        assert Holding.objects.get().offering.key == "docs"
    assert (growth.only().stage, account.mrr_cents) == ("won", 250_000)
    page = client.get(f"{BASE}{one.pk}/").content.decode()
    assert "Added to MRR" in page
    assert "owned" in client.get(f"{BASE}whitespace/").content.decode()


def test_a_discount_is_decided_on_the_page_of_who_may(growth: Growth, browser: SignIn) -> None:
    one = opened(growth, growth.account("buyer"))
    carl, mona = (browser(growth.members[name]) for name in ("carl", "mona"))
    assert carl.post(f"{BASE}{one.pk}/discount/", {"pct": "95", "reason": "x"}).status_code == 422
    carl.post(f"{BASE}{one.pk}/discount/", {"pct": "15", "reason": "Two years"})
    with tenant_scope(growth.tenant):
        wish = Discount.objects.get()
    decide = f"{BASE}discounts/{wish.pk}/decide/"
    assert decide not in carl.get(f"{BASE}{one.pk}/").content.decode()
    assert carl.post(decide, {"approve": "yes"}).status_code == 403
    assert "1 discount waits for you" in mona.get(BASE).content.decode()
    assert decide in mona.get(f"{BASE}{one.pk}/").content.decode()
    mona.post(decide, {"approve": "yes"})
    assert growth.only().net_cents == 104_890
    assert "discount waits for you" not in mona.get(BASE).content.decode()


def test_lost_with_undo(growth: Growth, browser: SignIn) -> None:
    one = opened(growth, growth.account("buyer"))
    client = browser(growth.members["carl"])
    assert "Choose why it was lost" in client.post(f"{BASE}{one.pk}/lose/", {}, follow=True).content.decode()
    page = client.post(f"{BASE}{one.pk}/lose/", {"reason": "price"}, follow=True).content.decode()
    assert f"{BASE}{one.pk}/reopen/" in page
    client.post(f"{BASE}{one.pk}/reopen/")
    assert growth.only().stage == "case"


def test_the_files(growth: Growth, browser: SignIn) -> None:
    opened(growth, growth.account("buyer", name="=Buyer"))
    client = browser(growth.members["vera"])
    text = b"".join(client.get(f"{BASE}export.csv").streaming_content).decode("utf-8-sig")
    assert "'=Buyer" in text
    assert ",Docs,Internal case and ROI,1234.0,1234.0,USD," in text
    matrix = b"".join(client.get(f"{BASE}whitespace/export.csv").streaming_content).decode("utf-8-sig")
    assert matrix.splitlines()[1].startswith("buyer,'=Buyer,Carl,,2000.0,USD,Gap,Gap,In the pipeline,Gap")


def test_the_account_s_page_has_its_opportunities(growth: Growth, browser: SignIn) -> None:
    account = growth.account("buyer")
    client = browser(growth.members["carl"])
    address = f"/t/grow/accounts/{account.pk}/value/"
    assert "No opportunity yet" in client.get(address).content.decode()
    one = opened(growth, account)
    assert f"{BASE}{one.pk}/" in client.get(address).content.decode()


def test_the_settings_of_an_admin(growth: Growth, browser: SignIn) -> None:
    client = browser(growth.members["alice"])
    with tenant_scope(growth.tenant):
        docs = Offering.objects.get(key="docs")
    opened(growth, growth.account("buyer"))
    answer = client.post(
        f"/t/grow/admin/expansion/offering/{docs.pk}/change/",
        {"name": "Docs", "type": "services", "price_cents": 1, "metric_least": 1, "position": 1},
    )
    assert "its type stays until they are closed" in answer.content.decode()
    limits = {
        "case_pct": 12, "proposal_pct": 30, "pilot_pct": 50, "closing_pct": 75, "case_days": 1, "proposal_days": 1,
        "pilot_days": 1, "closing_days": 1, "csm_discount_pct": 30, "manager_discount_pct": 20, "bundle_pct": 10,
        "close_days": 1, "valid_days": 1,
    }  # fmt: skip
    path = client.get("/t/grow/admin/expansion/expansionsettings/").url
    assert "at least what a CSM may" in client.post(path, limits).content.decode()
    assert client.post(path, limits | {"csm_discount_pct": 5}).status_code == 302
    assert growth.only().probability_pct == 12
    with tenant_scope(growth.tenant):
        one = ask_discount(
            tenant=growth.tenant, opportunity_id=growth_pk(), pct=6, reason="x", member=growth.members["carl"]
        )
    assert one.state == "pending"


def growth_pk() -> int:
    return Opportunity.objects.get().pk
