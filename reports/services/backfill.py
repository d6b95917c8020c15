"""The past of a tenant that has none in its reports yet: made from what is stored, a day in each transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from accounts.jobs import Chunk
from accounts.models import Job, Tenant
from accounts.services import enqueue_job
from reports.days import last_month_end
from reports.models import ReportDay

from .keeping import DAY, keep_reports

JOB_KIND = "reports_backfill"
WEEKS = 8  # the last Sundays; before them the last days of months
MONTHS = 24


def ask_backfill(*, tenant: Tenant, day: date) -> Job | None:
    """Have the past made where nothing of it is kept: with the first night of a tenant that has been here for long."""
    if ReportDay.objects.filter(tenant=tenant, metric="", part=DAY, day__lt=day - timedelta(days=7)).exists():
        return None
    return enqueue_job(tenant=tenant, kind=JOB_KIND, key="past", params={"day": day.isoformat()})


def past_days(day: date, *, weeks: int = WEEKS, months: int = MONTHS) -> list[date]:
    """The days that lines are drawn through, the oldest first."""
    sunday = day - timedelta(days=day.isoweekday() % 7 or 7)
    found = {sunday - timedelta(weeks=ago) for ago in range(weeks)}
    end = last_month_end(day - timedelta(days=1))
    for _ in range(months):
        found.add(end)
        end = last_month_end(end.replace(day=1) - timedelta(days=1))
    return sorted(found)


def plan_backfill(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """A day each."""
    days = past_days(date.fromisoformat(job.params["day"]))
    return [Chunk(0, "day", {"day": one.isoformat()}) for one in days]


def fill_day(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """One day of the past; a day that is there already stays as it is."""
    keep_reports(tenant=tenant, day=date.fromisoformat(params["day"]))
