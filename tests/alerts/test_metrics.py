"""Rules over metrics, from daily rows to alerts: the seeds' conditions and what must not fire them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, Tenant
from alerts.models import Alert, Rule
from alerts.services import evaluate_rules
from usage.models import Metric, Source, SourceMetric

from .conftest import SUNDAY

START = date(2025, 12, 1)  # when everything began: a Monday, 14 weeks before
SLOTS = {"sends": 1, "replies": 2, "dashboards_active": 3}


def install_metrics(
    tenant: Tenant, *, first_on: date = START, received: Sequence[date] = ()
) -> dict[str, Metric]:
    """Sends, replies, their ratio and a pushed number of dashboards, from a source that delivers every day."""
    metrics = {
        key: Metric.objects.create(
            tenant=tenant,
            key=key,
            name=key,
            slot=slot,
            kind=Metric.Kind.PUSHED if key == "dashboards_active" else Metric.Kind.COUNT,
        )
        for key, slot in SLOTS.items()
    }
    metrics["reply_rate"] = Metric.objects.create(
        tenant=tenant,
        key="reply_rate",
        name="reply_rate",
        kind=Metric.Kind.RATIO,
        numerator="replies",
        denominator="sends",
        decimals=4,
    )
    source = Source.objects.create(tenant=tenant, key="api", name="api")
    for key in SLOTS:
        SourceMetric.objects.create(tenant=tenant, source=source, metric=metrics[key], first_on=first_on)
    days = received or [START + timedelta(days=n) for n in range((SUNDAY - START).days + 22)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_source_day (tenant_id, source_id, received_on, events) "
            "SELECT %s, %s, d, 1 FROM unnest(%s::date[]) AS d",
            [tenant.pk, source.pk, [day.isoformat() for day in days]],
        )
    return metrics


def store(account: Account, day: date, **values: float) -> None:
    """One account-day."""
    slots = [values.get(key) for key in SLOTS]
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s::float8[])',
            [account.tenant_id, account.pk, day, slots],
        )


def store_weeks(account: Account, weeks: Sequence[dict[str, float]], *, last: date = SUNDAY) -> None:
    """One row a week, on its Wednesday; the last week ends on `last`."""
    for back, values in enumerate(reversed(weeks)):
        store(account, last - timedelta(days=4 + 7 * back), **values)


def evaluate(tenant: Tenant, day: date = SUNDAY) -> tuple[int, int]:
    summary = evaluate_rules(tenant=tenant, day=day)
    return summary.opened, summary.resolved


def only(key: str) -> None:
    Rule.objects.exclude(key=key).update(enabled=False)


@pytest.fixture
def usage_rule(inside: Tenant) -> Tenant:
    """Acme with metrics and the usage rule alone."""
    only("usage_under_target")
    install_metrics(inside)
    return inside


@pytest.fixture
def targeted(usage_rule: Tenant, owned: Account) -> Account:
    """Carl's account with a target of 100 sends a week."""
    owned.targets = {"sends": 100}
    owned.save()
    return owned


@pytest.mark.parametrize(
    ("weeks", "fires"),
    [([49, 49], 1), ([50, 49], 0), ([49, 50], 0), ([0, 0], 1), ([200, 0], 0), ([0, 200], 0)],
)
def test_usage_under_half_the_target_for_two_complete_weeks(
    usage_rule: Tenant, targeted: Account, weeks: list[float], fires: int
) -> None:
    store_weeks(targeted, [{"sends": 150}, *({"sends": sends} for sends in weeks)])
    assert evaluate(usage_rule) == (fires, 0)


def test_the_evidence_names_metric_target_and_both_weeks(usage_rule: Tenant, targeted: Account) -> None:
    store_weeks(targeted, [{"sends": 30}, {"sends": 10}])
    evaluate(usage_rule)
    alert = Alert.objects.get()
    assert alert.evidence == {
        "below": 0.5,
        "weeks": ["2026-03-01", "2026-03-08"],
        "metrics": [{"metric": "sends", "target": 100, "values": [30, 10]}],
    }
    assert alert.run is not None
    assert (alert.run.playbook.key, alert.severity) == ("express_training", "high")


def test_a_week_that_is_not_over_does_not_count(usage_rule: Tenant, targeted: Account) -> None:
    store_weeks(targeted, [{"sends": 150}, {"sends": 10}, {"sends": 10}])
    assert evaluate(usage_rule, SUNDAY - timedelta(days=1)) == (0, 0)
    assert evaluate(usage_rule, SUNDAY) == (1, 0)


@pytest.mark.parametrize("targets", [{}, {"sends": 0}, {"sends": None}, {"sends": "many"}, {"unheard_of": 5}])
def test_without_a_target_that_can_be_measured_nothing_fires(
    usage_rule: Tenant, targeted: Account, targets: dict[str, Any]
) -> None:
    Account.objects.filter(pk=targeted.pk).update(targets=targets)
    assert evaluate(usage_rule) == (0, 0)


def test_it_resolves_when_the_last_seven_days_are_back_at_sixty_percent(
    usage_rule: Tenant, targeted: Account
) -> None:
    store_weeks(targeted, [{"sends": 10}, {"sends": 10}])
    assert evaluate(usage_rule) == (1, 0)
    store(targeted, SUNDAY + timedelta(days=1), sends=49)
    assert evaluate(usage_rule, SUNDAY + timedelta(days=1)) == (0, 0)  # 49 + 10 of the Wednesday before: 59
    store(targeted, SUNDAY + timedelta(days=2), sends=1)
    assert evaluate(usage_rule, SUNDAY + timedelta(days=2)) == (0, 1)  # 60
    assert evaluate(usage_rule, SUNDAY + timedelta(days=2)) == (0, 0)
    assert evaluate(usage_rule, SUNDAY + timedelta(days=3)) == (0, 0)  # cooling down


def test_a_target_that_is_taken_away_resolves(usage_rule: Tenant, targeted: Account) -> None:
    evaluate(usage_rule)
    Account.objects.filter(pk=targeted.pk).update(targets={})
    assert evaluate(usage_rule, SUNDAY + timedelta(days=1)) == (0, 1)


def test_an_account_first_seen_after_the_first_week_is_not_judged(
    usage_rule: Tenant, targeted: Account
) -> None:
    Account.objects.filter(pk=targeted.pk).update(first_seen_on=SUNDAY - timedelta(days=6))
    assert evaluate(usage_rule) == (0, 0)
    Account.objects.filter(pk=targeted.pk).update(first_seen_on=SUNDAY - timedelta(days=7))
    assert evaluate(usage_rule) == (1, 0)


def test_a_dead_source_fires_nothing_and_resolves_nothing(inside: Tenant, carl: Membership) -> None:
    only("usage_under_target")
    alive = [START + timedelta(days=n) for n in range((SUNDAY - START).days - 8)]
    install_metrics(inside, received=alive)
    for n in range(3):
        Account.objects.create(
            tenant=inside,
            external_id=str(n),
            name="A",
            owner=carl,
            targets={"sends": 100},
            first_seen_on=START,
        )
    summary = evaluate_rules(tenant=inside, day=SUNDAY)
    assert (summary.opened, summary.suspended) == (0, ("usage_under_target",))


def test_a_source_that_is_back_is_not_held_against_the_accounts(inside: Tenant, owned: Account) -> None:
    only("usage_under_target")
    days = [START + timedelta(days=n) for n in range((SUNDAY - START).days + 22)]
    outage = {SUNDAY - timedelta(days=n) for n in range(3, 12)}
    install_metrics(inside, received=[day for day in days if day not in outage])
    Account.objects.filter(pk=owned.pk).update(targets={"sends": 100})
    assert evaluate_rules(tenant=inside, day=SUNDAY).suspended == ("usage_under_target",)
    assert evaluate(inside, SUNDAY + timedelta(days=7)) == (
        0,
        0,
    )  # the older of the two weeks was interrupted
    assert evaluate(inside, SUNDAY + timedelta(days=14)) == (1, 0)


def test_a_metric_that_nobody_counted_in_the_first_week_is_not_zero_there(
    inside: Tenant, owned: Account
) -> None:
    only("usage_under_target")
    install_metrics(inside, first_on=SUNDAY - timedelta(days=3))
    Account.objects.filter(pk=owned.pk).update(targets={"sends": 100})
    assert evaluate(inside) == (0, 0)


def test_history_that_was_imported_in_one_go_counts(inside: Tenant, owned: Account) -> None:
    only("usage_under_target")
    install_metrics(inside, first_on=SUNDAY, received=[SUNDAY])
    Account.objects.filter(pk=owned.pk).update(targets={"sends": 100})
    store_weeks(owned, [{"sends": 20}, {"sends": 20}])
    assert evaluate(inside) == (1, 0)


# ── Reply rate ──────────────────────────────────────────────────────────────────────────────────────────────────

FOUR_WEEKS = [
    {"sends": sends, "replies": replies} for sends, replies in [(200, 50), (50, 5), (100, 20), (50, 5)]
]


@pytest.fixture
def reply_rule(inside: Tenant) -> Tenant:
    """Acme with metrics and the reply rule alone."""
    only("reply_rate_falling")
    install_metrics(inside)
    return inside


@pytest.mark.parametrize(
    ("week", "fires"),
    [
        (
            {"sends": 100, "replies": 13},
            1,
        ),  # 80 of 400 is 20 %, pooled; the mean of the weekly rates would be 16.25 %
        ({"sends": 100, "replies": 14}, 0),  # exactly 70 % of it
        ({"sends": 20, "replies": 0}, 1),
        ({"sends": 19, "replies": 0}, 0),
        ({}, 0),
    ],
)
def test_a_reply_rate_under_seventy_percent_of_the_pooled_four_weeks(
    reply_rule: Tenant, owned: Account, week: dict[str, float], fires: int
) -> None:
    store_weeks(owned, [{"sends": 9000, "replies": 9000}, *FOUR_WEEKS, week])
    assert evaluate(reply_rule) == (fires, 0)
    if fires:
        alert = Alert.objects.get()
        assert (alert.evidence["baseline"], alert.evidence["week"]) == (0.2, "2026-03-08")
        assert alert.run is not None
        assert alert.run.playbook.key == "hooks_review"


def test_a_reply_rate_that_is_back_resolves(reply_rule: Tenant, owned: Account) -> None:
    store_weeks(owned, [*FOUR_WEEKS, {"sends": 100, "replies": 1}])
    assert evaluate(reply_rule) == (1, 0)
    store_weeks(owned, [{"sends": 100, "replies": 20}], last=SUNDAY + timedelta(days=7))
    assert evaluate(reply_rule, SUNDAY + timedelta(days=6)) == (0, 0)
    assert evaluate(reply_rule, SUNDAY + timedelta(days=7)) == (0, 1)


# ── Dashboards ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def dashboard_rule(inside: Tenant) -> Tenant:
    """Acme with metrics and the dashboard rule alone."""
    only("no_active_dashboard")
    install_metrics(inside)
    return inside


@pytest.mark.parametrize(("value", "fires"), [(0.0, 1), (1.0, 0), (None, 0)])
def test_no_active_dashboard_fires_and_one_that_was_never_reported_does_not(
    dashboard_rule: Tenant, owned: Account, value: float | None, fires: int
) -> None:
    if value is not None:
        store(owned, SUNDAY - timedelta(days=2), dashboards_active=value)
    assert evaluate(dashboard_rule) == (fires, 0)


@pytest.mark.parametrize(("days_ago", "fires"), [(29, 0), (30, 1)])
def test_thirty_days_of_grace_from_go_live(
    dashboard_rule: Tenant, owned: Account, days_ago: int, fires: int
) -> None:
    Account.objects.filter(pk=owned.pk).update(go_live_on=SUNDAY - timedelta(days=days_ago))
    store(owned, SUNDAY, dashboards_active=0)
    assert evaluate(dashboard_rule) == (fires, 0)


def test_the_day_after_a_dashboard_works_the_alert_resolves(dashboard_rule: Tenant, owned: Account) -> None:
    store(owned, SUNDAY, dashboards_active=0)
    assert evaluate(dashboard_rule) == (1, 0)
    assert evaluate(dashboard_rule) == (0, 0)
    store(owned, SUNDAY + timedelta(days=1), dashboards_active=1)
    assert evaluate(dashboard_rule, SUNDAY + timedelta(days=1)) == (0, 1)
    assert Alert.objects.get().state == "resolved"


def test_a_value_that_is_no_longer_reported_neither_fires_nor_resolves(
    dashboard_rule: Tenant, owned: Account
) -> None:
    store(owned, SUNDAY, dashboards_active=0)
    evaluate(dashboard_rule)
    assert evaluate(dashboard_rule, SUNDAY + timedelta(days=8)) == (0, 0)
    assert Alert.objects.get().state == "open"


def test_the_rules_over_metrics_take_as_many_queries_for_three_accounts_as_for_one(
    inside: Tenant, carl: Membership
) -> None:
    install_metrics(inside)
    counts = []
    for night, size in enumerate((1, 1, 3)):  # the first night only makes alerts for the others to find open
        day = SUNDAY + timedelta(days=7 * night)
        for n in range(size):
            account = Account.objects.create(
                tenant=inside,
                external_id=f"{night}-{n}",
                name="A",
                owner=carl,
                targets={"sends": 100},
                first_seen_on=START,
                go_live_on=START,
            )
            store_weeks(account, [{"sends": 9, "replies": 9}, {"sends": 25}], last=day)
            store(account, day, dashboards_active=0)
        with CaptureQueriesContext(connection) as captured:
            summary = evaluate_rules(tenant=inside, day=day)
        assert summary.opened == 3 * size
        counts.append(len(captured))
    assert counts[1] == counts[2]
