"""The day of a team: what waits at each CSM, in three counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection

from accounts.models import Membership, Role, Tenant
from workspace.selectors import people
from workspace.selectors.agenda.reading import midnight

# By owner and not by list: a count for everybody must cost the same however many CSMs there are.
_WAITING = """
SELECT who, sum(due), sum(late), sum(alerts), sum(done) FROM (
  SELECT t.assignee_id AS who, count(*) AS due, count(*) FILTER (WHERE t.due_on < %(today)s) AS late,
    0 AS alerts, 0 AS done
  FROM playbooks_task t
  WHERE t.tenant_id = %(tenant)s AND t.state = 'open' AND t.due_on <= %(today)s AND t.assignee_id = ANY(%(members)s)
  GROUP BY 1
  UNION ALL
  SELECT coalesce(x.assignee_id, a.owner_id), 0, 0, count(*), 0
  FROM alerts_alert x LEFT JOIN accounts_account a ON a.tenant_id = x.tenant_id AND a.id = x.account_id
  WHERE x.tenant_id = %(tenant)s AND (x.state = 'open' OR x.state = 'snoozed' AND x.snoozed_until <= %(today)s)
    AND coalesce(x.assignee_id, a.owner_id) = ANY(%(members)s)
  GROUP BY 1
  UNION ALL
  SELECT e.actor_id, 0, 0, 0, count(DISTINCT e.account_id)
  FROM accounts_timelineentry e
  WHERE e.tenant_id = %(tenant)s AND e.actor_id = ANY(%(members)s) AND e.at >= %(midnight)s
  GROUP BY 1
) waiting GROUP BY 1
"""


@dataclass(frozen=True)
class CsmDay:
    """A CSM with what waits and what was done."""

    member: Membership
    due: int = 0
    late: int = 0
    alerts: int = 0
    helped: int = 0


def csm_days(tenant: Tenant, today: date) -> list[CsmDay]:
    """Every CSM with their day, whoever has most overdue first; two queries."""
    csms = {one.pk: one for one in people.members(tenant) if one.role == Role.CSM}
    with connection.cursor() as cursor:
        cursor.execute(
            _WAITING,
            {
                "tenant": tenant.pk,
                "today": today,
                "members": list(csms),
                "midnight": midnight(tenant, today),
            },
        )
        found = {who: [int(count) for count in counts] for who, *counts in cursor.fetchall()}
    days = [CsmDay(member, *found.get(pk, (0, 0, 0, 0))) for pk, member in csms.items()]
    return sorted(days, key=lambda one: (-one.late, -one.due, str(one.member).lower()))
