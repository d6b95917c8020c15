"""What people do with alerts, and in which order they see them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from alerts.models import Alert, Rule
from alerts.ranking import priority, rank
from alerts.selectors import (
    alerts_for_account,
    alerts_of,
    most_deserving,
    my_alerts,
    open_alerts,
    precision_ledger,
    waiting,
)
from alerts.services import close_alert, reopen_alert, snooze_alert
from alerts.services.ranks import rank_alerts

from .conftest import SUNDAY

TICKET = {"ticket": "T-1", "title": "", "hours": 80, "limit": 72}


@pytest.fixture
def alert(inside: Tenant, owned: Account) -> Alert:
    """An open alert about a ticket."""
    return make_alert(owned, subject="T-1", evidence=TICKET)


def make_alert(account: Account, rule: str = "ticket_unresolved", **fields: Any) -> Alert:
    values = {"opened_on": SUNDAY, "last_seen_on": SUNDAY, **fields}
    return Alert.objects.create(
        tenant=account.tenant, rule=Rule.objects.get(key=rule), account=account, **values
    )


def test_closing_asks_for_a_verdict_and_is_written_down(
    inside: Tenant, alert: Alert, carl: Membership
) -> None:
    with pytest.raises(ValidationError, match="useful, noise or already known"):
        close_alert(tenant=inside, alert_id=alert.pk, verdict="fine", member=carl)
    close_alert(tenant=inside, alert_id=alert.pk, verdict="useful", note="Called them", member=carl)
    alert.refresh_from_db()
    assert (alert.state, alert.close_verdict, alert.close_note) == ("closed", "useful", "Called them")
    assert (alert.closed_by_id, alert.ended_on) == (carl.pk, inside.today())
    assert alert.first_action_at is not None
    entry = TimelineEntry.objects.get()
    assert (entry.kind, entry.title, entry.actor_id) == ("alert_closed", "Ticket unresolved", carl.pk)
    audit = AuditEntry.objects.get()
    assert (audit.action, audit.before, audit.after) == (
        "alert.closed",
        {"state": "open"},
        {"verdict": "useful", "note": "Called them"},
    )
    with pytest.raises(ValidationError, match="already ended"):
        close_alert(tenant=inside, alert_id=alert.pk, verdict="noise", member=carl)


@pytest.mark.parametrize("days", [-1, 0, 181])
def test_a_snooze_needs_a_date_ahead(inside: Tenant, alert: Alert, carl: Membership, days: int) -> None:
    until = inside.today() + timedelta(days=days)
    with pytest.raises(ValidationError) as refused:
        snooze_alert(tenant=inside, alert_id=alert.pk, until=until, reason=" ", member=carl)
    assert refused.value.message_dict == {
        "until": ["Choose a date from tomorrow to 180 days ahead."],
        "reason": ["Say why it can wait."],
    }


def test_a_snoozed_alert_leaves_the_inbox_until_its_date(
    inside: Tenant, alert: Alert, carl: Membership
) -> None:
    until = inside.today() + timedelta(days=3)
    snooze_alert(tenant=inside, alert_id=alert.pk, until=until, reason="Holiday", member=carl)
    assert list(my_alerts(carl)) == []
    assert list(my_alerts(carl, today=until - timedelta(days=1))) == []
    assert list(my_alerts(carl, today=until)) == [alert]


def test_reopening_undoes_closing_unless_the_same_alert_is_open(
    inside: Tenant, alert: Alert, carl: Membership
) -> None:
    close_alert(tenant=inside, alert_id=alert.pk, verdict="noise", member=carl)
    again = make_alert(alert.account, subject="T-1", evidence=TICKET)
    with pytest.raises(ValidationError, match="already open again"):
        reopen_alert(tenant=inside, alert_id=alert.pk, member=carl)
    again.delete()
    reopened = reopen_alert(tenant=inside, alert_id=alert.pk, member=carl)
    assert (reopened.state, reopened.close_verdict, reopened.ended_on) == ("open", "", None)


def test_an_alert_that_is_opened_again_is_ranked_at_once(
    inside: Tenant, alert: Alert, owned: Account, carl: Membership
) -> None:
    today = inside.today()
    other = make_alert(owned, subject="T-2", evidence=TICKET)
    rank_alerts(inside, today)
    alert.refresh_from_db()
    before = alert.rank
    close_alert(tenant=inside, alert_id=alert.pk, verdict="noise", member=carl)
    Account.objects.filter(pk=owned.pk).update(mrr_cents=800_000, renewal_on=today + timedelta(days=10))
    reopened = reopen_alert(tenant=inside, alert_id=alert.pk, member=carl)
    facts: dict[str, Any] = {"mrr_cents": 800_000, "score": None, "days_to_renewal": 10}
    assert reopened.rank == rank(priority(severity=alert.severity, **facts)) > before
    other.refresh_from_db()
    assert other.rank == before  # the night is for everybody else


def test_there_is_one_open_alert_per_rule_account_and_subject(inside: Tenant, alert: Alert) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_alert(alert.account, subject="T-1", state="snoozed")
    make_alert(alert.account, subject="T-2")
    make_alert(alert.account, subject="T-1", state="closed")
    assert Alert.objects.count() == 3


def test_viewers_and_other_csms_may_not_touch_it(
    inside: Tenant, alert: Alert, vera: Membership, mona: Membership
) -> None:
    for deed in (
        lambda: close_alert(tenant=inside, alert_id=alert.pk, verdict="noise", member=vera),
        lambda: snooze_alert(
            tenant=inside,
            alert_id=alert.pk,
            until=inside.today() + timedelta(days=1),
            reason="x",
            member=vera,
        ),
        lambda: reopen_alert(tenant=inside, alert_id=alert.pk, member=vera),
    ):
        with pytest.raises(PermissionDenied):
            deed()
    assert close_alert(tenant=inside, alert_id=alert.pk, verdict="noise", member=mona).state == "closed"


# ── Order ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"mrr_cents": 200_000}, {"mrr_cents": 100_000}),
        ({"score": 20.0}, {"score": 80.0}),
        ({"score": None}, {"score": 51.0}),
        ({"severity": "high"}, {"severity": "medium"}),
        ({"days_to_renewal": 10}, {"days_to_renewal": 100}),
        ({"days_to_renewal": 179}, {"days_to_renewal": None}),
        ({"score": 0.0, "mrr_cents": 0}, {"score": 100.0, "mrr_cents": 0}),
    ],
)
def test_more_money_more_risk_and_less_time_come_first(more: dict[str, Any], less: dict[str, Any]) -> None:
    base = {"mrr_cents": 100_000, "severity": "medium", "score": 50.0, "days_to_renewal": 60}
    assert priority(**base | more) > priority(**base | less)


def test_a_renewal_far_away_or_unknown_is_not_urgent_and_one_overdue_is_as_urgent_as_today() -> None:
    base: dict[str, Any] = {"mrr_cents": 0, "severity": "medium", "score": 100.0}
    assert (
        priority(**base, days_to_renewal=None) == priority(**base, days_to_renewal=400) == pytest.approx(0.1)
    )
    assert priority(**base, days_to_renewal=0) == priority(**base, days_to_renewal=-30) == pytest.approx(0.4)


def current_score(account: Account, score: float | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO scoring_current (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, 1, %s, 2, 1, false, true, '{}', '{}', '{}', '{}', '{}')",
            [account.tenant_id, account.pk, SUNDAY, score],
        )


def test_the_database_ranks_as_the_pure_function_does(inside: Tenant, carl: Membership) -> None:
    today = date(2026, 3, 9)
    wanted = {}
    cases = [
        (100_000, "medium", 50.0, 60),
        (0, "low", None, None),
        (250_050, "high", 12.5, -3),
        (-5, "high", 99.9, 0),
        (1, "low", 0.0, 180),
        (99_999_999, "medium", 100.0, 181),
        (80_000, "medium", 50.0, 90),
    ]
    for number, (mrr, severity, score, days) in enumerate(cases):
        account = Account.objects.create(
            tenant=inside,
            external_id=str(number),
            name="A",
            owner=carl,
            mrr_cents=mrr,
            renewal_on=None if days is None else today + timedelta(days=days),
        )
        if score is not None:
            current_score(account, score)
        alert = make_alert(account, severity=severity)
        wanted[alert.pk] = priority(mrr_cents=mrr, severity=severity, score=score, days_to_renewal=days)
    found = list(open_alerts(inside, today=today))
    assert {alert.pk: pytest.approx(alert.priority) for alert in found} == wanted
    assert [alert.pk for alert in found] == sorted(wanted, key=lambda pk: -wanted[pk])
    # Everybody's list is sorted by ranks that are written down, in steps of a ninth.
    assert rank_alerts(inside, today) == len(cases)
    ranks = {alert.pk: alert.rank for alert in Alert.objects.all()}
    assert ranks == {pk: rank(worth) for pk, worth in wanted.items()}
    assert rank_alerts(inside, today) == 0
    with CaptureQueriesContext(connection) as captured:
        first = most_deserving(waiting(alerts_of(inside), today), 4, today=today)
    assert len(captured) == 2
    assert [alert.pk for alert in first] == sorted(ranks, key=lambda pk: (-ranks[pk], -pk))[:4]
    assert [alert.priority for alert in first] == pytest.approx([wanted[alert.pk] for alert in first])


def test_filters_select_what_they_say(inside: Tenant, alert: Alert, mona: Membership) -> None:
    orphan = Account.objects.create(tenant=inside, external_id="orphan", name="Orphan")
    other = make_alert(orphan, rule="health_dropped", severity="high")
    assert set(open_alerts(inside)) == {alert, other}
    assert list(open_alerts(inside, unowned=True)) == [other]
    assert list(open_alerts(inside, rule_key="ticket_unresolved")) == [alert]
    assert list(open_alerts(inside, severity="high")) == [other]
    assert list(open_alerts(inside, account_id=orphan.pk)) == [other]
    assert list(my_alerts(mona)) == []


def test_lists_take_one_query_whatever_their_length(inside: Tenant, owned: Account) -> None:
    counts = []
    for size in (1, 3):
        for n in range(size):
            make_alert(owned, subject=f"{size}-{n}", evidence=TICKET)
        with CaptureQueriesContext(connection) as captured:
            for alert in open_alerts(inside):
                assert (alert.rule.key, alert.account.owner.user.email, alert.run) == (
                    "ticket_unresolved",
                    "carl@acme.example",
                    None,
                )
        counts.append(len(captured))
    assert counts == [1, 1]
    assert len(alerts_for_account(inside, owned.pk)) == 4


def test_the_ledger_says_how_precise_each_rule_is(inside: Tenant, owned: Account, carl: Membership) -> None:
    for subject, verdict in [("1", "useful"), ("2", "useful"), ("3", "noise"), ("4", "known")]:
        alert = make_alert(owned, subject=subject)
        close_alert(tenant=inside, alert_id=alert.pk, verdict=verdict, member=carl)
    make_alert(owned, subject="5")
    make_alert(owned, subject="6", state="resolved")
    with CaptureQueriesContext(connection) as captured:
        ledger = {record.rule.key: record for record in precision_ledger(inside)}
    assert len(captured) == 2
    tickets = ledger["ticket_unresolved"]
    assert (tickets.useful, tickets.noise, tickets.known, tickets.open, tickets.resolved) == (2, 1, 1, 1, 1)
    assert tickets.precision == 0.5
    assert (ledger["health_dropped"].judged, ledger["health_dropped"].precision) == (0, None)
    assert len(ledger) == 13
