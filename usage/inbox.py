"""The inbox: an accepted batch is one row on disk before the sender hears of it."""

from __future__ import annotations

import os
import time
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import connection

from usage.drain.batches import pack, pack_rejections
from usage.wire.shapes import Gated

CHANNEL = "usage_inbox"
# A commit that notifies waits for every other one that does, so a process rings at most so often; the drain polls too.
RING_SECONDS = 0.2


class _Bell:
    """Remembers when this process last rang."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rung = 0.0

    def is_due(self) -> bool:
        """Whether it is time to ring again; saying yes counts as having rung."""
        now = time.monotonic()
        with self._lock:
            if now - self._rung < RING_SECONDS:
                return False
            self._rung = now
            return True


_bell = _Bell()


def time_ordered_id() -> UUID:
    """A version 7 UUID: the inbox is a queue in the order of its keys."""
    value = int.from_bytes(os.urandom(10), "big")
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (value >> 62 & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=number | value & (1 << 62) - 1)


def accept(*, tenant_id: int, door: str, source: str, gated: Gated, received_at: datetime) -> UUID:
    """Put a batch that passed the gate into the inbox, in the scope's transaction; returns its id."""
    batch_id = time_ordered_id()
    with connection.cursor() as cursor:
        statement = (
            "INSERT INTO usage_inbox (tenant_id, batch_id, door, source, received_at, due_at, events, payload, rejected) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        )
        if _bell.is_due():
            statement += f"; NOTIFY {CHANNEL}"
        cursor.execute(
            statement,
            [
                tenant_id, batch_id, door, source, received_at, received_at, gated.count,
                pack(gated.payload), pack_rejections(gated.rejected),
            ],
        )  # fmt: skip
    return batch_id


def batch_state(*, tenant_id: int, batch_id: UUID) -> dict[str, Any] | None:
    """The receipt of a batch, `received` while it waits, None if there is no such batch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, stored, duplicates, quarantined, unassigned FROM usage_batch "
            "WHERE tenant_id = %(tenant)s AND batch_id = %(batch)s "
            "UNION ALL SELECT 'received', 0, 0, 0, 0 FROM usage_inbox "
            "WHERE tenant_id = %(tenant)s AND batch_id = %(batch)s",
            {"tenant": tenant_id, "batch": batch_id},
        )
        row = cursor.fetchone()
    return (
        dict(zip(("state", "stored", "duplicates", "quarantined", "unassigned"), row, strict=True))
        if row
        else None
    )
