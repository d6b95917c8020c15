"""Figures: what is stored, and what verifying says after late events, new definitions and lost sources."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant, Ticket
from qbr.figures import (
    Asked,
    FigureResult,
    SourceGone,
    ask_as_recorded,
    record_figure,
    record_figures,
    register_figure_query,
    verify_figure,
    verify_figures,
)
from qbr.figures.registry import _queries
from qbr.models import Figure
from tests.usage.conftest import event, send
from usage.models import Metric
from usage.services import push_metric_values

AS_OF = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
MARCH = {"first": "2026-03-02", "last": "2026-03-15"}
SENDS = {"metric": "sends", **MARCH}


def sent(number: int, day: int, **fields: Any) -> dict[str, Any]:
    return event(number, occurred_at=f"2026-03-{day:02d}T15:00:00Z", **fields)


@pytest.fixture
def used(shop: Tenant, acorn: Account) -> Account:
    """Acorn sent 3 times in the first week and 2 times in the second, by two people; each received on its day."""
    days = [(1, 2), (2, 3), (3, 4), (4, 9), (5, 10)]
    for number, day in days:
        send(
            shop,
            [sent(number, day, user_id=f"u{number % 2}")],
            at=datetime(2026, 3, day, 16, tzinfo=UTC),
        )
    with tenant_scope(shop):
        acorn.refresh_from_db()
    return acorn


def made(tenant: Tenant, account: Account, query: str, **parameters: Any) -> Figure:
    with tenant_scope(tenant):
        return record_figure(tenant=tenant, account=account, query=query, parameters=parameters, as_of=AS_OF)


def verdict(tenant: Tenant, figure: Figure) -> tuple[str, float | None, float | None, str]:
    with tenant_scope(tenant):
        found = verify_figure(tenant=tenant, figure=Figure.objects.get(pk=figure.pk))
    return found.state, found.now, found.difference, found.reason


def late(tenant: Tenant, number: int, day: int, **fields: Any) -> None:
    send(tenant, [sent(number, day, **fields)], at=AS_OF + timedelta(days=1))


def test_a_figure_keeps_all_that_is_needed_to_ask_again(shop: Tenant, used: Account) -> None:
    figure = made(shop, used, "metric_total", **SENDS)
    assert (figure.value, figure.rows, figure.subject, figure.version) == (5.0, 5, "Sends", 1)
    assert figure.parameters == SENDS and figure.as_of == AS_OF and len(figure.hash) == 64
    assert verdict(shop, figure) == ("holds", 5.0, 0.0, "")


@pytest.mark.parametrize(
    ("query", "parameters", "value"),
    [
        ("metric_per_week", SENDS, 2.5),
        ("metric_by_week", SENDS, 2.0),
        ("active_users", MARCH, 2.0),
        ("metric_total", {"metric": "active_days", **MARCH}, 5.0),
        ("metric_total", {"metric": "replies", **MARCH}, None),  # nobody ever delivered one
        ("metric_total", {"metric": "reply_rate", **MARCH}, None),
        ("features_adopted", MARCH, 1.0),
        ("metric_change", {"metric": "sends", "first": "2026-03-09", "last": "2026-03-15"}, -33.333333),
        ("metric_change", SENDS, None),  # nothing before to compare with
        ("score_on", MARCH, None),
        ("tickets_open", MARCH, 0.0),
        ("ticket_hours", MARCH, None),
        ("roi_total", {**MARCH, "currency": "USD"}, None),
    ],
)
def test_shipped_queries(
    shop: Tenant, used: Account, query: str, parameters: dict[str, Any], value: float | None
) -> None:
    figure = made(shop, used, query, **parameters)
    assert figure.value == value
    assert verdict(shop, figure)[0] == "holds"


def test_silence_is_zero_while_a_fresh_source_delivers(shop: Tenant, used: Account) -> None:
    after = made(shop, used, "metric_total", metric="sends", first="2026-03-11", last="2026-03-12")
    before = made(shop, used, "metric_total", metric="sends", first="2026-02-01", last="2026-02-02")
    assert (after.value, before.value) == (0.0, None)


def test_a_late_event_changes_the_figures_of_its_days_and_no_other(shop: Tenant, used: Account) -> None:
    whole = made(shop, used, "metric_total", **SENDS)
    first_week = made(shop, used, "metric_total", metric="sends", first="2026-03-02", last="2026-03-08")
    users = made(shop, used, "active_users", **MARCH)
    weeks = made(shop, used, "metric_by_week", **SENDS)
    late(shop, 90, 11, user_id="u1")
    assert verdict(shop, whole) == ("changed", 6.0, 1.0, "late")
    assert verdict(shop, first_week) == ("holds", 3.0, 0.0, "")
    assert verdict(shop, users) == ("holds", 2.0, 0.0, "")
    assert verdict(shop, weeks) == ("changed", 3.0, 1.0, "late")
    with tenant_scope(shop):
        whole.refresh_from_db()
        again = ask_as_recorded(tenant=shop, figure=whole)
    assert (whole.verdict, whole.now_value, whole.value) == ("changed", 6.0, 5.0)
    assert isinstance(again, FigureResult) and again.value == 5.0


def test_a_chart_has_changed_when_a_row_has_though_its_number_is_the_same(
    shop: Tenant, used: Account
) -> None:
    weeks = made(shop, used, "metric_by_week", **SENDS)
    late(shop, 91, 5)
    assert verdict(shop, weeks) == ("changed", 2.0, 0.0, "late")


def test_a_figure_of_a_past_moment_says_what_was_known_then(shop: Tenant, used: Account) -> None:
    late(shop, 92, 11, user_id="u7")
    assert made(shop, used, "metric_total", **SENDS).value == 5.0
    assert made(shop, used, "active_users", **MARCH).value == 2.0


def test_another_definition_is_told_from_other_data(shop: Tenant, used: Account) -> None:
    figure = made(shop, used, "metric_total", **SENDS)
    with tenant_scope(shop), connection.cursor() as cursor:
        Metric.objects.filter(key="sends").update(events=["Nothing"])
        slot = Metric.objects.get(key="sends").slot
        cursor.execute(f'UPDATE usage_day SET "values"[{slot}] = NULL WHERE tenant_id = %s', [shop.pk])
    state, _, _, reason = verdict(shop, figure)
    assert (state, reason) == ("changed", "definition")


def test_a_corrected_value_is_restated(shop: Tenant, used: Account) -> None:
    item = {"account_id": "a1", "metric": "nps", "day": "2026-03-10", "value": 9}
    with tenant_scope(shop):
        push_metric_values(tenant=shop, items=[item], received_at=AS_OF - timedelta(days=5))
    figure = made(shop, used, "metric_total", metric="nps", **MARCH)
    with tenant_scope(shop):
        push_metric_values(tenant=shop, items=[{**item, "value": 7}], received_at=AS_OF + timedelta(days=1))
    assert figure.value == 9.0
    assert verdict(shop, figure) == ("changed", 7.0, -2.0, "restated")


def test_a_metric_that_was_switched_off_is_gone(shop: Tenant, used: Account) -> None:
    figure = made(shop, used, "metric_total", **SENDS)
    with tenant_scope(shop):
        Metric.objects.filter(key="sends").update(active=False)
        found = verify_figure(tenant=shop, figure=Figure.objects.get(pk=figure.pk))
    assert (found.state, found.was, found.now) == ("source_gone", 5.0, None)
    assert "sends" in found.detail
    with pytest.raises(SourceGone):
        made(shop, used, "metric_total", **SENDS)


def test_a_record_that_was_touched_does_not_hold(shop: Tenant, used: Account) -> None:
    figure = made(shop, used, "metric_total", **SENDS)
    with tenant_scope(shop):
        Figure.objects.filter(pk=figure.pk).update(rows=4)
    assert verdict(shop, figure)[0::3] == ("changed", "record")


def test_a_query_of_another_version_or_name_is_gone(
    shop: Tenant, used: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(**_: Any) -> FigureResult:
        return FigureResult(1.0, [(1,)])

    monkeypatch.setattr("qbr.figures.registry._queries", dict(_queries))
    register_figure_query("one", run, "One", "")
    figure = made(shop, used, "one")
    assert verdict(shop, figure)[0] == "holds"
    register_figure_query("one", run, "One", "", version=2)
    assert verdict(shop, figure)[0] == "source_gone"


def test_tickets_count_as_they_were_known(shop: Tenant, used: Account) -> None:
    opened = datetime(2026, 3, 5, 10, tzinfo=UTC)
    with tenant_scope(shop):
        for number, hours in ((1, 4), (2, 8), (3, None)):
            Ticket.objects.create(
                tenant=shop,
                account=used,
                external_id=f"t{number}",
                opened_at=opened,
                resolved_at=None if hours is None else opened + timedelta(hours=hours),
                received_at=opened,
            )
    assert made(shop, used, "tickets_opened", **MARCH).value == 3.0
    assert made(shop, used, "tickets_resolved", **MARCH).value == 2.0
    open_then = made(shop, used, "tickets_open", **MARCH)
    assert (open_then.value, made(shop, used, "ticket_hours", **MARCH).value) == (1.0, 6.0)
    with tenant_scope(shop):
        Ticket.objects.create(
            tenant=shop, account=used, external_id="t4", opened_at=opened, received_at=AS_OF + timedelta(1)
        )
    assert verdict(shop, open_then) == ("changed", 2.0, 1.0, "late")


def test_many_figures_cost_as_many_statements_as_one_of_each(shop: Tenant, used: Account) -> None:
    queries = [
        ("metric_total", SENDS),
        ("metric_change", SENDS),
        ("metric_by_week", SENDS),
        ("active_users", MARCH),
        ("features_adopted", MARCH),
        ("score_on", MARCH),
        ("tickets_open", MARCH),
    ]

    def statements(accounts: list[Account]) -> tuple[int, int]:
        asked = [
            Asked(account.pk, query, parameters) for account in accounts for query, parameters in queries
        ]
        with tenant_scope(shop):
            with CaptureQueriesContext(connection) as recording:
                figures = [f for f, _ in record_figures(tenant=shop, asked=asked, as_of=AS_OF)]
            with CaptureQueriesContext(connection) as verifying:
                verify_figures(tenant=shop, figures=figures)
        return len(recording), len(verifying)

    with tenant_scope(shop):
        others = [
            Account.objects.create(
                tenant=shop, external_id=f"b{n}", name=f"B{n}", first_seen_on=date(2026, 3, 1)
            )
            for n in range(2)
        ]
    assert statements([used]) == statements([used, *others])
