"""The relay: what the business transaction wrote into the outbox leaves the house here.

At least once: a receiver may see an item again after a kill, with the same id (`stable_id`). A turn claims a batch for the
time of a lease. Each attempt is counted in a commit of its own before the sending (the same commit settles the item before
it), so an item that kills its relay is put aside like one that fails, and what a killed relay held comes back when the lease
is over. No order is promised.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Outbox, Tenant

logger = logging.getLogger(__name__)

BATCH = 25
LEASE_SECONDS = 120.0  # longer than any sender may take; a killed relay's items come back after it
TURN_SECONDS = 20.0  # then the worker is free for other tenants, and the bell rings again
WAITS = (5.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0)
NAMESPACE = uuid.UUID("6f1d0f1c-8a0a-4d0e-9d53-1f0b1c7a2c11")

Settle = Callable[[], None]
Sender = Callable[[Tenant, str, Mapping[str, Any]], Settle | None]


class NotNow(Exception):
    """The item must wait; nothing was tried. With a lane, everything that shares it waits as long."""

    def __init__(self, until: datetime, why: str = "", *, lane: str = "") -> None:
        super().__init__(why)
        self.until, self.why, self.lane = until, why, lane


class LaneDown(ConnectionError):
    """The attempt failed because nobody answered; what else waits in the lane must not each cost as much time."""

    def __init__(self, why: str, *, lane: str, until: datetime) -> None:
        super().__init__(why)
        self.lane, self.until = lane, until


class Refused(Exception):
    """The item will never be taken; trying again is pointless."""


@dataclass(frozen=True)
class Channel:
    """How a kind of item is sent.

    `send(tenant, key, payload)` runs outside the tenant's scope and raises when it could not send. What it returns is called
    in the transaction that marks the item sent. `failed(tenant, key, payload, error, next_at)` is called in the transaction
    that notes a failure; `next_at` is None when the item is put aside.
    """

    send: Sender
    waits: Sequence[float] = WAITS
    wait: Callable[[int], float] | None = None  # seconds after the n-th failure; with jitter, say
    failed: Callable[[Tenant, str, Mapping[str, Any], str, datetime | None], None] | None = None

    @property
    def most_attempts(self) -> int:
        """Attempts before the item is put aside."""
        return len(self.waits) + 1

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts."""
        if self.wait is not None:
            return timedelta(seconds=self.wait(attempts))
        return timedelta(seconds=self.waits[min(attempts, len(self.waits)) - 1])


_channels: dict[str, Channel] = {}


def register_outbox_handler(kind: str, handler: Sender | Channel) -> None:
    """Make a kind of item known; called from an app's `ready()`, the last one wins."""
    _channels[kind] = handler if isinstance(handler, Channel) else Channel(handler)


def stable_id(tenant: Tenant, kind: str, key: str) -> str:
    """What a receiver recognises a repeated item by: the same for every attempt and every replay."""
    return uuid.uuid5(NAMESPACE, f"{tenant.pk}/{kind}/{key}").hex


def send_to_outbox(
    *,
    tenant: Tenant,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    lane: str = "",
    at: datetime | None = None,
) -> None:
    """Write an item down once, inside the business transaction; the same kind and key is sent once."""
    Outbox.objects.bulk_create(
        [
            Outbox(
                tenant=tenant,
                kind=kind,
                key=key,
                payload=dict(payload),
                lane=lane,
                next_at=at or timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )


def replay_item(*, tenant: Tenant, item_id: int) -> Outbox:
    """Let an item that was put aside be tried again from the start; raises `Outbox.DoesNotExist`."""
    item = Outbox.objects.select_for_update().get(tenant=tenant, pk=item_id)
    if item.state == Outbox.State.FAILED:
        item.state, item.attempts, item.next_at, item.claim = (
            Outbox.State.WAITING,
            0,
            timezone.now(),
            None,
        )
        item.save(update_fields=["state", "attempts", "next_at", "claim"])
    return item


def relay_outbox(tenant: Tenant, *, seconds: float = TURN_SECONDS) -> int:
    """Send what is due, for about so long; returns how many items were sent."""
    deadline, sent = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        claim = uuid.uuid4()
        with tenant_scope(tenant):
            batch = _claim(tenant, claim)
        if not batch:
            break
        sent += _Turn(tenant, claim, deadline).work_off(batch)
    return sent


CLAIM_SQL = """
UPDATE accounts_outbox SET claim = %(claim)s, next_at = %(until)s
WHERE tenant_id = %(tenant)s AND id IN (
  SELECT id FROM accounts_outbox WHERE tenant_id = %(tenant)s AND state = 'waiting' AND next_at <= %(now)s
  ORDER BY next_at, id LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def _claim(tenant: Tenant, claim: uuid.UUID) -> list[int]:
    """Ids of a batch that is ours until the lease is over."""
    now = timezone.now()
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "claim": claim,
        "now": now,
        "until": now + timedelta(seconds=LEASE_SECONDS),
        "batch": BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, values)
        return sorted(row[0] for row in cursor.fetchall())


@dataclass(frozen=True)
class _Outcome:
    """What became of an attempt."""

    item: Outbox
    settle: Settle | None = None
    error: Exception | None = None


class _Turn:
    """A relay's work on one batch."""

    def __init__(self, tenant: Tenant, claim: uuid.UUID, deadline: float) -> None:
        self.tenant, self.claim, self.deadline = tenant, claim, deadline
        self.sent = 0

    def work_off(self, batch: Sequence[int]) -> int:
        """Send each item; one commit settles an item and counts the attempt of the next."""
        outcome: _Outcome | None = None
        for position, item_id in enumerate(batch):
            late = time.monotonic() > self.deadline
            with tenant_scope(self.tenant):
                if outcome is not None:
                    self._settle(outcome)
                    outcome = None
                if late:
                    self._give_back(batch[position:])
                    return self.sent
                item = self._begin(item_id)
            if item is not None:
                outcome = self._attempt(item)
        if outcome is not None:
            with tenant_scope(self.tenant):
                self._settle(outcome)
        return self.sent

    def _mine(self, item_id: int) -> Any:
        return Outbox.objects.filter(
            tenant=self.tenant, pk=item_id, claim=self.claim, state=Outbox.State.WAITING
        )

    def _begin(self, item_id: int) -> Outbox | None:
        """Count the attempt and take the lease anew; None when it is another relay's by now, or was tried too often."""
        item: Outbox | None = self._mine(item_id).select_for_update().first()
        if item is None:
            return None
        channel = _channels.get(item.kind)
        if channel is not None and item.attempts >= channel.most_attempts:
            self._put_aside(item, channel, item.error or "The relay ended before it knew what became of it.")
            return None
        item.attempts += 1
        item.next_at = timezone.now() + timedelta(seconds=LEASE_SECONDS)
        item.save(update_fields=["attempts", "next_at"])
        return item

    def _attempt(self, item: Outbox) -> _Outcome:
        channel = _channels.get(item.kind)
        if channel is None:
            return _Outcome(item, error=Refused(f"Nobody sends items of the kind {item.kind}."))
        try:
            return _Outcome(item, settle=channel.send(self.tenant, item.key, item.payload))
        except NotNow as wait:
            return _Outcome(item, error=wait)
        except Exception as error:
            logger.warning(
                "Outbox item %s (%s) of tenant %s was not sent: %s",
                item.pk,
                item.kind,
                self.tenant.slug,
                error,
                exc_info=not isinstance(error, Refused | OSError),
            )
            return _Outcome(item, error=error)

    def _settle(self, outcome: _Outcome) -> None:
        """Write down what became of the item, unless somebody else has it by now."""
        item, error = outcome.item, outcome.error
        held = self._mine(item.pk).select_for_update().first()
        if held is None:
            return
        if error is None:
            if outcome.settle is not None:
                outcome.settle()
            held.state, held.sent_at, held.error, held.claim = Outbox.State.SENT, timezone.now(), "", None
            held.save(update_fields=["state", "sent_at", "error", "claim"])
            self.sent += 1
            return
        if isinstance(error, NotNow):
            held.attempts, held.next_at, held.error, held.claim = (
                held.attempts - 1,
                error.until,
                error.why[:500],
                None,
            )
            held.save(update_fields=["attempts", "next_at", "error", "claim"])
            self._hold_lane(error.lane, error.until, item)
            return
        channel = _channels.get(item.kind, Channel(lambda *_: None))
        plain = isinstance(error, Refused | ConnectionError)
        words = str(error) if plain else f"{type(error).__name__}: {error}"
        if isinstance(error, Refused) or held.attempts >= channel.most_attempts:
            self._put_aside(held, channel, words)
            return
        held.next_at, held.error, held.claim = (
            timezone.now() + channel.pause(held.attempts),
            words[:500],
            None,
        )
        held.save(update_fields=["next_at", "error", "claim"])
        if channel.failed is not None:
            channel.failed(self.tenant, held.key, held.payload, words, held.next_at)
        if isinstance(error, LaneDown):
            self._hold_lane(error.lane, error.until, item)

    def _hold_lane(self, lane: str, until: datetime, item: Outbox) -> None:
        """Let the others of a lane wait too: those nobody holds, and those of our own batch."""
        if lane:
            Outbox.objects.filter(
                Q(claim=None, next_at__lt=until) | Q(claim=self.claim),
                tenant=self.tenant,
                lane=lane,
                state=Outbox.State.WAITING,
            ).exclude(pk=item.pk).update(next_at=until, claim=None)

    def _put_aside(self, item: Outbox, channel: Channel, words: str) -> None:
        item.state, item.error, item.claim = Outbox.State.FAILED, words[:500], None
        item.save(update_fields=["state", "error", "claim"])
        if channel.failed is not None:
            channel.failed(self.tenant, item.key, item.payload, words, None)

    def _give_back(self, rest: Sequence[int]) -> None:
        """Let others have what there was no time for."""
        Outbox.objects.filter(
            tenant=self.tenant, pk__in=rest, claim=self.claim, state=Outbox.State.WAITING
        ).update(next_at=timezone.now(), claim=None)
