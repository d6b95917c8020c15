"""Claiming batches from the inbox and reading what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import lz4.block
import msgspec

from usage.partitions import PERMANENT, week_number
from usage.wire import api, segment
from usage.wire.shapes import Alias, Decoded, Group, Person, Rejection, Usage

Fact = Usage | Person | Group | Alias
DECODERS: dict[str, Callable[[bytes, datetime], Decoded]] = {
    "api": api.decode,
    "segment": segment.decode,
    "import": api.decode_import,
}
IMPORT = "import"
_rejections = msgspec.json.Decoder(list[Rejection])


@dataclass
class Claimed:
    """A batch of the inbox, claimed by this turn, and what became of its items."""

    batch_id: UUID
    door: str
    source: str
    received_at: datetime
    payload: bytes
    rejected: bytes | None
    stored: int = 0
    duplicates: int = 0
    unassigned: int = 0
    refused: list[Rejection] = field(default_factory=list)

    @property
    def generation(self) -> int:
        """The generation of its keys: imports are remembered for good, the rest by week of receipt."""
        return PERMANENT if self.door == IMPORT else week_number(self.received_at.date())

    def facts(self) -> Decoded:
        """What the payload says."""
        return DECODERS[self.door](lz4.block.decompress(self.payload), self.received_at)

    def refused_at_the_door(self) -> list[Rejection]:
        """Items that the gate refused when the batch was accepted."""
        return _rejections.decode(lz4.block.decompress(self.rejected)) if self.rejected else []


def pack(payload: bytes) -> bytes:
    """A payload as the inbox keeps it."""
    return bytes(lz4.block.compress(payload))


def pack_rejections(rejected: list[Rejection]) -> bytes | None:
    """Refused items as the inbox keeps them."""
    return pack(msgspec.json.encode(rejected)) if rejected else None


class Keys:
    """Turns (source, event id) into the 128-bit key that makes an event stored once; `named` is to be copied and fed."""

    def __init__(self, batch: Claimed) -> None:
        self.named = blake2b(batch.source.encode() + b"\0", digest_size=16)
        # Without an id of its own an item is told from others by its place, which is the same when the turn is repeated.
        self._placed = blake2b(b"\0place\0" + batch.batch_id.bytes, digest_size=16)

    def of_place(self, position: int) -> str:
        """The key of a fact without an id."""
        hashed = self._placed.copy()
        hashed.update(b"%d" % position)
        return hashed.hexdigest()


def waiting_batches(cursor: Any, tenant_id: int, limit: int) -> list[UUID]:
    """The batches of a turn: the oldest ones, up to so many events, but at least one."""
    cursor.execute(
        "SELECT batch_id, events FROM usage_inbox WHERE tenant_id = %s ORDER BY batch_id LIMIT 500",
        [tenant_id],
    )
    chosen: list[UUID] = []
    total = 0
    for batch_id, events in cursor.fetchall():
        if chosen and total + events > limit:
            break
        chosen.append(batch_id)
        total += events
    return chosen


def count_attempts(cursor: Any, tenant_id: int, limit: int) -> list[tuple[UUID, int]]:
    """Choose the batches of a turn and count the attempt; nothing if another drain has the tenant."""
    if not lock_tenant(cursor, tenant_id):
        return []
    chosen = waiting_batches(cursor, tenant_id, limit)
    if not chosen:
        return []
    cursor.execute(
        "UPDATE usage_inbox SET attempts = attempts + 1 WHERE tenant_id = %s AND batch_id = ANY(%s::uuid[]) "
        "RETURNING batch_id, attempts",
        [tenant_id, [str(b) for b in chosen]],
    )
    return sorted(cursor.fetchall())


def lock_tenant(cursor: Any, tenant_id: int) -> bool:
    """One drain per tenant: what is looked up in a turn cannot change under it."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('usage.drain'), %s)", [tenant_id % 2**31])
    return bool(cursor.fetchone()[0])


def wait_for_drain(cursor: Any, tenant_id: int) -> None:
    """Wait for the tenant's drain and keep it out until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('usage.drain'), %s)", [tenant_id % 2**31])


def claim(cursor: Any, tenant_id: int, batch_ids: list[UUID]) -> list[Claimed]:
    """The chosen batches, locked until the turn ends."""
    cursor.execute(
        "SELECT batch_id, door, source, received_at, payload, rejected FROM usage_inbox "
        "WHERE tenant_id = %s AND batch_id = ANY(%s::uuid[]) ORDER BY batch_id FOR UPDATE SKIP LOCKED",
        [tenant_id, [str(b) for b in batch_ids]],
    )
    return [
        Claimed(batch_id, door, source, received_at, bytes(payload), bytes(rejected) if rejected else None)
        for batch_id, door, source, received_at, payload, rejected in cursor.fetchall()
    ]
