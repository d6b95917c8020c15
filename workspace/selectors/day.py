"""The newest summary of the tenant, for title rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
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
    row = summary(tenant)
    return DayLine(row) if row else None


def job_running(tenant: Tenant, kinds: tuple[str, ...]) -> Job | None:
    """The newest job of some kinds while it is unfinished, and for a day when it failed."""
    unfinished = Q(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    failed = Q(state=Job.State.FAILED, finished_at__gte=timezone.now() - FAILURE_SHOWN)
    newest = Job.objects.filter(tenant=tenant, kind__in=kinds).order_by("-pk")[:1].values("pk")
    return Job.objects.filter(unfinished | failed, tenant=tenant, pk__in=newest).first()


def job(tenant: Tenant, pk: int) -> Job | None:
    """One job of the ledger."""
    return Job.objects.filter(tenant=tenant, pk=pk).first()
