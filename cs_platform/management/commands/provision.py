"""`manage provision SLUG… | --all`: what a newer release ships, for companies that are there already."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from accounts.provisioning import steps


class Command(BaseCommand):
    """Run the steps of a new tenant again: each adds only what is missing."""

    help = (
        "Add what this release ships and a tenant does not have yet: metrics, rules (switched off), plays, texts. "
        "Nothing that is there changes; what was deleted comes back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which tenants; all of them only when that is said."""
        parser.add_argument("slug", nargs="*")
        parser.add_argument("--all", action="store_true", help="every tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        """One transaction for each tenant and step, so that a failure names both and loses nothing else."""
        slugs = options["slug"]
        if bool(slugs) == options["all"]:
            raise CommandError("Name the tenants, or say --all.")
        tenants = list(Tenant.objects.order_by("slug"))
        unknown = set(slugs) - {tenant.slug for tenant in tenants}
        if unknown:
            raise CommandError(f"There is no tenant “{min(unknown)}”.")
        for tenant in tenants:
            if options["all"] or tenant.slug in slugs:
                for step in steps():
                    with tenant_scope(tenant):
                        step.run(tenant)
                self.stdout.write(f"{tenant.slug}: complete")
