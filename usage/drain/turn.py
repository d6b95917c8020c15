"""One turn: a bounded part of one tenant's inbox, drained in one transaction."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import lz4.block
import msgspec
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant, TenantSettings
from usage.days import Calendar
from usage.definitions import load_features, load_plan
from usage.models import Source
from usage.raw import fill_last_values
from usage.rollup_tables import add_rollup
from usage.wire.shapes import MAX_KEPT_CHARACTERS, Rejection

from .accounts import create_accounts, known_accounts, note_first_days
from .batches import Claimed, claim, count_attempts, lock_tenant, wait_for_drain, waiting_batches
from .gather import Gathered, gather, refuse_unknown_accounts
from .keys import keep_new
from .people import find_people, join_accounts
from .reresolve import resolve_again
from .settle import note_sources, quarantine, write_receipts
from .store import note_contacts, register_labels, store_events
from .traits import store_traits

log = logging.getLogger(__name__)
TURN_EVENTS = 20_000
MAX_ATTEMPTS = 3
# What a crash of the server could take back is the whole turn, the deleted inbox rows included, so it is drained again.
_NOT_WAITING_FOR_DISK = "SET LOCAL synchronous_commit = off"


@dataclass
class TurnResult:
    """What one turn did."""

    batches: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    unassigned: int = 0
    failed: bool = False  # the work was rolled back; the batches wait for the next turn

    def add(self, batches: list[Claimed]) -> None:
        """Count drained batches in."""
        self.batches += len(batches)
        for batch in batches:
            self.stored += batch.stored
            self.duplicates += batch.duplicates
            self.unassigned += batch.unassigned
            self.quarantined += len(batch.refused) + len(batch.refused_at_the_door())


def drain_tenant(tenant: Tenant) -> TurnResult:
    """Turns until the tenant's inbox is empty, or another drain has it, or a turn fails."""
    total = TurnResult()
    while (turn := drain_turn(tenant)) is not None:
        for name in ("batches", "stored", "duplicates", "quarantined", "unassigned"):
            setattr(total, name, getattr(total, name) + getattr(turn, name))
    return total


def drain_turn(tenant: Tenant, limit: int = TURN_EVENTS) -> TurnResult | None:
    """Drain one turn; None when nothing waits or another drain has the tenant.

    The attempt is counted in a transaction before the work: a batch that kills its worker again and again is taken apart.
    """
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(_NOT_WAITING_FOR_DISK)
        chosen = count_attempts(cursor, tenant.pk, limit)
    if not chosen:
        return None
    result = TurnResult()
    fresh = [batch_id for batch_id, attempts in chosen if attempts <= MAX_ATTEMPTS]
    for batch_id, attempts in chosen:
        if attempts > MAX_ATTEMPTS:
            _take_apart(tenant, batch_id, result)
    try:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(_NOT_WAITING_FOR_DISK)
            # The choice was made in an earlier transaction; another drain may have come between.
            batches = claim(cursor, tenant.pk, fresh) if fresh and lock_tenant(cursor, tenant.pk) else []
            if batches:
                process(cursor, tenant, batches, gather(batches))
                write_receipts(cursor, tenant.pk, batches)
    except (OperationalError, InterfaceError):
        raise  # the server went away: nothing is known against the batches
    except Exception:
        log.exception("A turn of tenant %s failed; its %s batches will be tried again", tenant.pk, len(fresh))
        result.failed = True
        return result
    result.add(batches)
    return result


def drain_in_scope(tenant: Tenant, limit: int = TURN_EVENTS) -> TurnResult:
    """Drain everything that waits inside the caller's scope: the nightly run is one transaction and goes first.

    There is no attempt to count here, so a turn that fails is taken apart at once.
    """
    total = TurnResult()
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        while chosen := waiting_batches(cursor, tenant.pk, limit):
            batches = claim(cursor, tenant.pk, chosen)
            try:
                with transaction.atomic():
                    process(cursor, tenant, batches, gather(batches))
                    write_receipts(cursor, tenant.pk, batches)
                total.add(batches)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                log.exception(
                    "A turn of tenant %s failed; its %s batches are taken apart", tenant.pk, len(chosen)
                )
                for batch in claim(cursor, tenant.pk, chosen):
                    _salvage(cursor, tenant, batch)
                    total.add([batch])
    return total


def process(cursor: Any, tenant: Tenant, batches: list[Claimed], found: Gathered) -> None:
    """Everything that the facts of a turn change, in reading order."""
    tenant_id = tenant.pk
    calendar, plan, book = Calendar(tenant.tz), load_plan(), load_features()
    accounts = known_accounts(cursor, tenant_id, found.account_ids())
    if _quarantines_unknown():
        refuse_unknown_accounts(found, accounts)
    expiring = set(Source.objects.filter(keys_expire=True).values_list("key", flat=True))
    keep_new(cursor, tenant_id, found, expiring)
    created = create_accounts(cursor, tenant_id, found.account_ids() - accounts.keys())
    made_by = _created_by_source(found, created)
    accounts |= created
    people = find_people(cursor, tenant_id, found)
    join_accounts(cursor, tenant_id, found, people, accounts)
    register_labels(cursor, tenant_id, found, book)
    gained = resolve_again(cursor, tenant_id, plan, book, people)
    stored = store_events(cursor, tenant_id, found, people, accounts, calendar, plan, book)
    fill_last_values(cursor, tenant_id, plan, book, stored.rollup)
    add_rollup(cursor, tenant_id, plan, stored.rollup)
    for account, day in gained.items():
        stored.first_days[account] = min(stored.first_days.get(account, day), day)
    note_first_days(cursor, tenant_id, stored.first_days)
    note_contacts(cursor, tenant_id, stored.seen, people)
    store_traits(cursor, tenant_id, found, people, accounts)
    quarantine(cursor, tenant_id, batches, _item_text)
    note_sources(cursor, tenant_id, batches, stored.deliveries, plan, made_by)


def _quarantines_unknown() -> bool:
    settings = TenantSettings.objects.first()
    return settings is not None and settings.unknown_accounts == TenantSettings.UnknownAccounts.QUARANTINE


def _created_by_source(found: Gathered, created: dict[str, int]) -> dict[str, int]:
    """How many accounts each source brought."""
    if not created:
        return {}
    first: dict[str, str] = {}
    for batch, fact, _ in [*found.usages, *found.groups]:
        account = getattr(fact, "account", None)
        if account in created:
            first.setdefault(account, batch.source)
    counts: dict[str, int] = defaultdict(int)
    for source in first.values():
        counts[source] += 1
    return counts


def _item_text(batch: Claimed, position: int) -> str:
    """The text of one item of a batch, in ASCII."""
    document = msgspec.json.decode(lz4.block.decompress(batch.payload), type=dict[str, Any])
    items = document.get("batch" if batch.door == "segment" else "events") or []
    return json.dumps(items[position])[:MAX_KEPT_CHARACTERS]


def _take_apart(tenant: Tenant, batch_id: UUID, result: TurnResult) -> None:
    """A batch that failed too often, in a transaction of its own."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        batches = claim(cursor, tenant.pk, [batch_id]) if lock_tenant(cursor, tenant.pk) else []
        for batch in batches:
            _salvage(cursor, tenant, batch)
    result.add(batches)


def _salvage(cursor: Any, tenant: Tenant, batch: Claimed) -> None:
    """Store what can be stored, quarantine the items that cannot."""
    state = "done"
    try:
        positions = sorted({fact.position for _, fact, _ in gather([batch]).entries()})
    except Exception as error:  # whatever a decoder may raise: the batch is kept, not lost
        log.warning("Batch %s of tenant %s cannot be read: %s", batch.batch_id, tenant.pk, error)
        text = batch.payload.hex()[:MAX_KEPT_CHARACTERS]
        batch.refused, state = [Rejection(0, "unreadable", _reason(error), text)], "failed"
    else:
        _store_what_can_be(cursor, tenant, batch, positions)
    # The parts have counted themselves; what is left to count is what was refused.
    rest = replace(batch, stored=0, duplicates=0, unassigned=0)
    quarantine(cursor, tenant.pk, [rest], _item_text)
    note_sources(cursor, tenant.pk, [rest], {}, load_plan(), {})
    write_receipts(cursor, tenant.pk, [batch], state)


def _store_what_can_be(cursor: Any, tenant: Tenant, batch: Claimed, positions: list[int]) -> None:
    """Halve the batch until the culprits stand alone."""
    part = replace(batch, stored=0, duplicates=0, unassigned=0, refused=[], rejected=None)
    try:
        with transaction.atomic():
            process(cursor, tenant, [part], gather([part], set(positions)))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(positions) > 1:
            middle = len(positions) // 2
            _store_what_can_be(cursor, tenant, batch, positions[:middle])
            _store_what_can_be(cursor, tenant, batch, positions[middle:])
        elif positions:
            log.warning(
                "Event %s of batch %s goes to the quarantine: %s", positions[0], batch.batch_id, error
            )
            batch.refused.append(Rejection(positions[0], "failed", _reason(error)))
        return
    batch.stored += part.stored
    batch.duplicates += part.duplicates
    batch.unassigned += part.unassigned
    batch.refused += part.refused


def _reason(error: Exception) -> str:
    """The kind of an error; its text may quote other rows."""
    code = getattr(getattr(error, "__cause__", None), "pgcode", None)
    return (
        f"{type(error).__name__} {code}"
        if isinstance(error, DatabaseError) and code
        else type(error).__name__
    )
