"""Store the events of a file."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.commands import find_tenant
from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from usage.drain import TURN_EVENTS, drain_turn
from usage.importing import COLUMNS, NotAnEventsFile, read_rows
from usage.services import accept_rows

COUNTS = ("stored", "duplicates", "quarantined", "unassigned")
SOURCE_LENGTH = 60


class Command(BaseCommand):
    """`import_events SLUG FILE [--source S]`."""

    help = (
        "Stores the events of a CSV (also gzipped) or parquet file through the same drain as the API. Columns: "
        + ", ".join(COLUMNS)
        + "; any other becomes a property. Events that are stored already are not stored again, however old."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, file and the name of the source."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument(
            "file", type=Path, help="CSV (comma, semicolon or tab; UTF-8), gzipped CSV, or parquet"
        )
        parser.add_argument("--source", default="import", help="name of the source on the sources page")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what became of the rows."""
        tenant, source = find_tenant(options["slug"]), options["source"].strip()
        if not source or len(source) > SOURCE_LENGTH or not source.isprintable():
            raise CommandError(f"--source is a name of 1 to {SOURCE_LENGTH} characters.")
        read = 0
        totals = dict.fromkeys(COUNTS, 0)
        rows = read_rows(options["file"])
        try:
            for part in _parts(rows):
                read += len(part)
                with tenant_scope(tenant):
                    batches = accept_rows(tenant=tenant, source=source, rows=part)
                for name, count in drained(tenant, batches).items():
                    totals[name] += count
        except NotAnEventsFile as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"read {read}, stored {totals['stored']}, duplicate {totals['duplicates']}, "
            f"quarantined {totals['quarantined']}, unassigned {totals['unassigned']}"
        )


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while part := list(islice(rows, TURN_EVENTS)):
        yield part


def drained(tenant: Tenant, batches: list[UUID]) -> dict[str, int]:
    """Drain until these batches are through, here or by a drain that runs beside us; their receipts added up."""
    while True:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), coalesce(sum(stored), 0), coalesce(sum(duplicates), 0), "
                "coalesce(sum(quarantined), 0), coalesce(sum(unassigned), 0) FROM usage_batch "
                "WHERE tenant_id = %s AND batch_id = ANY(%s::uuid[])",
                [tenant.pk, [str(batch) for batch in batches]],
            )
            done, *counts = cursor.fetchone()
        if done == len(batches):
            return dict(zip(COUNTS, map(int, counts), strict=True))
        if drain_turn(tenant) is None:
            time.sleep(0.05)  # another drain has the tenant
