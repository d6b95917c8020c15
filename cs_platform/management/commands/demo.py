"""`manage demo SLUG`: the demo tenant with a year of history."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Job, Tenant
from accounts.services import enqueue_job
from cs_platform.demo.members import make_demo_tenant


class Command(BaseCommand):
    """Make the demo tenant once; one that was removed stays removed unless --again says otherwise."""

    help = "Make a demo tenant: 150 accounts and a year of history through the real ingest and the real nightly run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tenant, its language, and whether to wait."""
        parser.add_argument("slug")
        parser.add_argument("--language", choices=["en", "es"], default="en")
        parser.add_argument("--timezone", default="Europe/Madrid")
        parser.add_argument("--background", action="store_true", help="leave the work to the running worker")
        parser.add_argument("--again", action="store_true", help="make it anew after it was removed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make tenant and logins at once, then the history as a job."""
        if not settings.EMBEDDED:
            raise CommandError(
                "The demo has known passwords, so it is made only where the embedded default runs."
            )
        existing = Tenant.objects.filter(slug=options["slug"]).first()
        if existing is not None and existing.is_demo and _finished(existing) and not options["again"]:
            self.stdout.write(f"The demo tenant “{existing.slug}” was made before; nothing to do.")
            return
        try:
            tenant = make_demo_tenant(options["slug"], options["language"], options["timezone"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        last_day = tenant.today() - timedelta(days=1)
        with tenant_scope(tenant):
            job = enqueue_job(
                tenant=tenant,
                kind="demo",
                key="demo",
                params={"last_day": last_day.isoformat(), "owners": 4},
                again=options["again"],
            )
        if options["background"]:
            self.stdout.write(f"The demo tenant “{tenant.slug}” is being made; its pages show the progress.")
            return
        job = finish_job(tenant, job.pk)
        if job.state != Job.State.DONE:
            raise CommandError(f"The demo is {job.state}: {job.message}")
        self.stdout.write(f"The demo tenant “{tenant.slug}” is ready.")


def _finished(tenant: Tenant) -> bool:
    """Whether the demo was made, or made and removed."""
    with tenant_scope(tenant):
        done = Job.objects.filter(kind__in=["demo", "demo_removal"], state=Job.State.DONE)
        return done.exists()
