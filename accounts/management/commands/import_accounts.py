"""Store the accounts of a CSV file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.commands import find_tenant
from accounts.importing import NotACsvFile, import_accounts
from accounts.upserts.resources import ACCOUNT_FIELDS


class Command(BaseCommand):
    """`import_accounts SLUG FILE`."""

    help = (
        "Creates and changes accounts from a CSV file. Columns: "
        + ", ".join(one.name for one in ACCOUNT_FIELDS)
        + ", targets.KEY, custom.KEY; any other column becomes a custom field. An empty cell leaves a field as it is, "
        "null clears it. Rows with faults are named by their line and left out; then the exit code is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant and file."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument(
            "file", type=Path, help="CSV, UTF-8, with a header; separated by comma, semicolon or tab"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what became of the rows."""
        tenant = find_tenant(options["slug"])
        try:
            result = import_accounts(tenant=tenant, path=options["file"])
        except NotACsvFile as error:
            raise CommandError(str(error)) from error
        if result.custom_columns:
            self.stdout.write(f"Stored as custom fields: {', '.join(result.custom_columns)}")
        for line, reason in result.faults:
            self.stderr.write(f"line {line}: {reason}")
        self.stdout.write(
            f"created {result.created}, updated {result.updated}, rejected {len(result.faults)}"
        )
        if result.faults:
            raise CommandError(f"{len(result.faults)} rows were not stored; the others were.")
