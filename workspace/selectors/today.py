"""Today: what a member has to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Q

from accounts.models import Account, Membership
from alerts.selectors import metric_names, my_alerts, open_alerts
from playbooks.models import Task
from playbooks.selectors import my_open_tasks, task_counts
from workspace.selectors.account_filter import AccountFilter
from workspace.selectors.account_list import AccountRow, account_page
from workspace.selectors.alerts import AlertLine, line

TASKS_SHOWN, ALERTS_SHOWN, ACCOUNTS_SHOWN, RENEWALS_SHOWN = 8, 6, 8, 6
RENEWAL_DAYS = 90


@dataclass(frozen=True)
class Book:
    """The accounts of a CSM in figures."""

    accounts: int
    mrr_cents: int
    attention: int
    mrr_attention_cents: int


@dataclass(frozen=True)
class MyDay:
    """A CSM's own work."""

    book: Book
    tasks: list[Task]
    counts: dict[str, int]
    alerts: list[AlertLine]
    alert_count: int
    accounts: list[AccountRow]
    renewals: list[Account]

    @property
    def due_now(self) -> int:
        """Tasks overdue or due today."""
        return self.counts["overdue"] + self.counts["today"]

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self.tasks and not self.alerts


def my_day(member: Membership, today: date) -> MyDay:
    """Tasks, alerts, accounts by risk and renewals of a member; nine queries."""
    tenant = member.tenant
    wanted = AccountFilter(owner=str(member.pk), sort="score")
    mine = Account.objects.filter(tenant=tenant, owner_id=member.pk).filter(
        Q(churned_on=None) | Q(churned_on__gt=today)
    )
    alerts = my_alerts(member, today=today)
    found, names = list(alerts[:ALERTS_SHOWN]), metric_names(tenant)
    return MyDay(
        book=_book(member, today),
        tasks=list(my_open_tasks(member)[:TASKS_SHOWN]),
        counts=task_counts(member, today),
        alerts=[line(alert, names) for alert in found],
        alert_count=alerts.order_by().count(),
        accounts=account_page(tenant, wanted, today=today, limit=ACCOUNTS_SHOWN).rows,
        renewals=list(
            mine.filter(renewal_on__range=(today, today + timedelta(days=RENEWAL_DAYS))).order_by(
                "renewal_on", "pk"
            )[:RENEWALS_SHOWN]
        ),
    )


_BOOK = """
SELECT count(*), coalesce(sum(a.mrr_cents), 0), count(*) FILTER (WHERE s.band IN (1, 2)),
  coalesce(sum(a.mrr_cents) FILTER (WHERE s.band IN (1, 2)), 0)
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
WHERE a.tenant_id = %s AND a.owner_id = %s AND (a.churned_on IS NULL OR a.churned_on > %s)
"""


def _book(member: Membership, today: date) -> Book:
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, [member.tenant_id, member.pk, today])
        return Book(*(int(value) for value in cursor.fetchone()))


@dataclass(frozen=True)
class TeamDay:
    """What waits in the whole company."""

    alerts: list[AlertLine]
    alert_count: int
    overdue: int


def team_day(member: Membership, today: date) -> TeamDay:
    """The alerts that matter most and how much is overdue; three queries."""
    alerts = open_alerts(member.tenant, today=today)
    names = metric_names(member.tenant)
    overdue = Task.objects.filter(tenant=member.tenant, state=Task.State.OPEN, due_on__lt=today)
    return TeamDay(
        [line(alert, names) for alert in alerts[:ALERTS_SHOWN]], alerts.order_by().count(), overdue.count()
    )
