"""Figures above the board and the whitespace, against tables made by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Subscription
from expansion.models import Holding, Offering, Opportunity
from expansion.selectors import (
    expansion_revenue,
    export_matrix,
    matrix_accounts,
    matrix_offerings,
    opportunities_of,
    quarter_of,
    rows_of,
    stage_totals,
    tiles,
)
from expansion.selectors.whitespace import STATES
from expansion.services import note_holdings, open_opportunity
from tests.expansion.conftest import Growth


def put(growth: Growth, account: Account, what: str, stage: str, net: int, **more: Any) -> Opportunity:
    """A row as the services leave it."""
    values: dict[str, Any] = {
        "type": "cross_product",
        "stage_since": growth.today,
        "value_cents": net,
        "net_cents": net,
        "currency": "USD",
        "probability_pct": 30,
        "opened_on": growth.today,
        "close_on": growth.today,
    }
    return Opportunity.objects.create(account=account, what=what, stage=stage, **(values | more))


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 1, 1), date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 6, 30), date(2026, 4, 1), date(2026, 6, 30)),
        (date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_quarters(day: date, first: date, last: date) -> None:
    assert quarter_of(day) == (first, last)


def test_tiles_and_columns_match_a_table_made_by_hand(growth: Growth) -> None:
    first, last = quarter_of(growth.today)
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        empty = tiles(growth.tenant, opportunities_of(growth.tenant), growth.today)
        assert (empty.open_count, empty.average_age, [a.cents for a in empty.pipeline]) == (0, None, [0])
        put(growth, account, "a", "case", 101, probability_pct=10, opened_on=growth.ago(10))  # 10.1
        put(
            growth, account, "b", "case", 105, probability_pct=10, opened_on=growth.ago(20)
        )  # 10.5, together 20.6
        put(growth, account, "c", "closing", 1_000, probability_pct=75, close_on=last + timedelta(days=1))
        put(growth, account, "d", "pilot", 700, currency="EUR", probability_pct=50, close_on=growth.ago(1))
        put(growth, account, "e", "won", 4_000, closed_on=growth.today, won_mrr_cents=4_000)
        put(growth, account, "f", "won", 9_000, closed_on=first - timedelta(days=1), won_mrr_cents=9_000)
        put(growth, account, "g", "lost", 9_000, closed_on=growth.today)
        put(growth, account, "h", "won", 500, closed_on=growth.today, recurring=False, won_mrr_cents=0)
        shown = tiles(growth.tenant, opportunities_of(growth.tenant), growth.today)
        assert [(a.cents, a.currency) for a in shown.pipeline] == [(1_206, "USD"), (700, "EUR")]
        assert [(a.cents, a.currency) for a in shown.weighted] == [(21, "USD"), (350, "EUR")]
        assert (shown.open_count, shown.weighted_count, shown.overdue, shown.average_age) == (4, 3, 1, 7.5)
        won = [(a.cents, a.currency, a.recurring) for a in shown.won]
        assert (won, shown.won_count) == ([(4_000, "USD", True), (500, "USD", False)], 2)
        totals = stage_totals(growth.tenant, opportunities_of(growth.tenant))
        assert [(key, total.count) for key, total in totals.items()] == [
            ("case", 2), ("proposal", 0), ("pilot", 1), ("closing", 1)
        ]  # fmt: skip
        assert [a.cents for a in totals["closing"].weighted] == [750]
        revenue = expansion_revenue(growth.tenant, first - timedelta(days=1), last)
        assert {month: [a.cents for a in sums] for month, sums in revenue.items()} == {
            (first - timedelta(days=1)).replace(day=1): [9_000],
            growth.today.replace(day=1): [4_000],
        }


def test_who_has_what_is_told_by_plans_and_by_use_and_ends_with_them(growth: Growth) -> None:
    by_plan, by_use = growth.account("plan"), growth.account("use")
    growth.events(by_use, "Report Exported", 1, 2)
    with tenant_scope(growth.tenant):
        Offering.objects.filter(key="docs").update(metric_key="reports", metric_least=2)
        Subscription.objects.create(
            account=by_plan,
            external_id="s",
            plan="marketing",
            mrr_cents=700,
            starts_on=growth.ago(200),
            ends_on=growth.today,
        )
        Subscription.objects.create(account=by_plan, external_id="old", plan="Course", ends_on=growth.ago(9))
        first = note_holdings(tenant=growth.tenant, day=growth.ago(1))
        assert (first.began, first.ended) == (2, 0)
        held = Holding.objects.order_by("id").values_list(
            "account__external_id", "offering__key", "source", "mrr_cents"
        )
        assert list(held) == [("plan", "marketing", "plan", 700), ("use", "docs", "metric", None)]
        # The first look is no sale: what is found is as old as the contract and the use say.
        since = dict(Holding.objects.values_list("account__external_id", "since_on"))
        assert since == {"plan": growth.ago(200), "use": growth.ago(2)}
        again = note_holdings(tenant=growth.tenant, day=growth.ago(1))
        assert (again.began, again.ended) == (0, 0)
        later = note_holdings(tenant=growth.tenant, day=growth.today)
        assert (later.began, later.ended) == (0, 1)
        assert Holding.objects.get(account=by_plan).until_on == growth.today
        Subscription.objects.filter(external_id="s").update(ends_on=None)
        assert note_holdings(tenant=growth.tenant, day=growth.today).began == 1
        assert Holding.objects.get(account=by_plan, until_on=None).since_on == growth.today


def test_the_matrix_says_of_every_account_and_offering_how_it_stands(growth: Growth) -> None:
    accounts = [growth.account(key, segment=segment) for key, segment in (("a", "Small"), ("b", "Large"))]
    growth.account("gone", churned_on=growth.ago(3))
    with tenant_scope(growth.tenant):
        Offering.objects.filter(key="docs").update(segments=["Large"])
        course = Offering.objects.get(key="course")
        Holding.objects.create(
            account=accounts[0], offering=course, source="plan", since_on=growth.today, mrr_cents=5
        )
        open_opportunity(tenant=growth.tenant, account_id=accounts[1].pk, type="cross_product", what="course")
        offerings = matrix_offerings(growth.tenant, ["cross_product"])
        rows = rows_of(growth.tenant, list(matrix_accounts(growth.tenant)), offerings)
        stands = {row.account.external_id: [cell.state for cell in row.cells] for row in rows}
        assert stands == {"a": ["owned", "gap", "not_eligible"], "b": ["pipeline", "gap", "gap"]}
        assert rows[0].cells[0].cents == 5
        # The filter of the list and the cells agree.
        for place, offering in enumerate(offerings):
            for state in STATES:
                found = {
                    a.external_id for a in matrix_accounts(growth.tenant, offering=offering, state=state)
                }
                assert found == {key for key, cells in stands.items() if cells[place] == state}
        parts = export_matrix(growth.tenant, matrix_accounts(growth.tenant), offerings, size=1)
        assert [row.account.external_id for row in parts] == ["a", "b"]


def test_the_matrix_asks_as_much_for_three_accounts_as_for_one(growth: Growth) -> None:
    counts = []
    for keys in (["a"], ["b", "c"]):
        for key in keys:
            growth.account(key)
        with tenant_scope(growth.tenant), CaptureQueriesContext(connection) as queries:
            rows_of(growth.tenant, list(matrix_accounts(growth.tenant)), matrix_offerings(growth.tenant))
        counts.append(len(queries))
    assert counts == [4, 4]
