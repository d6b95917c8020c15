"""The end of a turn: quarantine, sources, receipts, and the inbox rows go."""

from __future__ import annotations

from datetime import date
from typing import Any

from usage.copying import number_array, text_array
from usage.matching import Plan
from usage.wire.shapes import MAX_KEPT_CHARACTERS

from .batches import IMPORT, Claimed
from .store import Delivery


def quarantine(cursor: Any, tenant_id: int, batches: list[Claimed], payload_of: Any) -> None:
    """Keep what could not be taken in; `payload_of(batch, position)` finds the text of an item refused while draining."""
    for batch in batches:
        at_door = batch.refused_at_the_door()
        # Positions of the payload start after the refused ones: the pair (batch, position) must stay unique.
        rows = [(-1 - r.index, r, r.payload) for r in at_door]
        rows += [(r.index, r, r.payload or payload_of(batch, r.index)) for r in batch.refused]
        if not rows:
            continue
        cursor.execute(
            "INSERT INTO usage_quarantine (tenant_id, source, door, batch, position, code, message, payload, "
            "is_truncated, state, received_at) "
            "SELECT %s, %s, %s, %s, p, c, m, t, length(t) >= %s, 'open', %s "
            "FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS q(p, c, m, t) "
            "ON CONFLICT (tenant_id, batch, position) DO NOTHING",
            [
                tenant_id, batch.source, batch.door, str(batch.batch_id), MAX_KEPT_CHARACTERS, batch.received_at,
                number_array(position for position, _, _ in rows),
                text_array(r.code for _, r, _ in rows),
                text_array(r.message[:500] for _, r, _ in rows),
                text_array(text for _, _, text in rows),
            ],
        )  # fmt: skip


def refused_count(batch: Claimed) -> int:
    """How many items of a batch are in the quarantine."""
    return len(batch.refused) + len(batch.refused_at_the_door())


def note_sources(
    cursor: Any,
    tenant_id: int,
    batches: list[Claimed],
    deliveries: dict[str, Delivery],
    plan: Plan,
    accounts_created: dict[str, int],
) -> None:
    """Freshness and counters of each source, and since when it has delivered which metric."""
    for source in sorted({batch.source for batch in batches}):
        own = [batch for batch in batches if batch.source == source]
        delivery = deliveries.get(source) or Delivery()
        for batch in own:
            if batch.door != IMPORT:  # a live source that only repeats itself is alive
                delivery.saw(batch.received_at)
        cursor.execute(
            "INSERT INTO usage_source AS s (tenant_id, key, name, first_received_at, last_received_at, fresh_hours, "
            "keys_expire, events, duplicates, quarantined, unassigned, accounts_created) "
            "VALUES (%(tenant)s, %(key)s, %(key)s, %(first)s, %(last)s, 72, %(expire)s, %(events)s, %(duplicates)s, "
            "%(quarantined)s, %(unassigned)s, %(created)s) ON CONFLICT (tenant_id, key) DO UPDATE SET "
            "first_received_at = least(s.first_received_at, excluded.first_received_at), "
            "last_received_at = greatest(s.last_received_at, excluded.last_received_at), "
            "keys_expire = s.keys_expire OR excluded.keys_expire, events = s.events + excluded.events, "
            "duplicates = s.duplicates + excluded.duplicates, quarantined = s.quarantined + excluded.quarantined, "
            "unassigned = s.unassigned + excluded.unassigned, "
            "accounts_created = s.accounts_created + excluded.accounts_created RETURNING id",
            {
                "tenant": tenant_id, "key": source, "first": delivery.first_received_at,
                "last": delivery.last_received_at, "expire": any(batch.door != IMPORT for batch in own),
                "events": sum(delivery.events.values()), "duplicates": sum(batch.duplicates for batch in own),
                "quarantined": sum(map(refused_count, own)), "unassigned": delivery.unassigned,
                "created": accounts_created.get(source, 0),
            },
        )  # fmt: skip
        _note_days(cursor, tenant_id, cursor.fetchone()[0], delivery, plan)


def _note_days(cursor: Any, tenant_id: int, source_id: int, delivery: Delivery, plan: Plan) -> None:
    if not delivery.events:
        return
    days = sorted(delivery.events)
    cursor.execute(
        "INSERT INTO usage_source_day AS s (tenant_id, source_id, received_on, events) "
        "SELECT %s, %s, d, n FROM unnest(%s::date[], %s::int[]) AS r(d, n) "
        "ON CONFLICT (tenant_id, source_id, received_on) DO UPDATE SET events = s.events + excluded.events",
        [tenant_id, source_id, [d.isoformat() for d in days], number_array(delivery.events[d] for d in days)],
    )
    firsts: dict[int, date] = {}
    for day in days:
        for name in delivery.names[day]:
            for metric_id in plan.feeds(name).metric_ids:
                firsts.setdefault(metric_id, day)
    note_first_delivery(cursor, tenant_id, source_id, firsts)


def note_first_delivery(cursor: Any, tenant_id: int, source_id: int, firsts: dict[int, date]) -> None:
    """Since which day a source has delivered these metrics; an earlier day replaces a later one."""
    metrics = sorted(firsts)
    cursor.execute(
        "INSERT INTO usage_source_metric AS s (tenant_id, source_id, metric_id, first_on) "
        "SELECT %s, %s, m, d FROM unnest(%s::bigint[], %s::date[]) AS f(m, d) "
        "ON CONFLICT (tenant_id, source_id, metric_id) DO UPDATE SET first_on = least(s.first_on, excluded.first_on) "
        "WHERE s.first_on > excluded.first_on",
        [tenant_id, source_id, number_array(metrics), [firsts[m].isoformat() for m in metrics]],
    )


def write_receipts(cursor: Any, tenant_id: int, batches: list[Claimed], state: str = "done") -> None:
    """What became of each batch, and the batch itself is gone from the inbox."""
    cursor.execute(
        "INSERT INTO usage_batch (tenant_id, batch_id, state, source, received_at, drained_at, stored, duplicates, "
        "quarantined, unassigned) SELECT %s, b, %s, s, r, statement_timestamp(), n, d, q, u FROM unnest(%s::uuid[], "
        "%s::text[], %s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::int[]) AS x(b, s, r, n, d, q, u) "
        "ON CONFLICT (tenant_id, batch_id) DO NOTHING",
        [
            tenant_id, state,
            [str(b.batch_id) for b in batches],
            [b.source for b in batches],
            [b.received_at.isoformat() for b in batches],
            number_array(b.stored for b in batches),
            number_array(b.duplicates for b in batches),
            number_array(map(refused_count, batches)),
            number_array(b.unassigned for b in batches),
        ],
    )  # fmt: skip
    cursor.execute(
        "DELETE FROM usage_inbox WHERE tenant_id = %s AND batch_id = ANY(%s::uuid[])",
        [tenant_id, [str(b.batch_id) for b in batches]],
    )
