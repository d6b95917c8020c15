"""The pages of reviews through HTTP: what is shown, what can be done, a fixed number of queries."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, Tenant
from qbr.cadence import add_months
from qbr.models import Figure, Pack, QbrSettings, RoiEntry
from qbr.services import draft_due_packs
from tests.qbr.test_packs import used
from tests.usage.conftest import event, send
from usage.models import Metric


@pytest.fixture
def due(shop: Tenant, acorn: Account) -> Account:
    """Acorn, whose third review is in five days, with its draft."""
    used(shop, "a1", weeks=5)
    with tenant_scope(shop):
        Account.objects.filter(pk=acorn.pk).update(
            go_live_on=add_months(shop.today() + timedelta(days=5), -3)
        )
        draft_due_packs(tenant=shop, day=shop.today())
        acorn.refresh_from_db()
    return acorn


def browser(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def the_pack(tenant: Tenant) -> Pack:
    with tenant_scope(tenant):
        return Pack.objects.get()


def test_a_csm_prepares_edits_and_sends_a_pack(shop: Tenant, due: Account, carl: Membership) -> None:
    client, pack = browser(carl), the_pack(shop)
    listed = client.get("/t/acme/qbrs/").content.decode()
    assert "Acorn" in listed and "Draft" in listed
    assert "Acorn" in client.get("/t/acme/qbrs/?view=calendar&month=" + str(pack.due_on)[:7]).content.decode()
    page = client.get(f"/t/acme/qbrs/{pack.pk}/").content.decode()
    for words in ("Executive summary", "KPIs and trends", "Sends", "figure-mark", "Risk register"):
        assert words in page

    def post(path: str, **data: Any) -> str:
        return client.post(f"/t/acme/qbrs/{pack.pk}/{path}/", data, follow=True).content.decode()

    assert "Our story" in post("summary", title="Title", summary="Our **story**\n\n- one").replace(
        "<strong>story</strong>", "story"
    )
    refused = client.post(f"/t/acme/qbrs/{pack.pk}/summary/", {"title": "", "summary": "Kept words"})
    assert refused.status_code == 400 and "Kept words" in refused.content.decode()
    assert "Own words" in post("sections/risks", intro="Own words", hidden="on")
    assert "All " in post("verify") and "figures hold." in post("verify")
    assert "Nothing has changed" in client.get(f"/t/acme/qbrs/{pack.pk}/refresh/").content.decode()
    assert "Train them" in post("actions", title="Train them", due_on=str(shop.today()), owner="")
    assert client.post(f"/t/acme/qbrs/{pack.pk}/actions/", {"title": "No date"}).status_code == 400
    assert "ready to be sent" in post("state", deed="ready")
    assert "frozen as it was sent" in post("state", deed="send")
    assert the_pack(shop).state == "sent"
    assert "Say why" in post("state", deed="reopen", reason="")
    assert "Version 1" in post("state", deed="reopen", reason="A number")
    assert the_pack(shop).version == 2


def test_after_a_late_event_the_pack_says_which_figures_changed_and_by_what(
    shop: Tenant, due: Account, vera: Membership
) -> None:
    client, pack = browser(vera), the_pack(shop)
    page = f"/t/acme/qbrs/{pack.pk}/"

    def verified() -> str:
        return client.post(page + "verify/", follow=True).content.decode()

    before = verified()
    assert "figures hold." in before and "Changed by" not in before
    with tenant_scope(shop):
        sends = Figure.objects.get(query="metric_total", parameters__metric="sends")
    at = datetime.combine(shop.today() - timedelta(days=2), time(9), tzinfo=shop.tz)
    late = event(1, event_id="late", account_id="a1", user_id="a1u1", occurred_at=at.isoformat())
    send(shop, [late], at=timezone.now())
    after = verified()
    assert "do not hold any more; they are marked." in after
    assert f"Sends · A metric over a period: Changed by +1, now {int(sends.value or 0) + 1}" in after
    with tenant_scope(shop):
        touched = set(Figure.objects.filter(verdict="changed").values_list("subject", flat=True))
        assert touched == {"Sends", "Reply rate", "All events"}  # and of these only what counts its day
        assert Figure.objects.filter(verdict="holds").count() >= 5
    one = client.get(f"/t/acme/figures/{sends.pk}/").content.decode()
    assert "Changed by +1" in one
    # A figure whose metric was switched off has lost its source, and says so instead of a number.
    with tenant_scope(shop):
        Metric.objects.filter(key="sends").update(active=False)
    assert "Source gone" in verified()


def test_a_figure_shows_how_it_came_about(shop: Tenant, due: Account, vera: Membership) -> None:
    with tenant_scope(shop):
        figure = Figure.objects.get(query="metric_total", parameters__metric="sends")
    client = browser(vera)
    page = client.get(f"/t/acme/figures/{figure.pk}/").content.decode()
    assert figure.hash in page and "metric_total" in page and "rows, as they were known then" in page
    assert '<th scope="col">Day</th><th scope="col" class="num">Value</th>' in page
    assert re.search(r"<td>[A-Z][a-z]+ \d{1,2}, 20\d\d</td>", page) and not re.search(r"<td>20\d\d-", page)
    answer = client.post(f"/t/acme/figures/{figure.pk}/verify/", follow=True).content.decode()
    assert "The figure holds." in answer


def test_the_value_tab_and_its_registers(shop: Tenant, due: Account, carl: Membership) -> None:
    client = browser(carl)
    add = f"/t/acme/accounts/{due.pk}/register/roi/"
    said = {
        "title": "Deals",
        "kind": "revenue",
        "amount": "1234.50",
        "currency": "usd",
        "first_month": "2026-01",
        "last_month": "2026-02",
        "source": "CRM",
    }
    wrong = client.post(add, said | {"last_month": "2025-12"})
    assert wrong.status_code == 400 and "1234.50" in wrong.content.decode()
    assert client.post(add, said).status_code == 302
    with tenant_scope(shop):
        entry = RoiEntry.objects.get()
        assert (entry.amount_cents, entry.currency) == (123_450, "USD")
    edit = f"/t/acme/registers/roi/{entry.pk}/"
    assert 'value="1234.50"' in client.get(edit).content.decode()
    assert client.post(edit, said | {"amount": "2000"}).status_code == 302
    assert "1,234.50" in client.get(edit).content.decode()  # in the history
    client.post(
        f"/t/acme/accounts/{due.pk}/register/risk/",
        {"title": "R", "severity": "4", "likelihood": "3", "state": "open"},
    )
    quarter = f"{shop.today().year}-{(shop.today().month - 1) // 3 * 3 + 1:02d}-01"
    client.post(
        f"/t/acme/accounts/{due.pk}/register/roadmap/",
        {"title": "Docs", "quarter_on": quarter, "state": "planned"},
    )
    client.post(
        f"/t/acme/accounts/{due.pk}/register/highlight/",
        {"title": "Record", "kind": "highlight", "happened_on": str(shop.today())},
    )
    page = client.get(f"/t/acme/accounts/{due.pk}/value/").content.decode()
    for words in ("$2,000", "Critical", "Docs", "Record", "Prepare QBR"):
        assert words in page
    assert client.post(f"{edit}remove/").status_code == 302
    assert client.get(edit).status_code == 404
    assert client.post(f"{edit}restore/").status_code == 302
    assert client.get(edit).status_code == 200


def test_only_admins_set_the_cadence_and_a_bulk_job_drafts_the_rest(
    shop: Tenant, due: Account, carl: Membership, alice: Membership
) -> None:
    said = {"draft_days": "20", "share_days": "30"}
    assert browser(carl).post("/t/acme/qbrs/cadence/", said).status_code == 403
    assert browser(alice).post("/t/acme/qbrs/cadence/", said | {"draft_days": "0"}).status_code == 400
    assert browser(alice).post("/t/acme/qbrs/cadence/", said).status_code == 302
    with tenant_scope(shop):
        settings = QbrSettings.objects.get()
        assert (settings.draft_days, settings.include_tech) == (20, False)
    assert browser(carl).post("/t/acme/qbrs/prepare/", {"month": str(shop.today())[:7]}).status_code == 302
    page = browser(carl).get("/t/acme/qbrs/").content.decode()
    assert "Packs are being drafted" in page


def test_the_pages_ask_the_same_however_much_there_is(shop: Tenant, due: Account, carl: Membership) -> None:
    client = browser(carl)

    def counts() -> list[int]:
        found = []
        for path in ("qbrs/", "qbrs/?view=calendar", f"accounts/{due.pk}/value/"):
            with CaptureQueriesContext(connection) as recording:
                assert client.get(f"/t/acme/{path}").status_code == 200
            found.append(len(recording))
        return found

    one = counts()
    with tenant_scope(shop):
        for number in range(2):
            other = Account.objects.create(
                tenant=shop,
                external_id=f"o{number}",
                name=f"O{number}",
                owner=carl,
                go_live_on=due.go_live_on,
            )
            assert other.pk
        draft_due_packs(tenant=shop, day=shop.today())
        assert Pack.objects.count() == 3
    assert counts() == one


def test_the_api_of_reviews(shop: Tenant, due: Account) -> None:
    secret = make_key(tenant=shop, name="k", scope="write")[1]
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    listed = client.get("/api/v1/qbrs?state=draft&account_id=a1").json()
    (pack,) = listed["results"]
    assert listed["next"] is None and pack["account_id"] == "a1" and pack["number"] == 3
    whole = client.get(f"/api/v1/qbrs/{pack['id']}").json()
    assert whole["content"]["sections"] and whole["figures"]
    figure = whole["figures"][0]
    assert client.get(f"/api/v1/figures/{figure['id']}").json() == figure
    verdict = client.post(
        f"/api/v1/figures/{figure['id']}/verify", {}, content_type="application/json"
    ).json()
    assert (verdict["verdict"], verdict["was"]) == ("holds", figure["value"])
    wish = {
        "account_id": "a1",
        "title": "Saved hours",
        "kind": "time",
        "source": "Survey",
        "amount_cents": 50_000,
        "currency": "USD",
        "first_month": "2026-01-15",
        "last_month": "2026-01-15",
    }
    made = client.post("/api/v1/roi", wish, content_type="application/json")
    assert made.status_code == 201 and made.json()["first_month"] == "2026-01-01"
    assert client.get("/api/v1/roi?account_id=a1").json()["results"] == [made.json()]
    for wrong in (
        {"amount_cents": 1.5},
        {"currency": "X"},
        {"kind": "luck"},
        {"first_month": "soon"},
        {"x": 1},
    ):
        refused = client.post("/api/v1/roi", wish | wrong, content_type="application/json")
        assert refused.status_code == 400, wrong
        assert refused.json()["error"]["details"][0]["path"] == next(iter(wrong))
    unknown = client.post("/api/v1/roi", wish | {"account_id": "none"}, content_type="application/json")
    assert unknown.status_code == 404
    assert client.get("/api/v1/qbrs?cursor=x").status_code == 400
