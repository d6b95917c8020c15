"""The pages of renewals: list, calendar, forecast by CSM, one renewal with its forms, the plan, retention, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from expansion.models import MrrChange, Renewal, RenewalChange, RenewalCheckpoint, RenewalSettings
from playbooks.models import Task

Browser = Callable[[Membership], Client]
HOME = "/t/acme/renewals/"
SOON = "2099-01-01"


def make(tenant: Tenant, name: str, owner: Membership | None = None, **fields: Any) -> Renewal:
    """A renewal of an account that pays 100 a month, due in ten days."""
    with tenant_scope(tenant):
        account = Account.objects.create(
            tenant=tenant, external_id=name, name=name.title(), owner=owner, segment="large"
        )
        values: dict[str, Any] = {
            "due_on": tenant.today() + timedelta(days=10),
            "term_months": 12,
            "plan": "Pro",
            "currency": "EUR",
            "mrr_cents": 100_00,
            "target_cents": 1200_00,
            "forecast_cents": 1200_00,
            "category": "commit",
            "computed_category": "commit",
            "opened_on": tenant.today(),
        }
        return Renewal.objects.create(tenant=tenant, account=account, **values | fields)


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:2000]
    body = answer.content
    return body.decode()


def reload(tenant: Tenant, renewal: Renewal) -> Renewal:
    with tenant_scope(tenant):
        return Renewal.objects.get(pk=renewal.pk)


def test_the_list_shows_what_is_due_and_what_is_missing(
    acme: Tenant, carl: Membership, mona: Membership, browser: Browser
) -> None:
    make(acme, "kept", carl)
    make(acme, "danger", mona, category="at_risk", at_risk=True, risks=["category", "critical"])
    make(acme, "dollars", mona, currency="USD")
    make(acme, "gone", mona, state="lost", final_cents=0, closed_on=acme.today())
    client = browser(mona)
    page = text(client, HOME)
    assert ">Kept<" in page
    assert "Danger" in page
    assert "Gone" not in page
    assert "plan missing" in page
    assert "By currency" in page  # dollars are not added to euros
    own = text(browser(carl), HOME)
    assert "Kept" in own
    assert "Danger" not in own
    assert "Danger" in text(client, f"{HOME}?missing=plan")
    assert ">Kept<" not in text(client, f"{HOME}?missing=plan")
    assert "reason missing" in text(client, f"{HOME}?state=lost")
    assert "No renewal matches" in text(client, f"{HOME}?due=overdue")
    for due in ("month", "quarter", "next_quarter", "year", acme.today().strftime("%Y-%m")):
        assert "Renewals" in text(client, f"{HOME}?due={due}&sort=target&category=commit&segment=large&q=k")


def test_an_empty_company_is_told_where_renewals_come_from(
    acme: Tenant, mona: Membership, browser: Browser
) -> None:
    client = browser(mona)
    assert "No renewal is in sight" in text(client, HOME)
    assert "Nothing is due." in text(client, f"{HOME}calendar/")
    assert "Nothing is due in this period" in text(client, f"{HOME}team/")
    assert "No MRR is known in this period" in text(client, f"{HOME}retention/")


@pytest.mark.parametrize(
    "page", ["", "calendar/", "team/?due=year", "retention/?from=2025-01-01&to=2025-12-31"]
)
def test_pages_ask_as_much_of_one_row_as_of_three(
    acme: Tenant, carl: Membership, mona: Membership, browser: Browser, page: str
) -> None:
    client = browser(mona)
    counts = []
    for names in (["a"], ["b", "c"]):
        for name in names:
            one = make(acme, name, carl, at_risk=True, risks=["critical"])
            with tenant_scope(acme):
                MrrChange.objects.create(
                    account_id=one.account_id, on=date(2024, 5, 1), mrr_cents=5, currency="EUR"
                )
        text(client, HOME + page)
        with CaptureQueriesContext(connection) as queries:
            text(client, HOME + page)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_pages_of_the_list_follow_each_other(acme: Tenant, mona: Membership, browser: Browser) -> None:
    first = make(acme, "first")
    with tenant_scope(acme):
        rows = []
        for number in range(60):
            account = Account.objects.create(external_id=f"n{number:02d}", name=f"Number {number:02d}")
            rows.append(
                Renewal(
                    account=account,
                    due_on=first.due_on + timedelta(days=number // 3),
                    term_months=12,
                    mrr_cents=1,
                    target_cents=12 * (number // 4 + 1),
                    forecast_cents=0,
                    category="commit",
                    computed_category="commit",
                    opened_on=first.due_on,
                    tenant=acme,
                )
            )
        Renewal.objects.bulk_create(rows)
    client = browser(mona)
    for sort in ("", "target"):
        seen: list[str] = []
        address = f"{HOME}?sort={sort}"
        while address:
            answer = client.get(address)
            seen += [row.renewal.account.name for row in answer.context["found"].rows]
            address = answer.context["page"].next_url
        assert len(seen) == len(set(seen)) == 61
    exported = b"".join(client.get(f"{HOME}export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert len(exported.strip().splitlines()) == 62
    assert "Number 07" in exported


def test_calendar_and_forecast_by_csm(
    acme: Tenant, carl: Membership, mona: Membership, browser: Browser
) -> None:
    make(acme, "kept", carl, due_on=acme.today())
    make(acme, "danger", carl, due_on=acme.today(), category="at_risk", at_risk=True, risks=["severe"])
    make(acme, "less", None, due_on=acme.today(), state="renewed", outcome="less", final_cents=700_00,
         reason="price", closed_on=acme.today())  # fmt: skip
    client = browser(mona)
    months = text(client, f"{HOME}calendar/")
    assert "€3,600" in months
    assert "€3,100" in months  # 1,200 + 1,200 + 700
    team = text(client, f"{HOME}team/?due=month")
    assert "Carl" in team
    assert "Price" in team
    assert "€500" in team
    assert browser(carl).get(f"{HOME}team/").status_code == 403


def test_at_risk_without_a_plan_the_page_refuses_and_leads_to_the_plan(
    acme: Tenant, carl: Membership, browser: Browser
) -> None:
    renewal = make(acme, "danger", carl, at_risk=True, risks=["critical"])
    client = browser(carl)
    page = f"{HOME}{renewal.pk}/"
    assert "Nothing can be forecast before there is an action plan." in text(client, page)
    answer = client.post(
        f"{page}forecast/",
        {"forecast-category": "commit", "forecast-forecast_cents": "1000.50", "forecast-note": "Sure."},
    )
    assert answer.status_code == 400
    body = answer.content.decode()
    assert "Make an action plan first" in body
    assert "Sure." in body  # what was typed stays
    assert reload(acme, renewal).said_cents is None

    refused = client.post(
        f"{page}plan/",
        {"rows": "3", "summary": "", "title-0": "Call them", "owner-0": str(carl.pk), "due-0": ""},
    )
    assert refused.status_code == 400
    body = refused.content.decode()
    assert "Call them" in body
    assert "Choose a due date." in body
    assert "Say in a sentence what endangers the renewal." in body
    longer = client.post(f"{page}plan/", {"rows": "3", "do": "row", "title-0": "Call them"})
    assert longer.context["form"].rows[0].title == "Call them"
    assert len(longer.context["form"].rows) == 4
    made = client.post(
        f"{page}plan/",
        {
            "rows": "2",
            "summary": "Nobody uses it.",
            "title-1": "Call them",
            "owner-1": str(carl.pk),
            "due-1": SOON,
        },
    )
    assert made.status_code == 302
    with tenant_scope(acme):
        assert Task.objects.get().title == "Call them"
    answer = client.post(
        f"{page}forecast/",
        {"forecast-category": "at_risk", "forecast-forecast_cents": "1000.50", "forecast-note": ""},
    )
    assert answer.status_code == 302
    found = reload(acme, renewal)
    assert (found.category, found.forecast_cents) == ("at_risk", 1000_50)
    body = text(client, page)
    assert "Nobody uses it." in body
    assert "Call them" in body
    assert "0 of 1 steps done" in body


def test_a_forecast_above_the_target_is_refused_beside_its_field(
    acme: Tenant, carl: Membership, browser: Browser
) -> None:
    renewal = make(acme, "kept", carl)
    answer = browser(carl).post(
        f"{HOME}{renewal.pk}/forecast/", {"forecast-category": "", "forecast-forecast_cents": "1200.01"}
    )
    assert answer.status_code == 400
    assert "The forecast is at most the target." in answer.content.decode()
    assert "1200.01" in answer.content.decode()


def test_calls_checkpoints_and_the_end(acme: Tenant, carl: Membership, browser: Browser) -> None:
    renewal = make(acme, "kept", carl)
    with tenant_scope(acme):
        RenewalCheckpoint.objects.create(
            renewal=renewal, months=3, on=acme.today(), way="call", computed_category="best_case"
        )
    client = browser(carl)
    page = f"{HOME}{renewal.pk}/"
    assert client.post(f"{page}call/", {"call-note": ""}).status_code == 400
    said = client.post(f"{page}call/", {"call-note": "They renew.", "call-category": "best_case"})
    assert said.status_code == 302
    body = text(client, page)
    assert "They renew." in body
    assert "CSM and numbers disagree" in body
    refused = client.post(f"{page}close/", {"close-final": "1000"})
    assert refused.status_code == 400
    assert "Say why it comes to less." in refused.content.decode()
    closed = client.post(f"{page}close/", {"close-final": "1000", "close-reason": "price"})
    assert closed.status_code == 302
    found = reload(acme, renewal)
    assert (found.state, found.outcome, found.final_cents) == ("renewed", "less", 1000_00)
    assert "Price" in text(client, page)
    with tenant_scope(acme):
        assert list(RenewalChange.objects.order_by("id").values_list("kind", flat=True)) == ["call", "closed"]


def test_a_reason_is_asked_for_when_it_closed_by_itself(
    acme: Tenant, carl: Membership, browser: Browser
) -> None:
    renewal = make(acme, "gone", carl, state="lost", final_cents=0, closed_on=acme.today())
    client = browser(carl)
    page = f"{HOME}{renewal.pk}/"
    assert "Save the reason" in text(client, page)
    assert client.post(f"{page}reason/", {"reason-reason": "other"}).status_code == 400
    assert client.post(f"{page}reason/", {"reason-reason": "competitor"}).status_code == 302
    assert "Went to a competitor" in text(client, page)


def test_viewers_read_and_csms_do_not_touch_what_is_not_theirs(
    acme: Tenant, carl: Membership, mona: Membership, vera: Membership, browser: Browser
) -> None:
    renewal = make(acme, "kept", mona)
    page = f"{HOME}{renewal.pk}/"
    assert "Save the forecast" not in text(browser(vera), page)
    assert "Save the forecast" not in text(browser(carl), page)
    assert "Save the forecast" in text(browser(mona), page)
    assert browser(carl).post(f"{page}forecast/", {"forecast-category": "commit"}).status_code == 403
    assert browser(carl).get(f"{page}plan/").status_code == 403
    assert browser(mona).get(f"{page}plan/").status_code == 200
    assert browser(mona).get(f"{HOME}{renewal.pk + 999}/").status_code == 404


def test_retention_says_its_definition_and_its_numbers(
    acme: Tenant, mona: Membership, browser: Browser
) -> None:
    with tenant_scope(acme):
        for name, rows in (
            ("up", (("2024-05-01", 100), ("2025-06-01", 130))),
            ("down", (("2024-05-01", 100), ("2025-09-01", 0))),
        ):
            account = Account.objects.create(external_id=name, name=name, segment="large")
            for on, euros in rows:
                MrrChange.objects.create(
                    account=account, on=date.fromisoformat(on), mrr_cents=euros * 100, currency="EUR"
                )
    client = browser(mona)
    page = text(client, f"{HOME}retention/?from=2025-01-01&to=2025-12-31")
    for figure in ("65.0%", "50.0%", "15.0%", "of 2 accounts that paid at the start"):
        assert figure in page, figure
    assert "How it is computed" in page
    wrong = text(client, f"{HOME}retention/?from=2025-12-31&to=2025-01-01")
    assert "This is no period" in wrong
    assert "nobody paid at the start" in text(client, f"{HOME}retention/?from=2024-04-01&to=2024-05-31")


def test_settings_are_kept_and_faults_stand_beside_them(
    acme: Tenant, alice: Membership, browser: Browser
) -> None:
    client = browser(alice)
    sent = {
        "usual_term_months": "12",
        "shortest_term_months": "1",
        "commit_pct": "90",
        "best_case_pct": "60",
        "at_risk_pct": "20",
        "rates_text": "EUR 1,10\nGBP x",
    }
    refused = client.post(f"{HOME}settings/", sent)
    assert refused.status_code == 400
    assert "The rate of GBP must be a number above 0." in refused.content.decode()
    assert client.post(f"{HOME}settings/", {**sent, "rates_text": "EUR 1,10"}).status_code == 302
    with tenant_scope(acme):
        found = RenewalSettings.objects.get()
    assert (found.rates, found.commit_pct, found.shortest_term_months) == ({"EUR": "1.1"}, 90, 1)
    assert "EUR 1.1" in text(client, f"{HOME}settings/")


@pytest.mark.parametrize("page", ["", "calendar/", "team/", "retention/", "settings/"])
def test_pages_speak_spanish(acme: Tenant, alice: Membership, browser: Browser, page: str) -> None:
    make(acme, "kept", alice, at_risk=True, risks=["critical"])
    alice.user.language = "es"
    alice.user.save()
    assert "Renovaciones" in text(browser(alice), HOME + page)


def test_the_account_s_page_leads_to_its_renewals(acme: Tenant, carl: Membership, browser: Browser) -> None:
    renewal = make(acme, "danger", carl, at_risk=True, risks=["critical"])
    page = text(browser(carl), f"/t/acme/accounts/{renewal.account_id}/value/")
    assert f"{HOME}{renewal.pk}/" in page
    assert "plan missing" in page
