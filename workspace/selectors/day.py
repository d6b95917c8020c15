"""The newest summary of the tenant, for title rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Job, Tenant
from health.models import TenantDay
from health.selectors import summary
from workspace.formatting import number

FAILURE_SHOWN = timedelta(days=1)


@dataclass(frozen=True)
class DayLine:
    """How many accounts there are and how many of them need somebody."""

    row: TenantDay

    @property
    def day(self) -> date:
        """The day of the scores."""
        return self.row.day

    @property
    def accounts(self) -> int:
        """All accounts of that day."""
        return self.row.scored + self.row.unknown

    @property
    def attention(self) -> int:
        """Those at risk or critical."""
        return self.row.at_risk + self.row.critical

    @property
    def accounts_shown(self) -> str:
        """All of them, written out."""
        return number(self.accounts)

    @property
    def attention_shown(self) -> str:
        """Those who need somebody, written out."""
        return number(self.attention)


def newest_day(tenant: Tenant) -> DayLine | None:
    """The newest summary; None before the first night."""
    row = summary(tenant, with_version=False)
    return DayLine(row) if row else None


# Asked by the first page each time, and nearly always nothing runs.
_RUNNING = """
SELECT id FROM (
  SELECT id, state, finished_at FROM accounts_job WHERE tenant_id = %s AND kind = ANY(%s) ORDER BY id DESC LIMIT 1
) newest
WHERE state IN (%s, %s) OR (state = %s AND finished_at >= %s)
"""


def job_running(tenant: Tenant, kinds: Sequence[str]) -> Job | None:
    """The newest job of some kinds while it is unfinished, and for a day when it failed."""
    unfinished = (Job.State.QUEUED.value, Job.State.RUNNING.value)
    failed_since = timezone.now() - FAILURE_SHOWN
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [tenant.pk, list(kinds), *unfinished, Job.State.FAILED.value, failed_since])
        found = cursor.fetchone()
    return job(tenant, found[0]) if found else None


def job(tenant: Tenant, pk: int) -> Job | None:
    """One job of the ledger."""
    return Job.objects.filter(tenant=tenant, pk=pk).first()
