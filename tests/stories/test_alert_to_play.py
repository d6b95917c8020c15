"""From posted usage to an alert, its play, its tasks, and back to quiet; and what must not set it off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from alerts.models import Alert
from alerts.services import evaluate_rules, install_shipped_rules
from playbooks.models import Run, Task
from playbooks.selectors import my_open_tasks
from playbooks.services import advance_runs, complete_task, install_shipped_plays
from usage.services import accept_rows, install_starter_metrics, roll_up_pending

SUNDAY = date(2026, 3, 8)
MONDAY_BEFORE = SUNDAY - timedelta(days=27)  # four weeks of history


def sends(account: str, day: date, count: int) -> Iterator[dict[str, Any]]:
    """Messages sent on a day, received as they were sent."""
    for number in range(count):
        at = datetime(day.year, day.month, day.day, 9, number % 60, tzinfo=UTC).isoformat()
        yield {
            "account_id": account,
            "user_id": f"{account}-user",
            "event": "Message Sent",
            "occurred_at": at,
            "received_at": at,
            "event_id": f"{account}-{day}-{number}",
        }


def night(tenant: Tenant, day: date, rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Take the usage in and run the rules and plays of a night: opened, resolved, runs done."""
    with tenant_scope(tenant):
        if rows:
            accept_rows(tenant=tenant, source="import", rows=rows)
            roll_up_pending(tenant=tenant)
        rules = evaluate_rules(tenant=tenant, day=day)
        plays = advance_runs(tenant=tenant, day=day)
        return rules.opened, rules.resolved, plays.runs_done


def test_falling_usage_becomes_an_alert_with_tasks_and_ends_when_usage_is_back(
    acme: Tenant, carl: Membership
) -> None:
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_shipped_plays(tenant=acme)
        install_shipped_rules(tenant=acme)
        for key in ("sliding", "steady"):
            Account.objects.create(
                tenant=acme,
                external_id=key,
                name=key.title(),
                owner=carl,
                targets={"sends": 10},
                first_seen_on=MONDAY_BEFORE,
                go_live_on=MONDAY_BEFORE,
            )
    days = [MONDAY_BEFORE + timedelta(days=n) for n in range(28)]
    history = [row for day in days for row in sends("steady", day, 2)]
    history += [row for day in days[:14] for row in sends("sliding", day, 2)]
    history += [
        row for day in (days[14], days[21]) for row in sends("sliding", day, 4)
    ]  # 4 of 10 in each week

    assert night(acme, SUNDAY, history) == (1, 0, 0)
    assert night(acme, SUNDAY, []) == (0, 0, 0)  # the same night again
    with tenant_scope(acme):
        alert = Alert.objects.select_related("account", "run__playbook").get()
        assert (alert.account.external_id, alert.state) == ("sliding", "open")
        assert alert.evidence["metrics"] == [{"metric": "sends", "target": 10, "values": [4, 4]}]
        assert alert.run is not None
        assert alert.run.playbook.key == "express_training"
        tasks = list(my_open_tasks(carl))
        assert [task.due_on for task in tasks] == [SUNDAY + timedelta(days=n) for n in (1, 3, 5, 10, 19)]
        for task in tasks:
            complete_task(tenant=acme, task_id=task.pk, member=carl)
        assert (Run.objects.get().state, Alert.objects.get().state) == ("done", "open")

    monday = SUNDAY + timedelta(days=1)
    assert night(acme, monday, [*sends("sliding", monday, 6), *sends("steady", monday, 2)]) == (0, 1, 0)
    assert night(acme, monday, []) == (0, 0, 0)
    with tenant_scope(acme):
        assert Alert.objects.get().state == "resolved"
        assert (Run.objects.count(), Task.objects.count()) == (1, 5)
