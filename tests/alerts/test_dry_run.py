"""Trying a rule on past days: it gives what switching it on would have given, and writes no alert."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Job, Membership, Tenant, Ticket
from alerts.models import Alert, DryRun, DryRunAlert, Rule
from alerts.services import add_rule, evaluate_rules, install_shipped_rules, start_dry_run, switch_rule
from playbooks.services import install_shipped_plays
from usage.services import accept_rows, install_starter_metrics, roll_up_pending

# Sends a week at three accounts, the newest last; the walk sees the last 13.
STORIES = {
    "steady": [20] * 20,
    "dips": [20, 20, 20, 20, 20, 20, 20, 2, 2, 2, 20, 20, 20, 20, 1, 1, 1, 1, 20, 20],
    "fades": [20, 20, 20, 20, 20, 18, 16, 14, 12, 10, 8, 6, 4, 3, 2, 1, 0, 0, 0, 0],
}


def rows_of(key: str, weeks: list[int], today: date) -> list[dict[str, Any]]:
    rows = []
    for back, count in enumerate(reversed(weeks)):
        for n in range(count):
            day = today - timedelta(days=1 + 7 * back + n % 7)
            at = datetime.combine(day, time(9, n)).isoformat() + "+00:00"
            rows.append(
                {
                    "account_id": key,
                    "user_id": f"{key}-{n % 3}",
                    "event": "Message Sent",
                    "occurred_at": at,
                    "received_at": at,
                    "event_id": f"{key}-{back}-{n}",
                }
            )
    return rows


@pytest.fixture
def past(acme: Tenant, carl: Membership) -> Tenant:
    """Twenty weeks of sends and two tickets."""
    today = acme.today()
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_shipped_plays(tenant=acme)
        install_shipped_rules(tenant=acme)
        began = today - timedelta(days=150)
        for key in STORIES:
            Account.objects.create(
                tenant=acme,
                external_id=key,
                name=key,
                owner=carl,
                targets={"sends": 15},
                first_seen_on=began,
                go_live_on=began,
            )
        accept_rows(
            tenant=acme,
            source="import",
            rows=[row for key, weeks in STORIES.items() for row in rows_of(key, weeks, today)],
        )
        roll_up_pending(tenant=acme)
        steady = Account.objects.get(external_id="steady")
        noon = datetime.combine(today, time(12), acme.tz)
        for n, (opened, resolved) in enumerate([(60, 50), (20, None)]):
            Ticket.objects.create(
                tenant=acme,
                account=steady,
                external_id=f"T-{n}",
                opened_at=noon - timedelta(days=opened),
                received_at=noon - timedelta(days=opened),
                resolved_at=None if resolved is None else noon - timedelta(days=resolved),
            )
    return acme


def own_rule(tenant: Tenant, actor: Membership) -> Rule:
    return add_rule(
        tenant=tenant,
        actor=actor,
        values={
            "name": "Sends fell",
            "params": {
                "tree": {
                    "all": [
                        {
                            "fact": "metric",
                            "metric": "sends",
                            "days": 7,
                            "op": "under",
                            "past": 0.6,
                            "times": 4,
                            "least": 3,
                            "release": 0.8,
                        }
                    ]
                }
            },
            "dwell_days": 2,
            "clear_days": 3,
            "cooldown_days": 5,
            "reentry_max": 2,
            "reentry_days": 60,
        },
    )


@pytest.mark.parametrize("key", ["own", "usage_under_target", "ticket_unresolved"])
def test_switching_on_after_a_dry_run_gives_the_same_alerts(
    past: Tenant, alice: Membership, key: str
) -> None:
    with tenant_scope(past):
        rule = own_rule(past, alice) if key == "own" else Rule.objects.get(key=key)
        Rule.objects.update(enabled=False)
        run = start_dry_run(tenant=past, rule=rule, member=alice)
        with pytest.raises(ValidationError, match="being tried already"):
            start_dry_run(tenant=past, rule=rule)
        job_id = run.job_id
    assert job_id is not None
    assert finish_job(past, job_id).state == Job.State.DONE
    fields = ("account_id", "subject", "opened_on", "ended_on", "evidence")
    with tenant_scope(past):
        assert not Alert.objects.exists()
        run.refresh_from_db()
        assert run.done_until == run.last_on == past.today() - timedelta(days=1)
        tried = list(DryRunAlert.objects.order_by("opened_on", "account_id").values_list(*fields))
        assert len(tried) >= 2
        assert any(ended is not None for _a, _s, _o, ended, _e in tried)
        switch_rule(tenant=past, actor=alice, rule_id=rule.pk, enabled=True)
        for n in range((run.last_on - run.first_on).days + 1):
            evaluate_rules(tenant=past, day=run.first_on + timedelta(days=n), suppress_deliveries=True)
        live = list(Alert.objects.order_by("opened_on", "account_id").values_list(*fields))
        assert live == tried


def test_a_new_dry_run_takes_the_place_of_the_old_one(past: Tenant, alice: Membership) -> None:
    with tenant_scope(past):
        rule = Rule.objects.get(key="ticket_unresolved")
        first = start_dry_run(tenant=past, rule=rule)
        Job.objects.filter(pk=first.job_id).update(state=Job.State.FAILED)
        second = start_dry_run(tenant=past, rule=rule)
        assert list(DryRun.objects.values_list("pk", flat=True)) == [second.pk]


def test_only_new_matches_alert_after_a_baseline(past: Tenant, alice: Membership) -> None:
    yesterday = past.today() - timedelta(days=1)
    with tenant_scope(past):
        Rule.objects.update(enabled=False)
        rule = Rule.objects.get(key="ticket_unresolved")
        switch_rule(tenant=past, actor=alice, rule_id=rule.pk, enabled=True, existing="new")
        assert evaluate_rules(tenant=past, day=yesterday).opened == 0
        # The old ticket is dealt with and comes back: that is new.
        old = Ticket.objects.get(external_id="T-1")
        Ticket.objects.filter(pk=old.pk).update(resolved_at=old.opened_at + timedelta(days=1))
        assert evaluate_rules(tenant=past, day=yesterday).opened == 0
        Ticket.objects.filter(pk=old.pk).update(resolved_at=None)
        assert evaluate_rules(tenant=past, day=yesterday).opened == 1
        switch_rule(tenant=past, actor=alice, rule_id=rule.pk, enabled=False)
        switch_rule(tenant=past, actor=alice, rule_id=rule.pk, enabled=True, existing="now")
        assert evaluate_rules(tenant=past, day=yesterday).opened == 0  # it is open already
