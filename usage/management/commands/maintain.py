"""Partitions made ahead and expired ones dropped; companies deleted whose days of grace are over."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts.privacy.removal import remove_due_tenants
from usage.partitions import maintain_partitions

log = logging.getLogger(__name__)
EVERY_SECONDS = 3600


class Command(BaseCommand):
    """`maintain [--once]`."""

    help = "Makes partitions ahead and drops expired ones, deletes companies whose time is over; runs as the tables' owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One round or for ever."""
        parser.add_argument("--once", action="store_true", help="do it once, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look every hour; a database that is away or busy is tried again at the next round."""
        stop = threading.Event()

        def leave(number: int, frame: FrameType | None) -> None:
            stop.set()

        if not options["once"]:
            signal.signal(signal.SIGTERM, leave)
            signal.signal(signal.SIGINT, leave)
        while not stop.is_set():
            try:
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_has_role(current_user, tableowner, 'MEMBER') FROM pg_tables "
                        "WHERE schemaname = 'public' AND tablename = 'usage_event'"
                    )
                    if not cursor.fetchone()[0]:
                        raise CommandError(
                            "maintain needs the owner of the tables; start it with CS_PROCESS=maintain."
                        )
                for gone in remove_due_tenants(connection, timezone.now()):
                    self.stdout.write(f"deleted the company {gone.slug}: {sum(gone.rows.values())} rows")
                done = maintain_partitions(connection, timezone.now().date())
                self.stdout.write(
                    f"made {len(done.made)}, dropped {len(done.dropped)} partitions, deleted {done.deleted} expired rows"
                )
            except (OperationalError, InterfaceError) as error:
                if options["once"]:
                    raise CommandError(str(error).strip()) from error
                log.warning("Maintenance is tried again in an hour: %s", str(error).strip())
                connection.close()
            if options["once"]:
                return
            stop.wait(EVERY_SECONDS)
