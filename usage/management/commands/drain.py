"""The drain worker."""

from __future__ import annotations

import logging
import select
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from accounts.fence.dispatch import tenants_with_work
from accounts.models import Tenant
from usage.drain import drain_turn
from usage.inbox import CHANNEL

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0  # a notice can be lost (a new connection, a busy sender); nothing waits longer than this
REST_AFTER_FAILURE_SECONDS = 1.0
RECONNECT_SECONDS = 2.0


class Command(BaseCommand):
    """`drain [--once]`."""

    help = "Takes waiting batches from the inbox of every tenant, in turns; stops cleanly on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One round or for ever."""
        parser.add_argument("--once", action="store_true", help="drain what waits now, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain until told to stop; a database that is away is waited for."""
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            try:
                self._listen()
                while not self.stopping:
                    worked, failed = drain_round(self._is_stopping)
                    if options["once"] and not worked:
                        return
                    if failed:
                        self._wait(REST_AFTER_FAILURE_SECONDS)
                    elif not worked:
                        self._wait(POLL_SECONDS)
            except (OperationalError, InterfaceError) as error:
                if options["once"]:
                    raise
                log.warning("The database does not answer: %s", str(error).strip())
                close_old_connections()
                for alias in ("default", "dispatch"):
                    connections[alias].close()
                self._sleep(RECONNECT_SECONDS)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Finish the turn at hand, then leave."""
        self.stopping = True

    def _is_stopping(self) -> bool:
        return self.stopping

    def _listen(self) -> None:
        connections["dispatch"].ensure_connection()
        with connections["dispatch"].cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")

    def _wait(self, seconds: float) -> None:
        """Wait for a notice, at most so long."""
        raw: Any = connections["dispatch"].connection
        select.select([raw], [], [], seconds)
        raw.poll()
        raw.notifies.clear()

    def _sleep(self, seconds: float) -> None:
        select.select([], [], [], seconds)


def drain_round(is_stopping: Any = lambda: False) -> tuple[bool, bool]:
    """One turn for each tenant that has waiting batches: (whether anything was drained, whether a turn failed)."""
    worked = failed = False
    ids = tenants_with_work("inbox")
    for tenant in Tenant.objects.filter(pk__in=ids).order_by("pk"):
        if is_stopping():
            break
        turn = drain_turn(tenant)
        if turn is not None:
            failed |= turn.failed
            worked = True
    return worked, failed
