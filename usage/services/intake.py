"""Rows from files and generators into the inbox, the nightly drain, and the quarantine's way back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from usage.definitions import load_features, load_plan
from usage.drain import TurnResult, drain_in_scope, drain_tenant
from usage.drain.accounts import note_first_days
from usage.drain.batches import IMPORT, wait_for_drain
from usage.drain.reresolve import resolve_contacts
from usage.inbox import accept
from usage.models import Quarantine
from usage.wire import api, segment
from usage.wire.shapes import MAX_EVENTS, BadBody, Rejection


class NotReplayable(Exception):
    """The event cannot go back into the inbox as it is; the message says why."""


def accept_rows(*, tenant: Tenant, source: str, rows: Iterable[dict[str, Any]]) -> list[UUID]:
    """Put rows of a file (keys as in `POST events`, plus `received_at`) into the inbox; the drain does the rest.

    Their identities are kept for good, so that the same file can be read again at any time. The caller has the scope open.
    """
    now = timezone.now()
    batches = []
    for part in _parts(rows):
        gated = api.gate_import(part, now)
        batches.append(accept(tenant_id=tenant.pk, door=IMPORT, source=source, gated=gated, received_at=now))
    return batches


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(rows)
    while part := list(islice(remaining, MAX_EVENTS)):
        yield part


def roll_up_pending(*, tenant: Tenant) -> TurnResult:
    """Drain what waits, inside the caller's scope: the first step of a night."""
    return drain_in_scope(tenant)


def drain_pending(*, tenant: Tenant, patience_seconds: float = 120.0) -> TurnResult:
    """Drain what had been accepted by now, in short transactions of its own; call it outside a scope.

    Waits while another drain works on the tenant. Raises TimeoutError when the inbox does not empty in time.
    """
    accepted_until = timezone.now()
    deadline = time.monotonic() + patience_seconds
    total = TurnResult()
    while True:
        turn = drain_tenant(tenant)
        for name in ("batches", "stored", "duplicates", "quarantined", "unassigned"):
            setattr(total, name, getattr(total, name) + getattr(turn, name))
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM usage_inbox WHERE tenant_id = %s AND received_at <= %s)",
                [tenant.pk, accepted_until],
            )
            (waiting,) = cursor.fetchone()
        if not waiting:
            return total
        if time.monotonic() > deadline:
            raise TimeoutError("Batches wait in the inbox and are not drained.")
        time.sleep(0.2)


def resolve_memberships(*, tenant: Tenant, contact_ids: Sequence[int]) -> None:
    """Events of these contacts without an account of their own go where the memberships now say; called after a change."""
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        gained = resolve_contacts(cursor, tenant.pk, load_plan(), load_features(), set(contact_ids))
        note_first_days(cursor, tenant.pk, gained)


def replay_quarantined(*, tenant: Tenant, quarantine_id: int, payload: str | None = None) -> UUID:
    """Send an event of the quarantine, as it is or corrected, through its door again; returns the new batch.

    Raises `NotReplayable` when the door would refuse it again.
    """
    row = Quarantine.objects.select_for_update().get(
        tenant=tenant, pk=quarantine_id, state=Quarantine.State.OPEN
    )
    if row.is_truncated and payload is None:
        raise NotReplayable("too long to be kept whole")
    try:
        item = msgspec.json.decode((payload or row.payload).encode())
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise NotReplayable(str(error)) from None
    now = timezone.now()
    try:
        if row.door == "segment":
            gated = segment.gate(msgspec.json.encode({"batch": [item]}), now)
        elif row.door == IMPORT:
            gated = api.gate_import([item], now)
        else:
            gated = api.gate(msgspec.json.encode({"events": [item]}), now)
    except BadBody as error:
        raise NotReplayable(error.message) from None
    if gated.rejected:
        raise NotReplayable(_first(gated.rejected))
    batch = accept(tenant_id=tenant.pk, door=row.door, source=row.source, gated=gated, received_at=now)
    row.state, row.settled_at = Quarantine.State.REPLAYED, now
    row.save(update_fields=["state", "settled_at"])
    return batch


def _first(rejected: list[Rejection]) -> str:
    return rejected[0].message


def discard_quarantined(*, tenant: Tenant, quarantine_ids: Iterable[int]) -> int:
    """Put events of the quarantine aside for good; returns how many."""
    return Quarantine.objects.filter(
        tenant=tenant, pk__in=list(quarantine_ids), state=Quarantine.State.OPEN
    ).update(state=Quarantine.State.DISCARDED, settled_at=timezone.now())
