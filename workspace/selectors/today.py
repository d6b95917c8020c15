"""Today: what a member has to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection

from accounts.models import Membership
from alerts.selectors import alerts_of, metric_names, most_deserving, waiting
from playbooks.models import Task
from workspace.paging import COUNT_CAP, capped
from workspace.selectors.alerts import AlertLine, line

ALERTS_SHOWN = 6


@dataclass(frozen=True)
class Book:
    """The accounts of a CSM in figures."""

    accounts: int
    mrr_cents: int
    attention: int
    mrr_attention_cents: int


_BOOK = """
SELECT count(*), coalesce(sum(a.mrr_cents), 0), count(*) FILTER (WHERE s.band IN (1, 2)),
  coalesce(sum(a.mrr_cents) FILTER (WHERE s.band IN (1, 2)), 0)
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
WHERE a.tenant_id = %s AND a.owner_id = %s AND (a.churned_on IS NULL OR a.churned_on > %s)
"""


def book_of(member: Membership, today: date) -> Book:
    """The accounts of a member in figures; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, [member.tenant_id, member.pk, today])
        return Book(*(int(value) for value in cursor.fetchone()))


@dataclass(frozen=True)
class TeamDay:
    """What waits in the whole company; the counts end behind the cap."""

    alerts: list[AlertLine]
    alert_count: int
    overdue: int

    @property
    def alerts_shown(self) -> str:
        """How many alerts wait, as it is shown."""
        return capped(self.alert_count)

    @property
    def overdue_shown(self) -> str:
        """How many tasks are overdue, as it is shown."""
        return capped(self.overdue)


def team_day(member: Membership, today: date) -> TeamDay:
    """The alerts that matter most and how much is overdue; five queries."""
    alerts = waiting(alerts_of(member.tenant), today)
    names = metric_names(member.tenant)
    overdue = Task.objects.filter(tenant=member.tenant, state=Task.State.OPEN, due_on__lt=today)
    return TeamDay(
        [line(alert, names) for alert in most_deserving(alerts, ALERTS_SHOWN, today=today)],
        alerts.order_by()[: COUNT_CAP + 1].count(),
        overdue[: COUNT_CAP + 1].count(),
    )
