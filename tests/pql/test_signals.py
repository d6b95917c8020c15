"""Signals as a metric: what is counted, what fades, and that the past tells the same as the night did."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry
from pql.models import LeadSettings, Signal
from pql.services import install_leads, measure_signals, save_signal
from scoring.selectors import explanation
from tests.pql.conftest import Leads
from usage.models import Metric
from usage.services import create_metric


def points(leads: Leads, account: Account, ago: int = 0) -> float | None:
    """What the metric says of a day."""
    with tenant_scope(leads.tenant), connection.cursor() as cursor:
        slot = Metric.objects.get(key="signal_points").slot
        cursor.execute(
            f'SELECT "values"[{slot}] FROM usage_day WHERE tenant_id = %s AND account_id = %s AND day = %s',
            [leads.tenant.pk, account.pk, leads.ago(ago)],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def measure(leads: Leads, ago: int = 0, first: int | None = None) -> None:
    with tenant_scope(leads.tenant):
        measure_signals(
            tenant=leads.tenant, day=leads.ago(ago), first_day=None if first is None else leads.ago(first)
        )


def test_signals_of_each_kind_add_up_and_fade(leads: Leads) -> None:
    account, silent = leads.account("a"), leads.account("silent")
    leads.events(account, "limit-reached", 14)  # 50 points, half left
    leads.events(account, "Billing Viewed", 0, times=20)  # 35, however often
    leads.events(account, "Teammate Invited", 28)  # 30, a quarter left
    measure(leads)
    assert points(leads, account) == 25 + 35 + 7.5
    assert points(leads, silent) == 0.0
    standing = leads.standing(account)
    assert [(s["key"], s["points"]) for s in standing.signals] == [
        ("billing_visited", 35.0),
        ("limit_reached", 25.0),
        ("colleagues_invited", 7.5),
    ]
    assert leads.standing(silent).signal_points == 0.0


def test_the_component_of_the_score_reads_the_metric(leads: Leads) -> None:
    account = leads.account("a")
    leads.busy(account, days=5, users=2, features=2, events=2)
    leads.events(account, "Limit Reached", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        parts = {p["key"]: p for p in explanation(leads.tenant, account.pk, "pql")["components"]}
    assert parts["signals"]["measures"] == [{"metric": "signal_points", "value": 50.0, "scaled": 75.0}]


def test_silence_is_zero_only_when_somebody_could_have_spoken(leads: Leads) -> None:
    account = leads.account("a")
    leads.busy(account, days=3, users=1, features=1, events=1)
    measure(leads)
    assert points(leads, account) is None  # no source has ever sent a signal
    assert leads.standing(account).signal_points is None


def test_a_state_can_be_a_signal(leads: Leads) -> None:
    account = leads.account("a", seats=2)
    leads.busy(account, days=1, users=2, features=1, events=2)
    leads.night()
    assert leads.standing(account).signals == [
        {"key": "seats_nearly_full", "on": leads.today.isoformat(), "points": 30.0}
    ]


def test_the_past_tells_what_each_night_could_know(leads: Leads) -> None:
    account = leads.account("a")
    leads.events(account, "Limit Reached", 9, 5)
    leads.events(account, "Billing Viewed", 6, received_ago=3)  # known three days late
    leads.events(account, "Contact Sales", 1, 0)
    measure(leads, 2, first=12)
    expected = {12: None, 10: None, 9: 50.0, 8: 47.58, 5: 50.0, 4: 47.58, 3: 45.29 + 26.0, 2: 43.1 + 23.55}
    assert {ago: points(leads, account, ago) for ago in expected} == pytest.approx(expected)


def spend(leads: Leads, account: Account, ago: int, amount: float, received_ago: int, at: int = 1) -> None:
    """An order with an amount, on a day at an hour, known some days later."""
    leads.sent += 1
    leads.send(
        [
            {
                "account_id": account.external_id,
                "event": "Order",
                "user_id": "u",
                "occurred_at": datetime.combine(leads.ago(ago), time(at), tzinfo=UTC).isoformat(),
                "received_at": datetime.combine(leads.ago(received_ago), time(20), tzinfo=UTC).isoformat(),
                "event_id": str(leads.sent),
                "properties": {"amount": amount},
            }
        ]
    )


@pytest.mark.parametrize(
    ("kind", "least", "seen"),
    [
        ("sum", 100, {5, 4, 3, 2}),  # 60 and 50 of one day: the second was known four days late
        ("max", 60, {7, 6, 5, 4, 3, 2}),  # 60 alone is enough
        ("last", 60, {7, 6}),  # then the later 50 of that day became known
    ],
)
def test_a_metric_of_amounts_is_told_as_it_was_known(
    leads: Leads, kind: str, least: float, seen: set[int]
) -> None:
    account = leads.account("a")
    with tenant_scope(leads.tenant):
        Signal.objects.update(active=False)
        fields = {"key": "amount", "name": "Amount", "kind": kind, "events": ["Order"], "property": "amount"}
        create_metric(tenant=leads.tenant, fields=fields)
        signal = Signal(
            key="spends", name="Spends", kind="other", metric_key="amount", at_least=least, points=40
        )
        save_signal(tenant=leads.tenant, signal=signal)
    spend(leads, account, 9, 60, received_ago=7, at=1)
    spend(leads, account, 9, 50, received_ago=5, at=2)
    measure(leads, 2, first=12)
    row = {ago: points(leads, account, ago) for ago in range(12, 1, -1)}
    assert {ago: value for ago, value in row.items() if value} == {
        ago: pytest.approx(40 * 0.5 ** ((9 - ago) / 14), abs=0.005) for ago in seen
    }
    for ago in (9, 7, 6, 5, 2):
        measure(leads, ago)
        assert points(leads, account, ago) == row[ago], ago  # that night alone tells the same


def test_one_past_night_and_the_same_night_in_a_row_agree_with_the_live_one(leads: Leads) -> None:
    account = leads.account("a")
    leads.events(account, "Limit Reached", 20, 3)
    leads.events(account, "Teammate Invited", 40, 2)
    measure(leads, 1)
    live = points(leads, account, 1)
    measure(leads, 1, first=30)
    assert points(leads, account, 1) == live
    alone = {}
    for ago in (30, 17, 5, 2):
        row = points(leads, account, ago)
        measure(leads, ago)
        alone[ago] = points(leads, account, ago)
        assert alone[ago] == row
    assert len({value for value in alone.values() if value is not None}) > 1


def test_a_night_for_the_past_leaves_the_board_alone(leads: Leads) -> None:
    account = leads.account("a")
    leads.events(account, "Limit Reached", 0)
    leads.night()
    before = leads.standing(account).signals
    measure(leads, 20)
    assert leads.standing(account).signals == before


def test_an_own_signal_counts_what_is_stored_already(leads: Leads) -> None:
    account = leads.account("a")
    leads.events(account, "Export Blocked", 0)
    with tenant_scope(leads.tenant):
        Signal.objects.update(active=False)
        signal = save_signal(
            tenant=leads.tenant,
            signal=Signal(
                key="blocked", name="Export blocked", kind="limit", events=["export blocked"], points=40
            ),
        )
        assert (signal.metric_key, Metric.objects.get(key="signal_blocked").kind) == (
            "signal_blocked",
            "count",
        )
        assert AuditEntry.objects.filter(action="signal.added", target="signal:blocked").count() == 1
    measure(leads)
    assert points(leads, account) == 40.0
    leads.events(account, "Paywall Seen", 0)
    with tenant_scope(leads.tenant):
        signal.events = ["Paywall Seen"]
        signal.at_least = 2
        save_signal(tenant=leads.tenant, signal=signal)
    measure(leads)
    assert points(leads, account) == 0.0
    leads.events(account, "Paywall Seen", 0)
    measure(leads)
    assert points(leads, account) == 40.0


@pytest.mark.parametrize(
    ("fields", "place"),
    [({}, "events"), ({"metric_key": "nothing"}, "metric_key"), ({"metric_key": "reply_rate"}, "metric_key")],
)
def test_a_signal_that_cannot_be_counted_is_refused(leads: Leads, fields: dict[str, str], place: str) -> None:
    with tenant_scope(leads.tenant), pytest.raises(ValidationError) as refused:
        save_signal(tenant=leads.tenant, signal=Signal(key="x", name="X", kind="other", **fields))
    assert list(refused.value.message_dict) == [place]


def test_the_starter_set_comes_once_and_in_the_tenants_language(leads: Leads) -> None:
    with tenant_scope(leads.tenant):
        assert Signal.objects.count() == 5
        Signal.objects.filter(kind="sales").delete()
        install_leads(tenant=leads.tenant)
        assert Signal.objects.count() == 4  # what was deleted stays deleted
        LeadSettings.objects.all().delete()
        Signal.objects.all().delete()
        leads.tenant.language = "es"
        install_leads(tenant=leads.tenant)
        assert Signal.objects.get(kind="sales").name == "Pidió hablar con ventas"
