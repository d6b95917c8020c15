"""GRR, NRR and expansion share equal a table that was computed by hand; the statement equals the plain way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Subscription, Tenant
from expansion.models import MrrChange
from expansion.revenue import stored as stored_reports
from expansion.revenue.history import keep_mrr_history
from expansion.revenue.retention import Change, Movements, Period, Retention, movement, retention_of
from expansion.revenue.selectors import OWNER, SEGMENT, RetentionReport, retention, trailing_year
from expansion.revenue.stored import keep_retention, retention_report

YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))
# From when on each account pays how many euros a month (or dollars, where it says so).
HISTORIES: dict[str, list[tuple[str, int, str]]] = {
    "steady": [("2024-03-01", 100, "EUR")],
    "upgraded": [("2024-01-01", 200, "EUR"), ("2025-05-10", 300, "EUR")],
    "downgraded": [("2024-01-01", 400, "EUR"), ("2025-08-01", 250, "EUR")],
    "churned": [("2024-01-01", 150, "EUR"), ("2025-06-30", 0, "EUR")],
    "left and came back": [("2024-01-01", 120, "EUR"), ("2025-03-31", 0, "EUR"), ("2025-07-01", 90, "EUR")],
    "up and down in April": [
        ("2024-01-01", 80, "EUR"),
        ("2025-04-03", 140, "EUR"),
        ("2025-04-25", 80, "EUR"),
    ],
    "up, later down": [("2024-01-01", 100, "EUR"), ("2025-02-10", 180, "EUR"), ("2025-10-05", 100, "EUR")],
    "new": [("2025-02-01", 500, "EUR"), ("2025-09-15", 550, "EUR")],
    "back after years": [("2023-01-01", 70, "EUR"), ("2024-05-01", 0, "EUR"), ("2025-11-11", 60, "EUR")],
    "begins on the first day": [("2025-01-01", 110, "EUR")],
    "begins after the last day": [("2026-01-01", 999, "EUR")],
    "ends on the first day": [("2024-01-01", 90, "EUR"), ("2025-01-01", 0, "EUR")],
    "ends after the last day": [("2024-01-01", 60, "EUR"), ("2026-01-01", 0, "EUR")],
    "annual, dearer in September": [("2024-09-01", 100, "EUR"), ("2025-09-01", 110, "EUR")],
    "free": [("2024-01-01", 0, "EUR")],
    "in dollars": [("2024-01-01", 1000, "USD"), ("2025-06-01", 1100, "USD")],
    "changed currency": [("2024-01-01", 100, "EUR"), ("2025-07-01", 110, "USD")],
}
# By hand. Opening: 100+200+400+150+120+80+100+90+60+100. Who changed currency is left out.
EUROS = Movements(
    opening_cents=1400_00,
    new_cents=550_00 + 110_00,
    reactivation_cents=60_00,
    expansion_cents=100_00 + 10_00,
    contraction_cents=150_00 + 30_00,
    churn_cents=150_00 + 90_00,
    closing_cents=1810_00,
    accounts=10,
    churned=2,
    contracted=2,
    expanded=2,
    new=2,
    reactivated=1,
)
SOLD_IN_MONTHS = 100_00 + 80_00 + 50_00 + 10_00  # May, February, September twice; not April


def changes(rows: list[tuple[str, int, str]]) -> list[Change]:
    return [Change(date.fromisoformat(on), euros * 100, currency) for on, euros, currency in rows]


def check(found: dict[str, Retention]) -> None:
    euro, dollar = found["EUR"], found["USD"]
    assert euro.whole == EUROS
    assert euro.left_out == 1
    assert euro.grr_pct == pytest.approx(70.0)
    assert euro.nrr_pct == pytest.approx(1090 / 1400 * 100)
    assert euro.expansion_cents == SOLD_IN_MONTHS
    assert euro.expansion_pct == pytest.approx(240 / 1400 * 100)
    assert euro.whole.logo_pct == pytest.approx(80.0)
    april, march, july = euro.months[3], euro.months[2], euro.months[6]
    assert (april.expansion_cents, april.contraction_cents) == (0, 0)
    assert (march.churn_cents, july.reactivation_cents) == (120_00, 90_00)
    assert euro.months[0].churn_cents == 90_00
    assert dollar.grr_pct == pytest.approx(100.0)
    assert dollar.nrr_pct == pytest.approx(110.0)
    assert dollar.expansion_pct == pytest.approx(10.0)
    for one in (euro, dollar):
        for span in (one.whole, *one.months):
            kept = span.opening_cents - span.churn_cents - span.contraction_cents
            gained = span.new_cents + span.reactivation_cents + span.expansion_cents
            assert kept + gained == span.closing_cents


def test_the_plain_way_equals_the_table() -> None:
    check(retention_of([changes(rows) for rows in HISTORIES.values()], YEAR))


def test_a_period_has_its_calendar_months_and_may_begin_anywhere() -> None:
    assert Period(date(2025, 1, 15), date(2025, 3, 1)).edges() == [
        date(2025, 1, 15),
        date(2025, 2, 1),
        date(2025, 3, 1),
        date(2025, 3, 2),
    ]
    assert Period(date(2025, 2, 1), date(2025, 2, 28)).edges() == [date(2025, 2, 1), date(2025, 3, 1)]
    assert trailing_year(date(2026, 11, 22)) == Period(date(2025, 11, 1), date(2026, 10, 31))
    with pytest.raises(ValueError, match="ends on or after"):
        Period(date(2025, 2, 1), date(2025, 1, 31))


def test_nobody_at_the_start_gives_no_figure_and_not_a_hundred_percent() -> None:
    assert retention_of([], YEAR) == {}
    only_new = retention_of([changes([("2025-03-01", 10, "EUR")])], YEAR)["EUR"]
    assert (only_new.grr_pct, only_new.nrr_pct, only_new.expansion_pct) == (None, None, None)
    assert only_new.whole.new_cents == 10_00
    assert only_new.whole.logo_pct is None


def test_one_account_moves_in_one_way_only() -> None:
    assert movement(0, 0, paid_before=True) == Movements()
    assert movement(0, 5, paid_before=False).new == 1
    assert movement(0, 5, paid_before=True).reactivated == 1
    assert movement(5, 5, paid_before=True) == Movements(opening_cents=5, closing_cents=5, accounts=1)


# ── the statement ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme, whose currency is the euro."""
    Tenant.objects.filter(pk=acme.pk).update(currency="EUR")
    acme.currency = "EUR"
    with tenant_scope(acme):
        yield acme


def store(tenant: Tenant, name: str, history: list[Change], **fields: object) -> Account:
    account = Account.objects.create(tenant=tenant, external_id=name, name=name, **fields)
    MrrChange.objects.bulk_create(
        MrrChange(tenant=tenant, account=account, on=c.on, mrr_cents=c.mrr_cents, currency=c.currency)
        for c in history
    )
    return account


def test_the_statement_equals_the_table_in_one_query(inside: Tenant) -> None:
    for name, rows in HISTORIES.items():
        store(inside, name, changes(rows))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        report = retention(inside, YEAR)
    assert len(queries) == 1
    found = {one.currency: one for one in report.overall}
    check(found)
    assert found == retention_of([changes(rows) for rows in HISTORIES.values()], YEAR)
    assert [one.currency for one in report.overall] == ["EUR", "USD"]


def test_a_rate_makes_currencies_comparable(inside: Tenant) -> None:
    for name, rows in HISTORIES.items():
        store(inside, name, changes(rows))
    (one,) = retention(inside, YEAR, {"EUR": Decimal(1), "USD": Decimal("0.5")}).overall
    assert (one.currency, one.left_out, one.whole.opening_cents) == ("EUR", 0, 2000_00)
    assert one.whole.contraction_cents == 180_00 + 45_00
    assert one.grr_pct == pytest.approx(76.75)
    assert one.nrr_pct == pytest.approx(84.75)
    assert one.expansion_pct == pytest.approx(14.5)


def test_groups_add_up_to_the_whole(inside: Tenant, carl: Membership) -> None:
    for place, (name, rows) in enumerate(HISTORIES.items()):
        segment, owner = ("small", None) if place % 2 else ("large", carl)
        store(inside, name, changes(rows), segment=segment, owner=owner)
    report = retention(inside, YEAR)
    for dimension in (SEGMENT, OWNER):
        groups = report.of(dimension)
        assert {group.key for group in groups} == (
            {"small", "large"} if dimension == SEGMENT else {carl.pk, None}
        )
        euros = [one for group in groups for one in group.by_currency if one.currency == "EUR"]
        total = Movements()
        for one in euros:
            total = total.plus(one.whole)
        assert total == EUROS


def test_the_statement_equals_the_plain_way_on_random_histories(inside: Tenant) -> None:
    rng = random.Random(20_251)
    histories = []
    for number in range(60):
        day = date(2024, 6, 1) + timedelta(days=rng.randrange(400))
        history = []
        for _ in range(rng.randrange(1, 6)):
            history.append(
                Change(day, rng.choice([0, 0, 50_00, 100_00, 170_00]), "EUR" if number % 4 else "USD")
            )
            day += timedelta(days=rng.randrange(1, 200))
        histories.append(history)
        store(inside, f"a{number}", history)
    for period in (
        YEAR,
        Period(date(2025, 2, 10), date(2025, 5, 3)),
        Period(date(2025, 7, 7), date(2025, 7, 7)),
    ):
        found = {one.currency: one for one in retention(inside, period).overall}
        expected = {
            currency: one
            for currency, one in retention_of(histories, period).items()
            if one.whole != Movements() or any(month != Movements() for month in one.months)
        }
        assert found == expected


def test_two_subscriptions_of_an_account_count_together(inside: Tenant) -> None:
    account = Account.objects.create(tenant=inside, external_id="two", name="Two")
    for line, rows in (
        (1, [("2024-01-01", 100)]),
        (2, [("2024-01-01", 50), ("2025-03-03", 0)]),
        (3, [("2025-03-03", 80)]),
    ):
        for on, euros in rows:
            MrrChange.objects.create(
                account=account,
                line_id=line,
                on=date.fromisoformat(on),
                mrr_cents=euros * 100,
                currency="EUR",
            )
    (one,) = retention(inside, YEAR).overall
    assert one.whole == Movements(
        opening_cents=150_00, closing_cents=180_00, expansion_cents=30_00, accounts=1, expanded=1
    )


def test_the_stored_report_is_the_live_one_and_only_for_what_it_was_made(
    inside: Tenant, carl: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = trailing_year(inside.today())
    shift = period.first - YEAR.first
    for place, (name, rows) in enumerate(HISTORIES.items()):
        moved = [Change(one.on + shift, one.mrr_cents, one.currency) for one in changes(rows)]
        store(inside, name, moved, segment="ab"[place % 2], owner=carl if place % 3 else None)
    rates = {"USD": Decimal("0.5")}
    live, other = retention(inside, period, rates), retention(inside, period, {})
    assert len(live.groups) > 3 and live != other
    assert retention_report(inside, period, rates) == live  # before the first night
    keep_retention(tenant=inside, rates=rates)
    keep_retention(tenant=inside, rates=rates)
    asked: list[Period] = []

    def count(tenant: Tenant, period: Period, rates: dict[str, Decimal]) -> RetentionReport:
        asked.append(period)
        return retention(tenant, period, rates)

    monkeypatch.setattr(stored_reports, "retention", count)
    with CaptureQueriesContext(connection) as queries:
        found = retention_report(inside, period, {"USD": Decimal("0.50")})
    assert (found, len(queries), asked) == (live, 1, [])
    assert retention_report(inside, period, {}) == other  # a rate was taken out since
    assert retention_report(inside, YEAR, rates) == retention(inside, YEAR, rates)
    assert asked == [period, YEAR]


def test_nothing_stored_is_nothing_said(inside: Tenant) -> None:
    assert retention(inside, YEAR).overall == ()


# ── the history ─────────────────────────────────────────────────────────────────────────────────────────────────


def stored(account: Account) -> list[tuple[str, int]]:
    rows = MrrChange.objects.filter(account=account).order_by("line_id", "on")
    return [(row.on.isoformat(), row.mrr_cents) for row in rows]


def subscribe(account: Account, **fields: object) -> Subscription:
    values = {"external_id": f"{account.external_id}-s", "mrr_cents": 100_00, "currency": "EUR", **fields}
    return Subscription.objects.create(tenant=account.tenant, account=account, **values)


def night(tenant: Tenant, day: date) -> int:
    return keep_mrr_history(tenant=tenant, day=day)


def test_a_subscription_is_known_from_its_start_and_every_change_from_its_night(inside: Tenant) -> None:
    account = Account.objects.create(tenant=inside, external_id="a", name="A")
    one = subscribe(account, starts_on=date(2025, 1, 1))
    assert night(inside, date(2026, 3, 1)) == 1
    assert night(inside, date(2026, 3, 1)) == 0
    Subscription.objects.filter(pk=one.pk).update(mrr_cents=150_00)
    assert night(inside, date(2026, 3, 2)) == 1
    Subscription.objects.filter(pk=one.pk).update(ends_on=date(2026, 3, 5))
    assert night(inside, date(2026, 3, 4)) == 0  # an end that is still to come
    assert night(inside, date(2026, 3, 9)) == 1
    assert night(inside, date(2026, 3, 10)) == 0
    assert stored(account) == [("2025-01-01", 100_00), ("2026-03-02", 150_00), ("2026-03-05", 0)]


def test_an_end_that_is_told_late_counts_on_its_day(inside: Tenant) -> None:
    account = Account.objects.create(tenant=inside, external_id="a", name="A")
    one = subscribe(account, starts_on=date(2025, 1, 1))
    night(inside, date(2026, 3, 1))
    Subscription.objects.filter(pk=one.pk).update(mrr_cents=150_00)
    night(inside, date(2026, 3, 10))
    Subscription.objects.filter(pk=one.pk).update(ends_on=date(2026, 3, 5))
    night(inside, date(2026, 3, 11))
    assert stored(account) == [("2025-01-01", 100_00), ("2026-03-05", 0)]
    assert night(inside, date(2026, 3, 12)) == 0


def test_an_end_that_is_taken_back_is_a_return(inside: Tenant) -> None:
    account = Account.objects.create(tenant=inside, external_id="a", name="A")
    one = subscribe(account, starts_on=date(2025, 1, 1), ends_on=date(2026, 2, 1))
    night(inside, date(2026, 3, 1))
    Subscription.objects.filter(pk=one.pk).update(ends_on=None)
    night(inside, date(2026, 3, 3))
    assert stored(account) == [("2025-01-01", 100_00), ("2026-02-01", 0), ("2026-03-03", 100_00)]


def test_an_account_that_churned_pays_nothing_whatever_its_subscriptions_say(inside: Tenant) -> None:
    account = Account.objects.create(tenant=inside, external_id="a", name="A", churned_on=date(2026, 2, 1))
    subscribe(account, starts_on=date(2025, 1, 1))
    night(inside, date(2026, 3, 1))
    assert stored(account) == [("2025-01-01", 100_00), ("2026-02-01", 0)]


def test_an_account_without_subscriptions_is_its_own_line_until_it_has_one(inside: Tenant) -> None:
    account = Account.objects.create(
        tenant=inside, external_id="a", name="A", mrr_cents=70_00, currency="EUR", go_live_on=date(2025, 5, 1)
    )
    night(inside, date(2026, 3, 1))
    assert stored(account) == [("2025-05-01", 70_00)]
    one = subscribe(account, starts_on=date(2025, 8, 1), mrr_cents=90_00)
    night(inside, date(2026, 3, 2))
    assert stored(account) == [("2025-05-01", 70_00), ("2025-08-01", 0), ("2025-08-01", 90_00)]
    assert night(inside, date(2026, 3, 3)) == 0
    one.delete()
    Account.objects.filter(pk=account.pk).update(mrr_cents=0)
    night(inside, date(2026, 3, 4))
    assert stored(account)[-1] == ("2026-03-04", 0)


def test_the_night_asks_as_much_of_one_account_as_of_three(inside: Tenant) -> None:
    counts = []
    for size in (1, 3):
        for number in range(size):
            account = Account.objects.create(tenant=inside, external_id=f"{size}-{number}", name="A")
            subscribe(account, starts_on=date(2025, 1, 1))
        with CaptureQueriesContext(connection) as queries:
            night(inside, date(2026, 3, size))
        counts.append(len(queries))
    assert counts[0] == counts[1]
