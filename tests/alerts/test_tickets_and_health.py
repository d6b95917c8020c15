"""Rules over tickets and health scores, from rows to alerts, plays and their end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, Outbox, Tenant, Ticket, TimelineEntry
from alerts.models import Alert, Match, Rule
from alerts.ranking import priority, rank
from alerts.services import close_alert, evaluate_rules, reopen_alert, snooze_alert
from alerts.services.ranks import rank_alerts
from playbooks.models import Run, Task
from playbooks.services import complete_task
from scoring.models import Component, ScoreModel, Version

from .conftest import SUNDAY

MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)  # when that Sunday is over; acme's clock is UTC


def ticket(account: Account, key: str, opened_at: datetime, **fields: Any) -> Ticket:
    return Ticket.objects.create(
        tenant=account.tenant,
        account=account,
        external_id=key,
        opened_at=opened_at,
        received_at=opened_at,
        **fields,
    )


def alerts_now() -> list[tuple[str, str, str]]:
    return list(Alert.objects.order_by("id").values_list("rule__key", "subject", "state"))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row that a night may write."""
    return {
        m.__name__: list(m.objects.order_by("id").values())
        for m in (Alert, Match, Run, Task, TimelineEntry, Outbox)
    }


def test_a_ticket_of_exactly_72_hours_is_in_time_and_a_second_later_it_is_not(
    inside: Tenant, owned: Account
) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(hours=72))
    late = ticket(owned, "T-2", MIDNIGHT - timedelta(hours=72, seconds=1), title="Export is empty")
    ticket(owned, "T-3", MIDNIGHT - timedelta(days=9), resolved_at=MIDNIGHT - timedelta(days=8))
    ticket(owned, "T-4", MIDNIGHT - timedelta(days=9), resolved_at=MIDNIGHT + timedelta(hours=1))
    summary = evaluate_rules(tenant=inside, day=SUNDAY)
    assert (summary.opened, summary.runs_started) == (2, 1)
    assert alerts_now() == [("ticket_unresolved", "T-2", "open"), ("ticket_unresolved", "T-4", "open")]
    assert Alert.objects.get(subject="T-2").evidence == {
        "ticket": "T-2",
        "title": "Export is empty",
        "severity": "normal",
        "opened_at": late.opened_at.isoformat(),
        "hours": 72,
        "limit": 72,
    }


def test_both_tickets_of_an_account_share_one_run(inside: Tenant, owned: Account, carl: Membership) -> None:
    for key in ("T-1", "T-2"):
        ticket(owned, key, MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    run = Run.objects.get()
    assert (run.playbook.key, run.started_on) == ("data_audit", SUNDAY)
    assert set(Alert.objects.values_list("run_id", flat=True)) == {run.pk}
    assert set(run.tasks.values_list("assignee_id", flat=True)) == {carl.pk}


def test_an_alert_is_ranked_when_it_opens_and_again_each_night(inside: Tenant, owned: Account) -> None:
    morning = SUNDAY + timedelta(days=1)
    Account.objects.filter(pk=owned.pk).update(mrr_cents=80_000, renewal_on=morning + timedelta(days=90))
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    alert = Alert.objects.get()

    def worth(**facts: Any) -> int:
        return rank(priority(mrr_cents=80_000, severity=alert.severity, score=None, **facts))

    assert alert.rank == worth(days_to_renewal=90) > 0
    assert rank_alerts(inside, morning) == 0
    assert rank_alerts(inside, morning + timedelta(days=60)) == 1
    alert.refresh_from_db()
    assert alert.rank == worth(days_to_renewal=30) > worth(days_to_renewal=90)


def test_the_same_night_twice_changes_nothing(inside: Tenant, owned: Account) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    Rule.objects.filter(key="ticket_unresolved").update(channels=["email"], interrupts="always")
    evaluate_rules(tenant=inside, day=SUNDAY)
    before = everything()
    again = evaluate_rules(tenant=inside, day=SUNDAY)
    assert (again.opened, again.resolved, again.woken, again.runs_started) == (0, 0, 0, 0)
    assert everything() == before
    assert (len(before["Alert"]), len(before["Run"]), len(before["Task"]), len(before["Outbox"])) == (
        1,
        1,
        5,
        1,
    )


def test_a_resolved_ticket_resolves_its_alert_and_leaves_the_others(inside: Tenant, owned: Account) -> None:
    first = ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    ticket(owned, "T-2", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    Ticket.objects.filter(pk=first.pk).update(resolved_at=MIDNIGHT + timedelta(hours=3))
    summary = evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1))
    assert (summary.opened, summary.resolved) == (0, 1)
    assert alerts_now() == [("ticket_unresolved", "T-1", "resolved"), ("ticket_unresolved", "T-2", "open")]
    kinds = list(TimelineEntry.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["alert_opened", "alert_opened", "run_started", "alert_resolved"]


def test_a_past_night_knows_only_what_had_been_received(inside: Tenant, owned: Account) -> None:
    late = ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    Ticket.objects.filter(pk=late.pk).update(received_at=MIDNIGHT + timedelta(minutes=1))
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 0
    assert evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1)).opened == 1


def test_a_past_night_undoes_nothing_that_came_later(inside: Tenant, owned: Account) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    before = everything()
    summary = evaluate_rules(tenant=inside, day=SUNDAY - timedelta(days=30), suppress_deliveries=True)
    assert (summary.opened, summary.resolved) == (0, 0)
    assert everything() == before


def test_a_churned_account_gets_no_alert_and_loses_the_open_ones(inside: Tenant, owned: Account) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    Account.objects.filter(pk=owned.pk).update(churned_on=SUNDAY + timedelta(days=1))
    ticket(owned, "T-2", MIDNIGHT - timedelta(days=5))
    summary = evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1))
    assert (summary.opened, summary.resolved) == (0, 1)


def test_a_closed_alert_stays_silent_for_the_cool_down(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    alert = Alert.objects.get()
    close_alert(tenant=inside, alert_id=alert.pk, verdict="known", member=carl)
    Alert.objects.update(ended_on=SUNDAY + timedelta(days=1))
    opened = [evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=n)).opened for n in range(1, 6)]
    assert opened == [0, 0, 0, 1, 0]  # 3 days from the day it ended


def test_a_snooze_blocks_firing_until_its_date_even_when_the_alert_resolves_meanwhile(
    inside: Tenant, owned: Account
) -> None:
    row = ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    Rule.objects.update(cooldown_days=0)
    Alert.objects.update(state="snoozed", snoozed_until=SUNDAY + timedelta(days=4))
    Ticket.objects.filter(pk=row.pk).update(resolved_at=MIDNIGHT + timedelta(hours=3))
    assert evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1)).resolved == 1
    Ticket.objects.filter(pk=row.pk).update(resolved_at=None)
    opened = [evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=n)).opened for n in (2, 3, 4)]
    assert opened == [0, 0, 1]


def test_a_snoozed_alert_wakes_on_its_date_when_it_still_holds(inside: Tenant, owned: Account) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    Alert.objects.update(state="snoozed", snoozed_until=SUNDAY + timedelta(days=2))
    woken = [evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=n)).woken for n in (1, 2, 3)]
    assert woken == [0, 1, 0]
    assert alerts_now() == [("ticket_unresolved", "T-1", "open")]


def test_a_rule_with_a_dwell_fires_once_it_has_held_that_long(inside: Tenant, owned: Account) -> None:
    Rule.objects.filter(key="ticket_unresolved").update(dwell_days=2)
    row = ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    opened = [evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=n)).opened for n in (0, 0, 1, 2, 3)]
    assert opened == [0, 0, 0, 1, 0]
    Ticket.objects.filter(pk=row.pk).update(resolved_at=MIDNIGHT + timedelta(days=3))
    evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=4))
    assert (alerts_now(), Match.objects.count()) == ([("ticket_unresolved", "T-1", "resolved")], 0)


def test_a_rule_that_is_switched_off_finds_nothing(inside: Tenant, owned: Account) -> None:
    Rule.objects.filter(key="ticket_unresolved").update(enabled=False)
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 0


@pytest.mark.parametrize(("suppress", "mails"), [(False, 1), (True, 0)])
def test_only_a_rule_that_asks_for_mail_sends_it_and_not_for_the_past(
    inside: Tenant, owned: Account, suppress: bool, mails: int
) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5), title="Export is empty")
    Rule.objects.filter(key="ticket_unresolved").update(channels=["email"], interrupts="always")
    evaluate_rules(tenant=inside, day=SUNDAY, suppress_deliveries=suppress)
    assert Outbox.objects.count() == mails
    for item in Outbox.objects.all():
        assert item.payload["to"] == ["carl@acme.example"]
        assert item.payload["subject"] == "Owned: Ticket unresolved"
        assert item.payload["action_url"].endswith(f"/t/acme/alerts/{Alert.objects.get().pk}/")
        assert "Ticket T-1 Export is empty has waited 120 hours; the limit is 72." in item.payload["text"]


# ── Health ──────────────────────────────────────────────────────────────────────────────────────────────────────


def version(tenant: Tenant, number: int = 1) -> Version:
    model, _new = ScoreModel.objects.get_or_create(
        tenant=tenant, key="plg", kind="health", name="PLG", is_default=True
    )
    made = Version.objects.create(tenant=tenant, model=model, number=number, state="retired")
    for position, (key, weight) in enumerate([("usage", 50), ("adoption", 30), ("payment", 20)]):
        Component.objects.create(
            tenant=tenant, version=made, key=key, name=key, weight=weight, position=position
        )
    return made


def store_score(
    account: Account,
    day: date,
    score: float,
    band: int,
    of: Version,
    points: tuple[float, float, float] = (1, 2, 3),
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO scoring_score (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, %s, %s, %s, 1, false, true, '{}', %s, %s, '{}', '{}')",
            [account.tenant_id, account.pk, day, of.pk, score, band, list(points), [50.0, 30.0, 20.0]],
        )


def test_fifteen_points_in_seven_days_start_the_play_of_the_weakest_component(
    inside: Tenant, owned: Account
) -> None:
    plg = version(inside)
    store_score(owned, SUNDAY - timedelta(days=7), 79, 2, plg)
    store_score(owned, SUNDAY, 64, 2, plg, points=(40, 5, 19))
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 1
    alert = Alert.objects.get()
    assert alert.evidence == {
        "since": "2026-03-01",
        "from_score": 79,
        "score": 64,
        "from_band": 2,
        "band": 2,
        "version": plg.pk,
        "weakest": "adoption",
        "lost": 25,
    }
    assert alert.run is not None
    assert alert.run.playbook.key == "feature_adoption"


def test_a_smaller_drop_in_the_same_band_is_none(inside: Tenant, owned: Account) -> None:
    plg = version(inside)
    store_score(owned, SUNDAY - timedelta(days=7), 79, 2, plg)
    store_score(owned, SUNDAY, 64.1, 2, plg)
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 0


def test_a_drop_over_more_than_seven_days_is_none(inside: Tenant, owned: Account) -> None:
    plg = version(inside)
    store_score(owned, SUNDAY - timedelta(days=8), 79, 2, plg)
    store_score(owned, SUNDAY, 62, 2, plg)
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 0


def test_a_new_version_of_the_model_is_no_drop(inside: Tenant, owned: Account) -> None:
    store_score(owned, SUNDAY - timedelta(days=1), 90, 3, version(inside, 1))
    store_score(owned, SUNDAY, 50, 1, version(inside, 2))
    assert evaluate_rules(tenant=inside, day=SUNDAY).opened == 0


def test_a_worse_band_by_a_hair_fires_and_resolves_only_when_the_account_is_back(
    inside: Tenant, owned: Account
) -> None:
    plg = version(inside)
    scores = [
        (80.1, 3),
        (79.9, 2),
        (79, 2),
        (79.5, 2),
        (79, 2),
        (79, 2),
        (79, 2),
        (79, 2),
        (79, 2),
        (80.2, 3),
    ]
    seen = []
    for offset, (score, band) in enumerate(scores):
        store_score(owned, SUNDAY + timedelta(days=offset), score, band, plg)
        summary = evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=offset))
        seen.append((summary.opened, summary.resolved))
    # A week later nothing has fallen any more within seven days, but nothing is mended either: the alert stays.
    assert seen == [(0, 0), (1, 0), *[(0, 0)] * 7, (0, 1)]


def test_without_scores_of_the_night_open_alerts_stay(inside: Tenant, owned: Account) -> None:
    plg = version(inside)
    store_score(owned, SUNDAY - timedelta(days=7), 79, 2, plg)
    store_score(owned, SUNDAY, 60, 2, plg)
    evaluate_rules(tenant=inside, day=SUNDAY)
    summary = evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1))
    assert (summary.resolved, "health_dropped" in summary.suspended) == (0, True)


# ── The whole night ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_night_takes_as_many_queries_for_three_accounts_as_for_one(
    inside: Tenant, carl: Membership
) -> None:
    plg = version(inside)
    counts = []
    for night, size in enumerate((1, 1, 3)):  # the first night only makes alerts for the others to find open
        day = SUNDAY + timedelta(days=night)
        for n in range(size):
            account = Account.objects.create(tenant=inside, external_id=f"{night}-{n}", name="A", owner=carl)
            ticket(account, f"T-{night}-{n}", MIDNIGHT - timedelta(days=5))
            store_score(account, day - timedelta(days=7), 90, 3, plg)
            store_score(account, day, 70, 2, plg)
        with CaptureQueriesContext(connection) as captured:
            summary = evaluate_rules(tenant=inside, day=day)
        assert (summary.opened, summary.runs_started) == (2 * size, 2 * size)
        counts.append(len(captured))
    assert counts[1] == counts[2]


def test_done_tasks_end_the_run_and_the_alert_ends_on_its_own(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    row = ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    for task in Task.objects.order_by("id"):
        complete_task(tenant=inside, task_id=task.pk, member=carl)
    assert (Run.objects.get().state, Alert.objects.get().state) == ("done", "open")
    Ticket.objects.filter(pk=row.pk).update(resolved_at=MIDNIGHT + timedelta(hours=1))
    evaluate_rules(tenant=inside, day=SUNDAY + timedelta(days=1))
    assert (Alert.objects.get().state, Run.objects.count()) == ("resolved", 1)


def test_reopening_waits_for_the_one_that_is_open(inside: Tenant, owned: Account, carl: Membership) -> None:
    ticket(owned, "T-1", MIDNIGHT - timedelta(days=5))
    evaluate_rules(tenant=inside, day=SUNDAY)
    alert = Alert.objects.get()
    snooze_alert(
        tenant=inside,
        alert_id=alert.pk,
        until=inside.today() + timedelta(days=3),
        reason="Holiday",
        member=carl,
    )
    assert reopen_alert(tenant=inside, alert_id=alert.pk, member=carl).state == "open"
