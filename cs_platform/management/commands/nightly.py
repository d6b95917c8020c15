"""`manage nightly SLUG [--as-of DATE]`: the whole pipeline for one day, in this process."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Job, Tenant
from accounts.services import enqueue_job
from health.selectors import distribution


class Command(BaseCommand):
    """Run the night of one tenant through the same code as the workers."""

    help = "Run the nightly pipeline of a tenant for one day (today unless --as-of says another)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tenant and the day."""
        parser.add_argument("slug")
        parser.add_argument("--as-of", metavar="YYYY-MM-DD", help="the day to score; not in the future")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue the job, work it off, print what came out."""
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant “{options['slug']}”.")
        day = _parse_day(options["as_of"], tenant.today())
        with tenant_scope(tenant):
            job = enqueue_job(
                tenant=tenant,
                kind="nightly",
                key=day.isoformat(),
                params={"day": day.isoformat()},
                again=True,
            )
        job = finish_job(tenant, job.pk)
        if job.state != Job.State.DONE:
            raise CommandError(f"The run has failed: {job.message}")
        with tenant_scope(tenant):
            found = distribution(tenant, day)
        seconds = (
            (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0
        )
        self.stdout.write(
            f"{tenant.slug} {day}: scored {found['scored']}, healthy {found['healthy']}, at risk {found['at_risk']}, "
            f"critical {found['critical']}, unknown {found['unknown']}, mean {found['mean']} ({seconds:.1f} s)"
        )


def _parse_day(text: str | None, today: date) -> date:
    """The day of `--as-of`, or today; raises CommandError with the reason."""
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--as-of: “{text}” is not a date; write it as 2025-12-31.") from error
    if day > today:
        raise CommandError(f"--as-of: {day} is in the future of this tenant ({today}).")
    return day
