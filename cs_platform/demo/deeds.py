"""What the demo's people did with tasks and alerts on a past day; the services would sign it with today's date."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from accounts.models import Membership, Tenant, TimelineEntry
from alerts.models import Alert
from alerts.timeline import ALERT_CLOSED
from playbooks.models import Task
from playbooks.timeline import TASK_DONE

NEVER_DONE_SHARE = 4  # of a hundred tasks stay open
CLOSED_AFTER_DAYS = 9
VERDICTS = (
    Alert.Verdict.USEFUL,
    Alert.Verdict.USEFUL,
    Alert.Verdict.USEFUL,
    Alert.Verdict.KNOWN,
    Alert.Verdict.NOISE,
)


def _draw(number: int) -> int:
    """0–99, always the same for the same row."""
    return number * 7919 % 100


def work_through(tenant: Tenant, day: date, colleagues: list[Membership]) -> None:
    """Do the tasks that are due and close alerts that have been looked into; who is nobody's does a colleague."""
    evening = datetime.combine(day, time(16, 30), tenant.tz)
    entries = []
    played = Task.objects.filter(tenant=tenant, state=Task.State.OPEN, run__isnull=False)
    # The database dates a row with the moment it was written; in the story that was this morning.
    played.filter(created_at__gt=evening).update(created_at=datetime.combine(day, time(7), tenant.tz))
    due = played.filter(due_on__lte=day).order_by("id")
    tasks = [task for task in due if _draw(task.pk) >= NEVER_DONE_SHARE]
    for task in tasks:
        who = task.assignee_id or colleagues[task.pk % len(colleagues)].pk
        task.state, task.completed_at, task.completed_by_id = Task.State.DONE, evening, who
        entries.append(
            _entry(tenant, task.account_id, TASK_DONE, evening, task.title, who, {"task": task.pk})
        )
    Task.objects.bulk_update(tasks, ["state", "completed_at", "completed_by"])
    alerts = [
        alert
        for alert in Alert.objects.select_related("rule", "account").filter(
            state=Alert.State.OPEN, opened_on__lte=day - timedelta(days=CLOSED_AFTER_DAYS)
        )
        if _draw(alert.pk) >= 35
    ]
    for alert in alerts:
        if alert.account is None:
            continue
        who = alert.account.owner_id or colleagues[alert.pk % len(colleagues)].pk
        alert.state, alert.close_verdict = Alert.State.CLOSED, VERDICTS[alert.pk % len(VERDICTS)]
        alert.closed_at, alert.closed_by_id, alert.ended_on = evening, who, day
        alert.first_action_at = _looked_into(tenant, alert)
        entries.append(
            _entry(
                tenant,
                alert.account.pk,
                ALERT_CLOSED,
                evening,
                alert.rule.name,
                who,
                {"verdict": alert.close_verdict},
            )
        )
    Alert.objects.bulk_update(
        alerts, ["state", "close_verdict", "closed_at", "closed_by", "ended_on", "first_action_at"]
    )
    TimelineEntry.objects.bulk_create(entries)


def _looked_into(tenant: Tenant, alert: Alert) -> datetime:
    """Somebody looks at an alert in working hours of the first days, long before it is closed."""
    draw = _draw(alert.pk)
    opened = alert.opened_on + timedelta(days=draw % 3)
    return datetime.combine(opened, time(9 + draw % 8, draw % 60), tenant.tz)


def _entry(
    tenant: Tenant, account_id: int, kind: str, at: datetime, title: str, who: int, data: dict[str, object]
) -> TimelineEntry:
    return TimelineEntry(
        tenant=tenant, account_id=account_id, kind=kind, at=at, title=title[:300], actor_id=who, data=data
    )
